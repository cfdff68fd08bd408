"""Open one image: the service's own answer, joined with what the catalogue knows."""

import re
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import anyio

from compshare_images.catalogue.catalogue import Catalogue, image_id_of, merge
from compshare_images.catalogue.entry import Entry
from compshare_images.catalogue.keeper import PATIENCE, Keeper, Report
from compshare_images.errors import PASSING, CompShareError, NotFound, UpstreamUnavailable
from compshare_images.place import Place
from compshare_images.upstream.client import BUDGET, Client
from compshare_images.upstream.request import DescribeCommunityImages
from compshare_images.upstream.wire import Group, Image

_VERSION_ID = re.compile(r"compshareImage-[a-z0-9]{12}")
_REMEMBERED = 64  # images
_MARGIN = 1.0  # seconds that are left for an answer
_POINT_QUERY = 6.0  # seconds that are left for asking for one image, twice what it takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """`entry.group` holds every known version, newest first.

    `readme` is cleaned, empty when the image has none, None when `trouble` kept it away and the catalogue's copy had
    to answer.
    """

    entry: Entry
    readme: str | None
    trouble: CompShareError | None = None


class Opener:
    """Opened images, each remembered for `ttl` seconds. `clock` gives Unix seconds."""

    def __init__(self, client: Client, keeper: Keeper, *, ttl: float, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._keeper = keeper
        self._ttl = ttl
        self._clock = clock
        self._remembered: dict[tuple[Place, str], tuple[float, Detail]] = {}

    async def open(self, place: Place, wanted: str, *, report: Report | None = None) -> Detail:
        """Open the version of that id, the newest available one of that group, or what a page's address names.

        Raises:
            NotFound: neither the service nor the catalogue knows it.
            CompShareError: the service cannot be asked, and the catalogue has no copy.
        """
        deadline = anyio.current_time() + BUDGET
        wanted = image_id_of(wanted)
        await self._keeper.look(place)
        entry, certain = await self._resolved(place, wanted, deadline, report)
        denied: set[str] = set()
        while True:
            image_id = entry.image.compshare_image_id if entry else wanted
            try:
                return await self._open_version(place, image_id, entry, deadline)
            except NotFound as not_found:
                denied.add(image_id)
                await self._keeper.forget(place, image_id)
                entry = await self._next(place, wanted, denied, deadline, report)
                if entry is None and certain:
                    raise self._with_near_ids(not_found, place, wanted) from None
                if entry is None:
                    raise UpstreamUnavailable(
                        "CompShare's list is still being read, and does not hold this id yet.", retry_after=5
                    ) from None

    async def _resolved(
        self, place: Place, wanted: str, deadline: float, report: Report | None
    ) -> tuple[Entry | None, bool]:
        """The version that the id stands for, and whether none means that there is none.

        Only a catalogue knows groups, and only a new one new groups.
        """
        known = self._known(place)
        if known and wanted in known.entries_by_id:
            return known.entries_by_id[wanted], True
        known_group = known is not None and wanted in known.groups_by_id
        if _VERSION_ID.fullmatch(wanted) and not known_group:
            return None, True
        budget = max(0.0, deadline - anyio.current_time() - _POINT_QUERY)
        served = await self._keeper.catalogue(place, report=report, budget=budget, newest=not known_group)
        return served.catalogue.stands_for(wanted), served.catalogue.complete

    async def _next(
        self, place: Place, wanted: str, denied: AbstractSet[str], deadline: float, report: Report | None
    ) -> Entry | None:
        """What else the id may stand for, when the service denies some versions.

        An older version of the group; or, without a catalogue, a group: some bear an id of the form of a version's.
        """
        catalogue = self._known(place)
        if catalogue is None:
            budget = min(PATIENCE, deadline - anyio.current_time() - _MARGIN)
            try:
                catalogue = (await self._keeper.catalogue(place, report=report, budget=max(0.0, budget))).catalogue
            except PASSING:
                return None
        entry = catalogue.stands_for(wanted)
        return entry if entry and entry.image.compshare_image_id not in denied else None

    async def _open_version(self, place: Place, image_id: str, copy: Entry | None, deadline: float) -> Detail:
        """The service's answer, or `copy` when it cannot answer."""
        remembered = self._remembered.get((place, image_id))
        if remembered and 0 <= self._clock() - remembered[0] < self._ttl:
            return self._joined(place, remembered[1])
        request = DescribeCommunityImages(place=place, compshare_image_id=image_id)
        try:
            page = await self._client.describe(request, budget=max(0.0, deadline - anyio.current_time()))
        except PASSING as trouble:
            if copy is None:
                raise
            return Detail(entry=copy, readme=None, trouble=trouble)
        entries = (Entry(group, image) for group in merge([page]) for image in group.images)
        entry = next((entry for entry in entries if entry.image.compshare_image_id == image_id), None)
        if entry is None:
            raise NotFound(f"CompShare has no image {image_id}.")
        detail = Detail(entry=entry, readme=page.readme or "")
        self._remember(place, detail)
        return self._joined(place, detail)

    def _known(self, place: Place) -> Catalogue | None:
        served = self._keeper.known(place)
        return served and served.catalogue

    def _remember(self, place: Place, detail: Detail) -> None:
        self._remembered[place, detail.entry.image.compshare_image_id] = self._clock(), detail
        while len(self._remembered) > _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def _joined(self, place: Place, detail: Detail) -> Detail:
        """With the versions that only the catalogue knows."""
        image = detail.entry.image
        catalogue = self._known(place)
        same = catalogue and catalogue.entries_by_id.get(image.compshare_image_id)
        known = same.group if same else catalogue and catalogue.groups_by_id.get(detail.entry.group.group_id)
        if not known:
            return detail
        group = replace(detail.entry.group, group_id=known.group_id, images=_union(detail.entry.group, known))
        return replace(detail, entry=Entry(group, image))

    def _with_near_ids(self, error: NotFound, place: Place, wanted: str) -> NotFound:
        catalogue = self._known(place)
        near = catalogue.nearest_ids(wanted) if catalogue else []
        if not near:
            return error
        return NotFound(f"{error.message} Known ids that differ little: {', '.join(near)}.")


def _union(answered: Group, known: Group) -> tuple[Image, ...]:
    """The catalogue's order, with the answer's versions in place of its copies; new ones stand by their time."""
    fresh = {image.compshare_image_id: image for image in answered.images}
    images = [fresh.pop(image.compshare_image_id, image) for image in known.images]
    for image in fresh.values():
        published = image.pub_time or 0
        older = (place for place, other in enumerate(images) if (other.pub_time or 0) < published)
        images.insert(next(older, len(images)), image)
    return tuple(images)
