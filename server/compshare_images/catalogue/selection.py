"""Which entries a search finds, in which order, and what it left out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from compshare_images.catalogue.catalogue import Catalogue, image_id_of
from compshare_images.catalogue.correction import corrected
from compshare_images.catalogue.entry import Entry
from compshare_images.catalogue.filters import Criteria, Filter, filters_of
from compshare_images.catalogue.index import Index
from compshare_images.catalogue.query import Query, read_query
from compshare_images.catalogue.ranking import rank

_SORT_VALUES: dict[str, Callable[[Entry], float | None]] = {
    "Favor": lambda entry: entry.group.favorites_count,
    "PubTime": lambda entry: entry.image.pub_time,
    "Price": lambda entry: entry.image.price,
    "CreatedCount": lambda entry: entry.group.created_count,
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """`left_out` counts, by argument, the groups that fail it only because they do not state the fact.

    `full` holds the ids of the entries that match the query fully. `matching` are the versions of each group that
    matches it, whatever the filters say of them.
    """

    entries: tuple[Entry, ...]
    sorted_by: str
    filters: tuple[Filter, ...]
    left_out: dict[str, int]
    query: Query | None = None
    full: frozenset[str] = frozenset()
    matching: Sequence[Sequence[Entry]] = ()


def find(catalogue: Catalogue, criteria: Criteria) -> Found:
    """Answer a search from the catalogue alone.

    Raises:
        InvalidArgument: `cuda_version` is not a version.
    """
    filters = filters_of(criteria)
    groups = catalogue.entries
    if criteria.compshare_image_id is not None:
        groups = _named(catalogue, image_id_of(criteria.compshare_image_id))
    if criteria.query is not None:
        index = catalogue.index if groups is catalogue.entries else Index(groups)
        return _searched(index, groups, read_query(criteria.query), criteria, filters)
    entries, left_out = _filtered(groups, filters)
    field = criteria.sort_field or "PubTime"
    order, sorted_by = _order(field, ascending=criteria.sort_asc)
    return Found(entries=tuple(sorted(entries, key=order)), sorted_by=sorted_by, filters=filters, left_out=left_out)


def _searched(
    index: Index, groups: Sequence[Sequence[Entry]], query: Query, criteria: Criteria, filters: tuple[Filter, ...]
) -> Found:
    query = corrected(query, index)
    ranked = rank(index, query)
    matching = [groups[place] for place in sorted({index.groups[document] for document in ranked.scores})]
    shown, left_out = _filtered(matching, filters)
    found = [(entry, index.document_of[entry.image.compshare_image_id]) for entry in shown]
    found = [(entry, document) for entry, document in found if document in ranked.scores]
    if criteria.sort_field is None:
        rows = [
            (document not in ranked.full, -ranked.scores[document], *_ties(entry), place)
            for place, (entry, document) in enumerate(found)
        ]
        found = [found[place] for *_, place in sorted(rows)]
        sorted_by = "relevance"
    else:
        found = [one for one in found if one[1] in ranked.full] or found
        order, sorted_by = _order(criteria.sort_field, ascending=criteria.sort_asc)
        found.sort(key=lambda one: order(one[0]))
    return Found(
        entries=tuple(entry for entry, _ in found),
        sorted_by=sorted_by,
        filters=filters,
        left_out=left_out,
        query=query,
        full=frozenset(entry.image.compshare_image_id for entry, document in found if document in ranked.full),
        matching=matching,
    )


def _named(catalogue: Catalogue, image_id: str) -> Sequence[Sequence[Entry]]:
    """The versions that may stand for one image, newest first."""
    if image_id in catalogue.entries_by_id:
        return [[catalogue.entries_by_id[image_id]]]
    if image_id in catalogue.groups_by_id:
        group = catalogue.groups_by_id[image_id]
        return [[Entry(group, image) for image in group.available]]
    return []


def _filtered(groups: Iterable[Sequence[Entry]], filters: tuple[Filter, ...]) -> tuple[list[Entry], dict[str, int]]:
    """The newest version of each group that passes, and how many groups do not say whether they would."""
    if not filters:
        return [versions[0] for versions in groups if versions], {}
    entries: list[Entry] = []
    left_out = {chosen.argument: 0 for chosen in filters}
    for versions in groups:
        entry = next((entry for entry in versions if all(chosen.passes(entry) for chosen in filters)), None)
        if entry:
            entries.append(entry)
            continue
        for argument in _unstated(versions, filters):
            left_out[argument] += 1
    return entries, left_out


def _unstated(candidates: Sequence[Entry], filters: tuple[Filter, ...]) -> list[str]:
    """The arguments that alone keep a group out, because none of its versions states the fact."""
    silent = [chosen for chosen in filters if not any(list(chosen.stated(entry)) for entry in candidates)]
    rest = [chosen for chosen in filters if chosen not in silent]
    if any(all(chosen.passes(entry) for chosen in rest) for entry in candidates):
        return [chosen.argument for chosen in silent]
    return []


def _order(field: str, *, ascending: bool | None) -> tuple[Callable[[Entry], tuple[object, ...]], str]:
    ascending = field == "Price" if ascending is None else ascending
    value_of = _SORT_VALUES[field]

    def key(entry: Entry) -> tuple[object, ...]:
        value = value_of(entry)
        if value is None:
            return 1, 0, *_ties(entry)
        return 0, value if ascending else -value, *_ties(entry)

    return key, f"{field} {'asc' if ascending else 'desc'}"


def _ties(entry: Entry) -> tuple[int, str]:
    return -(entry.group.created_count or 0), entry.image.compshare_image_id
