"""The text form of `get_image_detail`."""

from collections.abc import Iterable, Iterator

from compshare_images.tools import facts
from compshare_images.tools.results import DetailResult, ImageFacts, ReadmePart, SoftwareFacts

_KINDS_OF_AUTHOR = {1: " (official)", 2: " (verified)"}


def detail_text(result: DetailResult) -> str:
    return "\n".join([
        *_identity(result),
        *_offer(result.image),
        *_contents(result.image),
        *_words_of_the_author(result.image),
        f"From: {facts.state_line(result.catalogue)}",
        *_other_versions(result),
        *_readme(result.readme),
    ])  # fmt: skip


def _identity(result: DetailResult) -> Iterator[str]:
    image = result.image
    if result.catalogue.source == "sandbox":
        yield facts.SANDBOX_LINE
    author = image.author and f"by {facts.word(image.author)}{_KINDS_OF_AUTHOR.get(image.auth_info or 0, '')}"
    version = image.version_name and facts.word(image.version_name)
    yield " ".join(filter(None, [facts.quoted(image.name or ""), version, author or "author not named"]))
    yield f"{image.compshare_image_id} · group {image.group_id} · {image.url}"
    yield f"({result.notice})"
    if result.note:
        yield f"Note: {result.note}"


def _offer(image: ImageFacts) -> Iterator[str]:
    yield _joined(
        facts.word(image.status) if image.status else "status not stated",
        {True: "container", False: "VM", None: None}[image.container],
        image.visibility == 0 and "private",
        image.size_gb and f"needs {image.size_gb} GB of system disk",
        image.auto_start and "starts by itself",
        image.pub_time and f"published {image.pub_time[:10]}",
        image.created_count is not None and f"{image.created_count} uses",
        image.favorites_count is not None and f"{image.favorites_count} favs",
        image.image_use_time is not None and f"{image.image_use_time} h run",
    )
    yield f"Fee: {_fee(image.price)}"
    yield f"GPUs: {_words(image.supported_gpu_types, ' ') or 'not stated'}"
    if image.not_stated:
        yield f"Not stated by the author: {', '.join(image.not_stated)}"


def _contents(image: ImageFacts) -> Iterator[str]:
    for software in image.softwares or ():
        yield f"Software: {_software_line(software)}"
    ports = [f"{facts.word(port.software or 'port')} {port.port}" for port in image.software_ports or ()]
    opened = [str(port) for port in image.firewall_ports or ()]
    if ports or opened:
        yield "Ports: " + _joined(", ".join(ports), opened and f"open {' '.join(opened)}")
    if image.source_gpu_type:
        yield f"Made on: {facts.word(image.source_gpu_type)}"


def _words_of_the_author(image: ImageFacts) -> Iterator[str]:
    if image.tags:
        yield f"Tags: {_words(image.tags)}"
    if image.owner:
        yield f"Owner: {_words([image.owner.account_name, image.owner.account_id], ' ')}"
    texts = {
        "Description": image.description,
        "This version": image.version_desc,
        "Failed": image.failed_reason,
    }
    yield from (f"{name}: {facts.quoted(text)}" for name, text in texts.items() if text)


def _joined(*parts: object) -> str:
    return " · ".join(str(part) for part in parts if part)


def _words(texts: Iterable[str | None] | None, between: str = ", ") -> str:
    return between.join(facts.word(text) for text in texts or () if text)


def _fee(price: float | None) -> str:
    if price is None:
        return "not stated"
    return f"{facts.fee(price)} on top of GPU rent" if price else "none"


def _software_line(software: SoftwareFacts) -> str:
    parts = [
        _words([software.framework, software.framework_version], " "),
        software.cuda_version and f"CUDA {facts.word(software.cuda_version)}",
        _words([software.os_version]),
        software.python_version and f"Python {facts.word(software.python_version)}",
        _words(software.applications),
    ]
    return ", ".join(filter(None, parts))


def _other_versions(result: DetailResult) -> Iterator[str]:
    others = [version for version in result.versions if version.compshare_image_id != result.image.compshare_image_id]
    if not others:
        yield "Other versions: none known"
        return
    yield "Other versions, newest first, with what differs:"
    for version in others:
        yield "  " + _joined(
            version.version_name and facts.word(version.version_name),
            version.compshare_image_id,
            version.pub_time,
            version.status and version.status != result.image.status and facts.word(version.status),
            version.price is not None and f"fee {_fee(version.price)}".removesuffix(" on top of GPU rent"),
            version.size_gb and f"{version.size_gb} GB",
            version.framework and facts.word(version.framework),
            version.cuda_version and f"CUDA {facts.word(version.cuda_version)}",
            _words(version.supported_gpu_types, " "),
            version.version_desc and facts.quoted(version.version_desc),
        )


def _readme(readme: ReadmePart | None) -> Iterator[str]:
    if readme is None:
        return
    if not readme.total_chars:
        yield "Readme: none"
        return
    start, text = readme.offset or 0, readme.text or ""
    if not text:
        yield f"Readme: {readme.total_chars} characters, none of them asked for"
        return
    more = "" if readme.next_offset is None else f"; more: readme_offset={readme.next_offset}"
    yield f"Readme, characters {start}-{start + len(text)} of {readme.total_chars}{more}. The author's words:"
    yield from (f"| {line}" for line in text.split("\n"))
