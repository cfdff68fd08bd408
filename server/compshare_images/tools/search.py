"""`search_community_images`: the answer as structure and as text."""

import json

from compshare_images.catalogue.catalogue import Entry
from compshare_images.catalogue.filters import Criteria
from compshare_images.catalogue.keeper import Served
from compshare_images.catalogue.search import Found, find
from compshare_images.tools import facts
from compshare_images.tools.arguments import SearchArguments
from compshare_images.tools.notes import search_notes, tag_counts
from compshare_images.tools.reply import Reply
from compshare_images.tools.results import SEARCH_NOTICE, CatalogueState, ImageSummary, SearchResult
from compshare_images.upstream.cleaning import clean_line

MAX_BYTES = 36_000  # of compact UTF-8 JSON; about what hosts let a model see of one result

_FEW = 10  # entries; the text describes each when there are no more
_MANY = 20  # entries; descriptions are shorter when more were asked for
_TAGS_SHOWN = 5
_ARGUMENTS_SHOWN = (
    "query", "name", "author", "tag", "gpu_type", "max_price", "framework", "cuda_version", "compshare_image_id"
)  # fmt: skip


def search(arguments: SearchArguments, served: Served, state: CatalogueState) -> Reply:
    """Answer from the catalogue.

    Raises:
        InvalidArgument: `cuda_version` is not a version.
    """
    found = find(served.catalogue, _criteria(arguments))
    shown = found.entries[arguments.offset : arguments.offset + arguments.limit]
    notes = list(search_notes(arguments, found, served))
    result = _result(arguments, found, shown, state, notes)
    if excess := _excess(result):
        shown = shown[:-excess]
        notes.append(f"Cut to {len(shown)} entries to bound the size; go on at next_offset.")
        result = _result(arguments, found, shown, state, notes)
    return Reply(
        text=_text(arguments, found, shown, result),
        structure=result.structure(),
        covers={entry.image.compshare_image_id: entry.image.cover for entry in shown if entry.image.cover},
    )


def _criteria(arguments: SearchArguments) -> Criteria:
    chosen = arguments.model_dump(include=set(_ARGUMENTS_SHOWN) | {"sort_field", "sort_asc"})
    return Criteria(**chosen)


def _result(
    arguments: SearchArguments, found: Found, shown: tuple[Entry, ...], state: CatalogueState, notes: list[str]
) -> SearchResult:
    end = arguments.offset + len(shown)
    return SearchResult(
        images=[_summary(entry, arguments) for entry in shown],
        total_count=len(found.entries),
        offset=arguments.offset,
        next_offset=end if shown and end < len(found.entries) else None,
        sorted_by=found.sorted_by,
        catalogue=state,
        notice=SEARCH_NOTICE,
        note=" ".join(notes) or None,
    )


def _summary(entry: Entry, arguments: SearchArguments) -> ImageSummary:
    image, group = entry.image, entry.group
    description = entry.description
    return ImageSummary(
        compshare_image_id=image.compshare_image_id,
        name=entry.name,
        version_name=image.version_name,
        author=image.author,
        status=None if image.available else image.status,
        price=image.price,
        tags=list(image.tags) or None,
        supported_gpu_types=list(image.supported_gpu_types) or None,
        created_count=group.created_count,
        favorites_count=group.favorites_count,
        pub_time=facts.day(image),
        size_gb=facts.size_gb(image),
        container=False if image.container is False else None,
        auto_start=image.auto_start or None,
        framework=facts.framework(image),
        cuda_version=facts.cuda_version(image),
        description=description and clean_line(description, 60 if arguments.limit > _MANY else 120),
        version_count=None if entry.version_count == 1 else entry.version_count,
        match=None if arguments.query is None else "full",
    )


def _excess(result: SearchResult) -> int:
    """How many entries must go, from the end, for the result to be small enough; a note still has to fit."""
    size = len(_compact(result.structure())) + 100
    excess = 0
    while size > MAX_BYTES and excess < len(result.images):
        excess += 1
        size -= len(_compact(result.images[-excess].model_dump(exclude_none=True))) + 1
    return excess


def _compact(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _text(arguments: SearchArguments, found: Found, shown: tuple[Entry, ...], result: SearchResult) -> str:
    state = result.catalogue
    lines = [facts.SANDBOX_LINE] if state.source == "sandbox" else []
    lines.append(_first_line(arguments, result))
    lines.append(f"({SEARCH_NOTICE})")
    if result.note:
        lines.append(f"Note: {result.note}")
    for number, entry in enumerate(shown, arguments.offset + 1):
        lines += _entry_lines(number, entry, arguments, described=len(shown) <= _FEW)
    last = [] if result.next_offset is None else [f"More: offset={result.next_offset}"]
    tags = tag_counts(found.entries).most_common(_TAGS_SHOWN)
    if tags and len(found.entries) > 1:
        last.append("tags: " + ", ".join(f"{tag} {count}" for tag, count in tags))
    return "\n".join([*lines, *([" · ".join(last)] if last else [])])


def _first_line(arguments: SearchArguments, result: SearchResult) -> str:
    state = result.catalogue
    given = arguments.model_dump(include=set(_ARGUMENTS_SHOWN), exclude_none=True)
    asked = [f"{name}={clean_line(str(given[name]), 60)}" for name in _ARGUMENTS_SHOWN if name in given]
    of = f"{len(result.images)} of {result.total_count} images"
    parts = [of, *asked, f"by {result.sorted_by}", f"catalogue of {state.image_count}, {state.fetched_at}"]
    if state.region or state.zone:
        parts.append(f"in {state.region or 'the default region'} {state.zone or ''}".rstrip())
    if state.stale:
        parts.append("stale")
    if not state.complete:
        parts.append("incomplete")
    return " · ".join(parts)


def _entry_lines(number: int, entry: Entry, arguments: SearchArguments, *, described: bool) -> list[str]:
    image, group = entry.image, entry.group
    title = [
        f"{number}. {facts.quoted(entry.name)}",
        image.version_name,
        f"by {image.author}" if image.author else None,
    ]
    lines = [" ".join(filter(None, title)), f"  {image.compshare_image_id}"]
    details = [
        None if group.created_count is None else f"{group.created_count} uses",
        None if group.favorites_count is None else f"{group.favorites_count} favs",
        facts.day(image),
        " ".join(image.supported_gpu_types) or "GPUs not stated",
        "fee not stated" if image.price is None else f"+¥{image.price:g}/h" if image.price else None,
        "VM" if image.container is False else None,
        None if image.available else f"status {image.status}",
        _software(entry) if arguments.framework or arguments.cuda_version else None,
    ]
    lines[-1] += " · " + " · ".join(filter(None, details))
    if described and entry.description:
        lines.append(f"  {facts.quoted(clean_line(entry.description, 120))}")
    return lines


def _software(entry: Entry) -> str | None:
    cuda = facts.cuda_version(entry.image)
    return ", ".join(filter(None, [facts.framework(entry.image), cuda and f"CUDA {cuda}"])) or None
