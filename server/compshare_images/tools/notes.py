"""What an answer says beside its images: what was left out, and what would have matched."""

from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from operator import itemgetter

from compshare_images.catalogue.catalogue import Catalogue, image_id_of
from compshare_images.catalogue.entry import Entry
from compshare_images.catalogue.filters import Filter
from compshare_images.catalogue.keeper import Served
from compshare_images.catalogue.nearness import tag_is_near
from compshare_images.catalogue.query import Query
from compshare_images.catalogue.selection import Found
from compshare_images.language.text import spaceless
from compshare_images.tools import facts
from compshare_images.tools.arguments import SearchArguments
from compshare_images.upstream.cleaning import clean_line

_SUGGESTED = 5
_FEW = 3  # entries; with fewer, something else is offered
_CARDS_SHOWN = 60
_ALIKE = 0.6  # of SequenceMatcher's ratio


def search_notes(arguments: SearchArguments, found: Found, served: Served) -> Iterator[str]:
    catalogue = served.catalogue
    if not catalogue.complete:
        yield (
            f"The catalogue is incomplete ({len(catalogue.groups)} images); ask again in a few seconds before saying "
            "that something does not exist."
        )
    elif served.stale:
        yield "The catalogue is old, and what it says may have changed."
    if arguments.sort_asc is not None and found.sorted_by == "relevance":
        yield "sort_asc does not apply to relevance; give sort_field."
    if arguments.offset and arguments.offset >= len(found.entries) and found.entries:
        yield f"offset {arguments.offset} is past the end of {len(found.entries)}."
    if found.query and not found.query.parts and found.query.wishes:
        yield "Cards, memory and 'free' in a query only rank; to exclude the rest use gpu_type or max_price=0."
    if not found.entries:
        yield from _why_nothing(arguments, found, catalogue)
    elif found.query and len(found.entries) < _FEW:
        yield from _what_would_match(found, found.query, catalogue)
    silent = [f"{argument} {count}" for argument, count in found.left_out.items() if count]
    if silent:
        yield f"Left out because their authors do not state it: {', '.join(silent)}."


def _why_nothing(arguments: SearchArguments, found: Found, catalogue: Catalogue) -> Iterator[str]:
    wanted = arguments.compshare_image_id
    if wanted:
        yield from _about_id(image_id_of(wanted), found, catalogue)
    everything = catalogue.entries
    alone: list[str] = []
    for chosen in found.filters:
        count = sum(any(map(chosen.passes, entries)) for entries in everything)
        if count:
            alone.append(f"{chosen.argument} {count}")
        else:
            yield _nobody_has(chosen, everything)
    if found.query is not None and not found.query.says_something:
        yield "The query has no word to search by; name a purpose or a product."
    elif found.query is not None:
        if not found.matching:
            yield "Nothing here matches the query."
        yield from _what_would_match(found, found.query, catalogue)
    if len(alone) > 1:
        yield f"Each filter alone matches: {', '.join(alone)}."


def _what_would_match(found: Found, query: Query, catalogue: Catalogue) -> Iterator[str]:
    """The filter that keeps most of the query's matches out, else the tags nearest to what was asked."""
    kept_out = [
        (sum(not any(map(chosen.passes, versions)) for versions in found.matching), chosen) for chosen in found.filters
    ]
    most, chosen = max(kept_out, key=itemgetter(0), default=(0, None))
    if chosen and most:
        yield f"{chosen.argument} keeps out {most} of {len(found.matching)} that match the query."
        return
    counts = tag_counts(_newest(catalogue.entries))
    near = [(tag, count) for tag, count in counts.most_common() if tag_is_near(tag, query)]
    if near:
        yield f"Nearest tags: {_with_counts(near[:_SUGGESTED])}."
    elif counts:
        yield f"Commonest tags: {_with_counts(counts.most_common(_SUGGESTED))}."


def _about_id(wanted: str, found: Found, catalogue: Catalogue) -> Iterator[str]:
    entry = catalogue.stands_for(wanted)
    if entry is None:
        near = catalogue.nearest_ids(wanted)
        hint = f" Known ids that differ little: {', '.join(near)}." if near else ""
        yield f"This catalogue has no such compshare_image_id.{hint} get_image_detail asks the service itself."
    elif wanted not in catalogue.entries_by_id and not catalogue.groups_by_id[wanted].available:
        yield "That image has no available version."
    elif failed := [chosen.argument for chosen in found.filters if not chosen.passes(entry)]:
        yield f"That image is known, but does not pass {', '.join(failed)}."


def _nobody_has(chosen: Filter, everything: Iterable[Iterable[Entry]]) -> str:
    counts = _counts(chosen, everything)
    if chosen.argument == "gpu_type":
        cards = _with_counts(counts.most_common(_CARDS_SHOWN)) or "none listed"
        return f"No image lists gpu_type {_echo(chosen.value)}. Cards: {cards}."
    near = [(value, counts[value]) for value in _nearest(chosen, counts)]
    if near:
        return f"No image has {chosen.argument} {_echo(chosen.value)}. Nearest: {_with_counts(near)}."
    common = _with_counts(counts.most_common(_SUGGESTED)) or "none stated"
    return f"No image has {chosen.argument} {_echo(chosen.value)}. Commonest: {common}."


def _counts(chosen: Filter, everything: Iterable[Iterable[Entry]]) -> Counter[str]:
    """How many groups state each value."""
    return _counted([value for entry in entries for value in chosen.stated(entry)] for entries in everything)


def _nearest(chosen: Filter, values: Iterable[str]) -> list[str]:
    """Of fees, when none is low enough, the lowest; of other values those that are spelt alike."""
    if chosen.argument == "max_price":
        return sorted(values, key=float)[:_SUGGESTED]
    alike = sorted((-_likeness(chosen.value, value), value) for value in values)
    return [value for likeness, value in alike[:_SUGGESTED] if -likeness >= _ALIKE]


def _likeness(one: str, other: str) -> float:
    one, other = spaceless(one), spaceless(other)
    return 1.0 if one in other or other in one else SequenceMatcher(None, one, other).ratio()


def _newest(everything: Iterable[Iterable[Entry]]) -> list[Entry]:
    return [entry for versions in everything for entry in list(versions)[:1]]


def tag_counts(entries: Iterable[Entry]) -> Counter[str]:
    return _counted(entry.image.tags for entry in entries)


def _counted(rows: Iterable[Iterable[str]]) -> Counter[str]:
    """In how many rows each value stands. Spellings that count as one value are one: the first that is met."""
    counts: Counter[str] = Counter()
    spelling: dict[str, str] = {}
    for values in rows:
        counts.update(dict.fromkeys(spelling.setdefault(spaceless(value), value) for value in values).keys())
    return counts


def _with_counts(values: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{facts.word(clean_line(value, 40))} ({count})" for value, count in values)


def _echo(value: str) -> str:
    return facts.quoted(clean_line(value, 40))
