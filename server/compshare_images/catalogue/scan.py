"""Read the service's whole list once."""

import logging
from collections.abc import Callable
from math import ceil

import anyio

from compshare_images.catalogue.catalogue import Catalogue, merge
from compshare_images.errors import PASSING, CompShareError, ImageNotFound, RequestRejected, UpstreamInvalid
from compshare_images.place import Place
from compshare_images.upstream.client import Client
from compshare_images.upstream.request import MAX_LIMIT, DescribeCommunityImages
from compshare_images.upstream.wire import Page

_AT_ONCE = 8  # pages; the live list has nine, so that a scan takes the time of two
_TROUBLE = 2  # pages that fail once more
_MOST = 2000  # pages, however many new versions each brings
_AHEAD = 64  # pages beyond the first one that is not there yet

logger = logging.getLogger(__name__)


class Scan:
    """One reading of one place, in pages of 100.

    `TotalCount` only plans it: it ends at the first page that is shorter than asked or empty (complete), or that
    brings no version that an earlier one had not (incomplete). A page that fails is tried once more alone, and then
    left out (incomplete). `on_page` is called when a page has come.
    """

    def __init__(
        self, client: Client, place: Place, *, clock: Callable[[], float], on_page: Callable[[], None] = lambda: None
    ) -> None:
        self._client = client
        self._place = place
        self._clock = clock
        self._on_page = on_page
        self._pages: dict[int, Page] = {}
        self._failed: list[int] = []
        self._expected = 0  # groups, or versions where rows are versions
        self._planned = 1  # pages
        self._checked = 0  # pages, from the first on, that were looked at for the end
        self._seen: set[str] = set()
        self._ended = False
        self._complete = False

    @property
    def progress(self) -> tuple[int, int]:
        """Pages read, and pages expected."""
        return len(self._pages), max(self._planned, len(self._pages))

    def so_far(self) -> Catalogue | None:
        """What has come until now, as an incomplete catalogue."""
        return self._catalogue(complete=False) if self._pages else None

    async def run(self) -> Catalogue:
        """Read to the end.

        Raises:
            CompShareError: the first page failed, or any page in a way in which all would.
        """
        await self._read(0)
        self._expected = self._pages[0].total_count or 0
        # One more than the last row, for only a page that is not full is the end.
        self._planned = max(1, ceil((self._expected + 1) / MAX_LIMIT))
        await self._read_planned()
        gaps = await self._gaps()
        while not gaps and not self._ended and self._checked < _MOST:
            number = self._checked
            if not (await self._tried(number) or await self._tried(number)):
                break
        return self._catalogue(complete=self._complete and not gaps)

    async def _read_planned(self) -> None:
        numbers = iter(range(1, self._planned))
        refusals: list[CompShareError] = []

        async def work() -> None:
            for number in numbers:
                if self._ended or refusals or number >= min(_MOST, self._checked + _AHEAD):
                    break
                try:
                    if not await self._tried(number):
                        self._failed.append(number)
                except CompShareError as refusal:
                    refusals.append(refusal)

        async with anyio.create_task_group() as group:
            for _ in range(min(_AT_ONCE, self._planned - 1)):
                group.start_soon(work)
        if refusals:
            raise refusals[0]

    async def _gaps(self) -> int:
        """How many pages are missing still when each was tried once more, alone; a service in trouble is left alone."""
        gaps = 0
        for number in sorted(self._failed):
            if gaps < _TROUBLE and self._wanted(number) and not await self._tried(number):
                gaps += 1
        return gaps

    def _wanted(self, number: int) -> bool:
        """Whether the end of the list does not come before that page."""
        return not self._ended or number < self._checked

    async def _tried(self, number: int) -> bool:
        try:
            await self._read(number)
        except PASSING as error:
            logger.warning("page %d of the list is missing: %s", number + 1, error)
            return False
        return True

    async def _read(self, number: int) -> None:
        offset = number * MAX_LIMIT
        request = DescribeCommunityImages(place=self._place, offset=offset, limit=MAX_LIMIT, exclude_readme=True)
        try:
            page = await self._client.describe(request)
        except RequestRejected as rejection:
            # What the first page was answered with cannot be wrong now, but a page may be out of range.
            if number == 0:
                raise
            if offset < self._expected:
                raise UpstreamInvalid(rejection.message) from None
            page = Page()
        except ImageNotFound as error:
            raise UpstreamInvalid(error.message) from None
        self._pages[number] = page
        while not self._ended and self._checked in self._pages:
            self._check(self._pages[self._checked])
            self._checked += 1
        self._on_page()

    def _check(self, page: Page) -> None:
        ids = {image.compshare_image_id for group in page.groups for image in group.images}
        if page.row_count < MAX_LIMIT:
            self._ended = self._complete = True
        elif ids <= self._seen:
            self._ended = True
        self._seen |= ids

    def _catalogue(self, *, complete: bool) -> Catalogue:
        pages = [self._pages[number] for number in sorted(self._pages)]
        return Catalogue(
            place=self._place,
            fetched_at=self._clock(),
            complete=complete,
            dropped=sum(page.dropped for page in pages),
            all_groups=merge(pages),
        )
