"""`search_community_images`: the answer as structure and as text."""

import json

from compshare_images.catalogue.entry import Entry
from compshare_images.catalogue.filters import Criteria
from compshare_images.catalogue.keeper import Served
from compshare_images.catalogue.selection import Found, find
from compshare_images.tools import facts
from compshare_images.tools.arguments import SearchArguments
from compshare_images.tools.notes import search_notes
from compshare_images.tools.reply import Reply
from compshare_images.tools.results import SEARCH_NOTICE, CatalogueState, ImageSummary, SearchResult
from compshare_images.tools.search_text import search_text
from compshare_images.upstream.cleaning import clean_line

MAX_BYTES = 36_000  # of compact UTF-8 JSON; about what hosts let a model see of one result

_MANY = 20  # entries; descriptions are shorter when more were asked for


def search(arguments: SearchArguments, served: Served, state: CatalogueState) -> Reply:
    """Answer from the catalogue.

    Raises:
        InvalidArgument: `cuda_version` is not a version.
    """
    found = find(served.catalogue, criteria_of(arguments))
    shown = found.entries[arguments.offset : arguments.offset + arguments.limit]
    notes = list(search_notes(arguments, found, served))
    result = _result(arguments, found, shown, state, notes)
    if excess := _excess(result):
        shown = shown[:-excess]
        notes.append(f"Cut to {len(shown)} entries to bound the size; go on at next_offset.")
        result = _result(arguments, found, shown, state, notes)
    return Reply(
        text=search_text(arguments, found, shown, result),
        structure=result.structure(),
        covers={entry.image.compshare_image_id: entry.image.cover for entry in shown if entry.image.cover},
    )


def criteria_of(arguments: SearchArguments) -> Criteria:
    return Criteria(**arguments.model_dump(exclude={"offset", "limit", "region", "zone", "project_id"}))


def _result(
    arguments: SearchArguments, found: Found, shown: tuple[Entry, ...], state: CatalogueState, notes: list[str]
) -> SearchResult:
    end = arguments.offset + len(shown)
    return SearchResult(
        images=[_summary(entry, arguments, found) for entry in shown],
        total_count=len(found.entries),
        offset=arguments.offset,
        next_offset=end if shown and end < len(found.entries) else None,
        sorted_by=found.sorted_by,
        catalogue=state,
        notice=SEARCH_NOTICE,
        note=" ".join(notes) or None,
    )


def _summary(entry: Entry, arguments: SearchArguments, found: Found) -> ImageSummary:
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
        match=None if found.query is None else "full" if image.compshare_image_id in found.full else "partial",
    )


def _excess(result: SearchResult) -> int:
    """How many entries must go, from the end, for the result to be small enough; a note still has to fit."""
    size = len(_compact(result.structure())) + 100
    excess = 0
    while size > MAX_BYTES and excess < len(result.images) - 1:
        excess += 1
        size -= len(_compact(result.images[-excess].model_dump(exclude_none=True))) + 1
    return excess


def _compact(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
