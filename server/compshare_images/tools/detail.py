"""`get_image_detail`: the answer as structure and as text."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TypeVar

from compshare_images.catalogue.opening import Detail
from compshare_images.tools import facts
from compshare_images.tools.arguments import DetailArguments
from compshare_images.tools.detail_text import detail_text
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

MOST_VERSIONS = 50
PAGE = "https://www.compshare.cn/images/"


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
    if state.fetched_at is None:
        notes.append("Other versions may exist: they are known once the catalogue has been read, as any search does.")
    versions = opened.entry.group.images
    if len(versions) > MOST_VERSIONS:
        notes.append(f"{MOST_VERSIONS} of {len(versions)} versions are listed.")
    result = DetailResult(
        image=_facts(opened),
        versions=[_version(image, opened.entry.image) for image in _bounded(versions, opened.entry.image)],
        readme=readme,
        catalogue=state,
        notice=DETAIL_NOTICE,
        note=" ".join(notes) or None,
    )
    return Reply(text=detail_text(result), structure=result.structure())


def _bounded(versions: tuple[Image, ...], opened: Image) -> tuple[Image, ...]:
    newest = versions[:MOST_VERSIONS]
    return newest if opened in newest else (*newest[:-1], opened)


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
        version_desc=image.version_desc and clean_line(image.version_desc, 80),
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
