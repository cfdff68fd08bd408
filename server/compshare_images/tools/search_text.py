"""The text form of `search_community_images`."""

from compshare_images.catalogue.entry import Entry
from compshare_images.catalogue.selection import Found
from compshare_images.tools import facts
from compshare_images.tools.arguments import SearchArguments
from compshare_images.tools.notes import tag_counts
from compshare_images.tools.results import SearchResult
from compshare_images.upstream.cleaning import clean_line

_FEW = 10  # entries; each is described when there are no more
_TAGS_SHOWN = 5
_ARGUMENTS_SHOWN = (
    "query", "name", "author", "tag", "gpu_type", "max_price", "framework", "cuda_version", "compshare_image_id"
)  # fmt: skip


def search_text(arguments: SearchArguments, found: Found, shown: tuple[Entry, ...], result: SearchResult) -> str:
    state = result.catalogue
    lines = [facts.SANDBOX_LINE] if state.source == "sandbox" else []
    lines.append(_first_line(arguments, result))
    lines.append(f"({result.notice})")
    if result.note:
        lines.append(f"Note: {result.note}")
    strong = True
    for number, entry in enumerate(shown, arguments.offset + 1):
        if strong and found.query is not None and entry.image.compshare_image_id not in found.full:
            lines.append("-- weaker: match part of the query --")
            strong = False
        lines += _entry_lines(number, entry, arguments, described=len(shown) <= _FEW)
    last = [] if result.next_offset is None else [f"More: offset={result.next_offset}"]
    tags = tag_counts(found.entries).most_common(_TAGS_SHOWN)
    if tags and len(found.entries) > 1:
        last.append("tags: " + ", ".join(f"{facts.word(tag)} {count}" for tag, count in tags))
    return "\n".join([*lines, *([" · ".join(last)] if last else [])])


def _first_line(arguments: SearchArguments, result: SearchResult) -> str:
    given = arguments.model_dump(include=set(_ARGUMENTS_SHOWN), exclude_none=True)
    asked = [f"{name}={_shown(given[name])}" for name in _ARGUMENTS_SHOWN if name in given]
    of = f"{len(result.images)} of {result.total_count} images"
    return " · ".join([of, *asked, f"by {result.sorted_by}", facts.state_line(result.catalogue)])


def _shown(value: str | float) -> str:
    return clean_line(value, 60) if isinstance(value, str) else f"{value:g}"


def _entry_lines(number: int, entry: Entry, arguments: SearchArguments, *, described: bool) -> list[str]:
    image, group = entry.image, entry.group
    title = [
        f"{number}. {facts.quoted(entry.name)}",
        image.version_name and facts.word(image.version_name),
        image.author and f"by {facts.word(image.author)}",
    ]
    details = [
        image.compshare_image_id,
        None if group.created_count is None else f"{group.created_count} uses",
        None if group.favorites_count is None else f"{group.favorites_count} favs",
        facts.day(image),
        " ".join(map(facts.word, image.supported_gpu_types)) or "GPUs not stated",
        "fee not stated" if image.price is None else facts.fee(image.price) if image.price else None,
        "VM" if image.container is False else None,
        None if image.available else f"status {facts.word(image.status or '')}",
        _software(entry) if arguments.framework or arguments.cuda_version else None,
    ]
    lines = [" ".join(filter(None, title)), "  " + " · ".join(filter(None, details))]
    if described and entry.description:
        lines.append(f"  {facts.quoted(clean_line(entry.description, 120))}")
    return lines


def _software(entry: Entry) -> str | None:
    framework, cuda = facts.framework(entry.image), facts.cuda_version(entry.image)
    return ", ".join(filter(None, [framework and facts.word(framework), cuda and f"CUDA {facts.word(cuda)}"])) or None
