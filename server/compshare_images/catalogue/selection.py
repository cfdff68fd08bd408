"""Which entries a search finds, in which order, and what it left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from compshare_images.catalogue.catalogue import Catalogue, Entry, image_id_of
from compshare_images.catalogue.filters import Criteria, Filter, filters_of
from compshare_images.catalogue.query import Query, matches, read_query, wishes_met

_SORT_VALUES: dict[str, Callable[[Entry], float | None]] = {
    "Favor": lambda entry: entry.group.favorites_count,
    "PubTime": lambda entry: entry.image.pub_time,
    "Price": lambda entry: entry.image.price,
    "CreatedCount": lambda entry: entry.group.created_count,
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """`left_out` counts, by argument, the groups that fail it only because they do not state the fact."""

    entries: tuple[Entry, ...]
    sorted_by: str
    filters: tuple[Filter, ...]
    left_out: dict[str, int]
    query: Query | None


def find(catalogue: Catalogue, criteria: Criteria) -> Found:
    """Answer a search from the catalogue alone.

    Raises:
        InvalidArgument: `cuda_version` is not a version.
    """
    filters = filters_of(criteria)
    query = read_query(criteria.query) if criteria.query is not None else None
    entries: list[Entry] = []
    left_out = {chosen.argument: 0 for chosen in filters}
    for candidates in _candidates(catalogue, criteria.compshare_image_id):
        entry = next((entry for entry in candidates if all(chosen.passes(entry) for chosen in filters)), None)
        if entry:
            if query is None or matches(entry, query):
                entries.append(entry)
        elif query is None or any(matches(candidate, query) for candidate in candidates):
            for argument in _unstated(candidates, filters):
                left_out[argument] += 1
    order, sorted_by = _order(criteria, query)
    return Found(
        entries=tuple(sorted(entries, key=order)), sorted_by=sorted_by, filters=filters, left_out=left_out, query=query
    )


def _candidates(catalogue: Catalogue, wanted: str | None) -> Iterator[Sequence[Entry]]:
    """The versions that may stand for each group, newest first."""
    if wanted is None:
        yield from catalogue.entries
        return
    image_id = image_id_of(wanted)
    if image_id in catalogue.entries_by_id:
        yield [catalogue.entries_by_id[image_id]]
    elif image_id in catalogue.groups_by_id:
        group = catalogue.groups_by_id[image_id]
        yield [Entry(group, image) for image in group.available]


def _unstated(candidates: Sequence[Entry], filters: tuple[Filter, ...]) -> list[str]:
    """The arguments that alone keep a group out, because none of its versions states the fact."""
    silent = [chosen for chosen in filters if not any(list(chosen.stated(entry)) for entry in candidates)]
    rest = [chosen for chosen in filters if chosen not in silent]
    if any(all(chosen.passes(entry) for chosen in rest) for entry in candidates):
        return [chosen.argument for chosen in silent]
    return []


def _order(criteria: Criteria, query: Query | None) -> tuple[Callable[[Entry], tuple[object, ...]], str]:
    if query is not None and criteria.sort_field is None:
        return lambda entry: (*_relevance(entry, query), *_ties(entry)), "relevance"
    field = criteria.sort_field or "PubTime"
    ascending = field == "Price" if criteria.sort_asc is None else criteria.sort_asc
    value_of = _SORT_VALUES[field]

    def key(entry: Entry) -> tuple[object, ...]:
        value = value_of(entry)
        if value is None:
            return 1, 0, *_ties(entry)
        return 0, value if ascending else -value, *_ties(entry)

    return key, f"{field} {'asc' if ascending else 'desc'}"


def _relevance(entry: Entry, query: Query) -> tuple[int, int]:
    return -wishes_met(entry, query), -sum(map(entry.words.name_holds, query.words))


def _ties(entry: Entry) -> tuple[int, str]:
    return -(entry.group.created_count or 0), entry.image.compshare_image_id
