"""A catalogue: what one scan of one place found, in memory and never changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from compshare_images.catalogue.entry import Entry
from compshare_images.catalogue.index import Index
from compshare_images.language.text import distance
from compshare_images.place import Place
from compshare_images.upstream.wire import Group, Image, Page

_SLIP = 2
_NEAREST = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalogue:
    """`fetched_at` is in Unix seconds. `complete` says that the scan read to the end of the service's list."""

    place: Place
    fetched_at: float
    complete: bool = True
    dropped: int = 0
    all_groups: tuple[Group, ...] = ()

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Those with an available version: what can be searched."""
        return tuple(group for group in self.all_groups if group.available)

    @cached_property
    def entries(self) -> tuple[tuple[Entry, ...], ...]:
        """The available versions of each of those groups, newest first."""
        return tuple(tuple(Entry(group, image) for image in group.available) for group in self.groups)

    @cached_property
    def index(self) -> Index:
        """Made when it is first needed, in about a fifth of a second for a thousand groups."""
        return Index(self.entries)

    @cached_property
    def entries_by_id(self) -> Mapping[str, Entry]:
        """Every known version, whatever its status."""
        return {image.compshare_image_id: Entry(group, image) for group in self.all_groups for image in group.images}

    @cached_property
    def groups_by_id(self) -> Mapping[str, Group]:
        """Every known group, searchable or not."""
        return {group.group_id: group for group in self.all_groups}

    def stands_for(self, wanted: str) -> Entry | None:
        """The version of that id, else the newest available version of the group of that id."""
        if wanted in self.entries_by_id:
            return self.entries_by_id[wanted]
        group = self.groups_by_id.get(wanted)
        if group is None or not group.images:
            return None
        return Entry(group, (group.available or group.images)[0])

    def nearest_ids(self, wanted: str) -> list[str]:
        """Known ids of versions and groups that are a slip of the pen away: up to five within two edits."""
        ids = dict.fromkeys([*self.entries_by_id, *self.groups_by_id])
        apart = sorted((distance(wanted, known, _SLIP), known) for known in ids)
        return [known for edits, known in apart if 0 < edits <= _SLIP][:_NEAREST]

    def without_image(self, image_id: str) -> "Catalogue":
        """The rest, as a catalogue of its own: a second older, for pages of the two do not belong together."""
        entry = self.entries_by_id.get(image_id)
        if entry is None:
            return self
        rest = tuple(image for image in entry.group.images if image.compshare_image_id != image_id)
        shrunk = replace(entry.group, images=rest)
        groups = (shrunk if group is entry.group else group for group in self.all_groups)
        return replace(self, fetched_at=self.fetched_at - 1, all_groups=tuple(groups))


def image_id_of(text: str) -> str:
    """The id itself, or the one that a page's address ends in; empty when that names no image."""
    path = text.partition("?")[0].partition("#")[0].rstrip("/")
    last = path.rpartition("/")[2]
    return "" if "/" in path and last in {"", "images", "www.compshare.cn"} else last


def merge(pages: Iterable[Page]) -> tuple[Group, ...]:
    """One group a group id, however its versions were spread over rows and pages."""
    parts: dict[str, list[Group]] = {}
    for page in pages:
        for group in page.groups:
            parts.setdefault(group.group_id, []).append(group)
    return tuple(_merge_group(rows) for rows in parts.values())


def _merge_group(rows: list[Group]) -> Group:
    """All versions that the rows of one group hold, newest first, each once.

    A group's own counters are the truth; flat rows repeat them a version, and the largest is the latest.
    """
    whole = next((row for row in rows if not row.flat), None)
    versions: dict[str, Image] = {}
    for row in rows:
        for image in row.images:
            versions.setdefault(image.compshare_image_id, image)
    counters = [whole] if whole else rows
    return replace(
        whole or rows[0],
        images=tuple(versions.values()) if whole else _sorted_by_time(versions.values()),
        created_count=_largest(row.created_count for row in counters),
        favorites_count=_largest(row.favorites_count for row in counters),
        image_use_time=_largest(row.image_use_time for row in counters),
    )


def _sorted_by_time(images: Iterable[Image]) -> tuple[Image, ...]:
    """Newest first by publication, then by creation; unknown times last."""
    return tuple(sorted(images, key=lambda image: (image.pub_time or 0, image.create_time or 0), reverse=True))


def _largest(counts: Iterable[int | None]) -> int | None:
    return max((count for count in counts if count is not None), default=None)
