"""`get_image_detail`: the answer as structure and as text."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TypeVar

from compshare_images.catalogue.details import Detail
from compshare_images.tools import facts
from compshare_images.tools.arguments import DetailArguments
from compshare_images.tools.reply import Reply
from compshare_images.tools.results import (
    DETAIL_NOTICE,
    CatalogueState,
    DetailResult,
    ImageFacts,
    OwnerFacts,
    PortFacts,
    ReadmePart,
    SoftwareFacts,
    VersionFacts,
)
from compshare_images.upstream.cleaning import clean_line
from compshare_images.upstream.wire import Image, Software

_Fact = TypeVar("_Fact")

PAGE = "https://www.compshare.cn/images/"

_KINDS_OF_AUTHOR = {1: " (official)", 2: " (verified)"}


def detail(arguments: DetailArguments, opened: Detail, state: CatalogueState) -> Reply:
    notes: list[str] = []
    if opened.trouble:
        state = state.model_copy(update={"stale": True})
        notes.append(
            f"CompShare could not be asked ({opened.trouble.message}) This is the catalogue's copy; no Readme."
        )
    readme = _readme(arguments, opened)
    if readme and arguments.readme_offset > (readme.total_chars or 0):
        notes.append(f"readme_offset {arguments.readme_offset} is past the end.")
    result = DetailResult(
        image=_facts(opened),
        versions=[_version(image, opened.entry.image) for image in opened.entry.group.images],
        readme=readme,
        catalogue=state,
        notice=DETAIL_NOTICE,
        note=" ".join(notes) or None,
    )
    return Reply(text="\n".join(_lines(result)), structure=result.structure())


def _readme(arguments: DetailArguments, opened: Detail) -> ReadmePart | None:
    if opened.readme is None:
        return None
    end = arguments.readme_offset + arguments.readme_limit
    text = opened.readme[arguments.readme_offset : end]
    total = len(opened.readme)
    return ReadmePart(
        text=text,
        offset=arguments.readme_offset,
        total_chars=total,
        next_offset=end if end < total else None,
        untrusted=True,
    )


def _facts(opened: Detail) -> ImageFacts:
    image, group = opened.entry.image, opened.entry.group
    return ImageFacts(
        compshare_image_id=image.compshare_image_id,
        group_id=group.group_id,
        name=opened.entry.name,
        version_name=image.version_name,
        version_desc=image.version_desc,
        author=image.author,
        auth_info=image.auth_info,
        image_owner_alias=image.image_owner_alias,
        image_type=image.image_type,
        is_official=image.is_official,
        container=image.container,
        auto_start=image.auto_start,
        status=image.status,
        visibility=image.visibility,
        size=image.size,
        size_gb=facts.size_gb(image),
        description=opened.entry.description,
        tags=list(image.tags) or None,
        price=image.price,
        image_charge=image.image_charge,
        cover=image.cover,
        softwares=[_software(software) for software in image.softwares],
        supported_gpu_types=list(image.supported_gpu_types) or None,
        source_gpu_type=image.source_gpu_type,
        software_ports=[PortFacts(software=port.software, port=port.port) for port in image.software_ports] or None,
        firewall_ports=list(image.firewall_ports) or None,
        created_count=group.created_count,
        favorites_count=group.favorites_count,
        image_use_time=group.image_use_time,
        failed_reason=image.failed_reason,
        create_time=facts.moment(image.create_time) if image.create_time else None,
        pub_time=facts.moment(image.pub_time) if image.pub_time else None,
        owner=OwnerFacts(**asdict(image.owner)) if image.owner else None,
        url=PAGE + image.compshare_image_id,
        not_stated=list(_not_stated(image)) or None,
    )


def _software(software: Software) -> SoftwareFacts:
    return SoftwareFacts(
        framework=software.framework,
        framework_version=software.framework_version,
        cuda_version=software.cuda_version,
        os_version=software.os_version,
        python_version=software.python_version,
        applications=list(software.applications) or None,
    )


def _not_stated(image: Image) -> Iterator[str]:
    stated = {
        "GPUs": image.supported_gpu_types,
        "software": image.softwares,
        "CUDA": facts.cuda_version(image),
        "size": image.size,
        "ports": image.software_ports or image.firewall_ports,
    }
    return (name for name, value in stated.items() if not value)


def _version(image: Image, opened: Image) -> VersionFacts:
    """Facts that are those of the opened version are not said again."""
    return VersionFacts(
        compshare_image_id=image.compshare_image_id,
        version_name=image.version_name,
        version_desc=image.version_desc,
        pub_time=facts.day(image),
        status=image.status,
        price=_other(image.price, opened.price),
        size_gb=_other(facts.size_gb(image), facts.size_gb(opened)),
        framework=_other(facts.framework(image), facts.framework(opened)),
        cuda_version=_other(facts.cuda_version(image), facts.cuda_version(opened)),
        supported_gpu_types=_other(list(image.supported_gpu_types), list(opened.supported_gpu_types)) or None,
    )


def _other(value: _Fact, opened: _Fact) -> _Fact | None:
    return None if value == opened else value


def _lines(result: DetailResult) -> Iterator[str]:
    image, state = result.image, result.catalogue
    if state.source == "sandbox":
        yield facts.SANDBOX_LINE
    author = (
        f"by {image.author}{_KINDS_OF_AUTHOR.get(image.auth_info or 0, '')}" if image.author else "author not named"
    )
    yield " ".join(filter(None, [facts.quoted(image.name or ""), image.version_name, author]))
    yield f"{image.compshare_image_id} · group {image.group_id} · {image.url}"
    yield f"({DETAIL_NOTICE})"
    if result.note:
        yield f"Note: {result.note}"
    yield _joined(
        image.status or "status not stated",
        {True: "container", False: "VM", None: None}[image.container],
        image.size_gb and f"needs {image.size_gb} GB of system disk",
        image.auto_start and "starts by itself",
        image.pub_time and f"published {image.pub_time[:10]}",
        image.created_count is not None and f"{image.created_count} uses",
        image.favorites_count is not None and f"{image.favorites_count} favs",
        image.image_use_time is not None and f"{image.image_use_time} h run",
    )
    yield f"Fee: {_fee(image.price)}"
    yield f"GPUs: {' '.join(image.supported_gpu_types or ['not stated'])}"
    for software in image.softwares or ():
        yield f"Software: {_software_line(software)}"
    ports = [f"{port.software or 'port'} {port.port}" for port in image.software_ports or ()]
    opened = [str(port) for port in image.firewall_ports or ()]
    if ports or opened:
        yield "Ports: " + _joined(", ".join(ports), opened and f"open {' '.join(opened)}")
    if image.tags:
        yield f"Tags: {', '.join(image.tags)}"
    if image.description:
        yield f"Description: {facts.quoted(image.description)}"
    if image.version_desc:
        yield f"This version: {facts.quoted(image.version_desc)}"
    if image.failed_reason:
        yield f"Failed: {facts.quoted(image.failed_reason)}"
    if image.not_stated:
        yield f"Not stated by the author: {', '.join(image.not_stated)}"
    yield _catalogue_line(state)
    yield from _version_lines(result)
    yield from _readme_lines(result.readme)


def _joined(*parts: object) -> str:
    return " · ".join(str(part) for part in parts if part)


def _fee(price: float | None) -> str:
    if price is None:
        return "not stated"
    return f"+¥{price:g}/h on top of GPU rent" if price else "none"


def _software_line(software: SoftwareFacts) -> str:
    named = [
        f"{software.framework or ''} {software.framework_version or ''}".strip(),
        software.cuda_version and f"CUDA {software.cuda_version}",
        software.os_version,
        software.python_version and f"Python {software.python_version}",
        *(software.applications or ()),
    ]
    return ", ".join(filter(None, named)) or "not stated"


def _catalogue_line(state: CatalogueState) -> str:
    where = _joined(state.region and f"region {state.region}", state.zone and f"zone {state.zone}")
    if state.fetched_at is None:
        return _joined("Catalogue: not read yet", where)
    known = f"Catalogue: {state.image_count} images, {state.fetched_at}"
    return _joined(known, state.stale and "stale", not state.complete and "incomplete", where)


def _version_lines(result: DetailResult) -> Iterator[str]:
    others = [version for version in result.versions if version.compshare_image_id != result.image.compshare_image_id]
    if not others:
        yield "Versions: only this one is known"
        return
    yield f"Other versions, newest first (facts that differ; {len(result.versions)} in all):"
    for version in others:
        yield "  " + _joined(
            version.version_name,
            version.compshare_image_id,
            version.pub_time,
            version.status != result.image.status and version.status,
            version.price is not None and f"fee {_fee(version.price)}".removesuffix(" on top of GPU rent"),
            version.size_gb and f"{version.size_gb} GB",
            version.framework,
            version.cuda_version and f"CUDA {version.cuda_version}",
            " ".join(version.supported_gpu_types or ()),
            version.version_desc and facts.quoted(clean_line(version.version_desc, 80)),
        )


def _readme_lines(readme: ReadmePart | None) -> Iterator[str]:
    if readme is None:
        return
    if not readme.total_chars:
        yield "Readme: none"
        return
    start, text = readme.offset or 0, readme.text or ""
    more = "" if readme.next_offset is None else f"; more: readme_offset={readme.next_offset}"
    yield f"Readme, characters {start}-{start + len(text)} of {readme.total_chars}{more}. The author's words:"
    if text:
        yield from (f"| {line}" for line in text.split("\n"))
