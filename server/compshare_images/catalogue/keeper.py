"""One catalogue a place: how old it may be, who waits for a scan, and that there is only one, among processes too."""

import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio

from compshare_images.catalogue.cache import Cache
from compshare_images.catalogue.catalogue import Catalogue
from compshare_images.catalogue.scan import Scan
from compshare_images.catalogue.turn import BEAT, Turn
from compshare_images.errors import PASSING, UpstreamError, UpstreamUnavailable
from compshare_images.place import Place
from compshare_images.upstream.client import BUDGET, Client

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

STALE_FOR = 6 * 3600.0  # seconds in which an old catalogue is served at once, with a refresh behind
PATIENCE = 12.0  # seconds that a call waits for a scan when there is something else to answer with
_PLACES_KEPT = 8
_PLACES_TRIED = 64  # anybody may name a place that the service refuses
_REST = 30.0  # seconds after a failed scan in which none is begun behind an answer
_LONGEST_REST = 3600.0  # seconds, whatever the service wishes and the clock does
_POLL = 0.1  # seconds between looks at the scan of another process
_DISK = 2.0  # seconds after which a disk counts as stuck
_PAUSE = 0.5  # seconds from a first reply to a refresh; a host asks more at its start, and goes first

Report = Callable[[int, int], Awaitable[None]]
"""Told of a scan's progress: pages read, pages expected."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """A catalogue, and whether it is older than it should be."""

    catalogue: Catalogue
    stale: bool


class _Running:
    """A scan that is under way, or waits for its turn. However it ends, `done` is set, with a catalogue or an error."""

    def __init__(self, client: Client, place: Place, clock: Callable[[], float]) -> None:
        self.scan = Scan(client, place, clock=clock, on_page=self._moved)
        self.done = anyio.Event()
        self.found: Catalogue | None = None
        self.error: Exception | None = None
        self._page = anyio.Event()

    def finish(self) -> None:
        self.done.set()
        self._moved()

    async def wait_for_end(self, report: Report | None) -> None:
        while not self.done.is_set():
            page = self._page
            if report and self.scan.progress[0]:
                await report(*self.scan.progress)
            await page.wait()

    async def wait_for_page(self) -> None:
        await self._page.wait()

    def _moved(self) -> None:
        self._page.set()
        self._page = anyio.Event()


class Keeper:
    """The catalogues of a process. Enter it to let scans run; they outlive the calls that began them.

    `ttl` is in seconds, `clock` gives Unix seconds. Without a `cache` nothing is shared.
    """

    def __init__(
        self, client: Client, cache: Cache | None = None, *, ttl: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._cache = cache
        self._ttl = ttl
        self._clock = clock
        self._catalogues: dict[Place, Catalogue] = {}
        self._not_before: dict[Place, float] = {}
        self._running: dict[Place, _Running] = {}
        self._locks: defaultdict[Place, anyio.Lock] = defaultdict(anyio.Lock)  # on memory and cache together
        self._tasks: TaskGroup = anyio.create_task_group()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(None, None, None)  # what happened around us is not the tasks' doing

    def known(self, place: Place) -> Served | None:
        """What is in memory."""
        catalogue = self._catalogues.get(place)
        return catalogue and Served(catalogue, stale=not self._recent(catalogue))

    async def look(self, place: Place) -> Served | None:
        """What there is now, in memory or in the cache, without waiting for the service."""
        if self._cache and not self._has_fresh(place):
            with anyio.move_on_after(_DISK):
                async with self._locks[place]:  # however many ask, one reads the file
                    if not self._has_fresh(place):
                        await self._load(place)
        return self.known(place)

    async def catalogue(
        self, place: Place, *, report: Report | None = None, budget: float = BUDGET, newest: bool = False
    ) -> Served:
        """The catalogue of a place: fresh, or stale with a refresh behind, or worth the wait of `budget` seconds.

        `newest` waits for a refresh where a stale one would do.

        Raises:
            CompShareError: there is nothing to answer with, or the keys are refused.
        """
        served = await self.look(place)
        catalogue = served and served.catalogue
        if served and self._has_fresh(place):
            return served
        if catalogue and self._serves_while_stale(catalogue) and not newest:
            if not self._resting(place):
                self._refresh(place)
            return Served(catalogue, stale=True)
        running = self._refresh(place)
        with anyio.move_on_after(min(PATIENCE, budget)):
            await running.wait_for_end(report)
        with anyio.move_on_after(max(0.0, budget - PATIENCE)):
            while not (catalogue or running.done.is_set() or running.scan.so_far()):
                await running.wait_for_page()
        return self._outcome(place, running)

    def wake(self, place: Place) -> None:
        """Refresh what is not fresh, in a moment and behind whatever is going on, if it can be of use to anybody."""
        if self._ttl > 0:
            self._tasks.start_soon(self._wake, place)

    @property
    def scanning(self) -> bool:
        return bool(self._running)

    async def settle(self) -> None:
        """Wait for the scans that are under way."""
        while self._running:
            await next(iter(self._running.values())).done.wait()

    async def forget(self, place: Place, image_id: str) -> None:
        """Drop a version of which the service says that it does not exist."""
        async with self._locks[place]:
            catalogue = self._catalogues.get(place)
            if catalogue and image_id in catalogue.entries_by_id:
                await self._load(place)
                rest = self._catalogues[place] = self._catalogues[place].without_image(image_id)
                await self._save(rest)

    async def _wake(self, place: Place) -> None:
        await anyio.sleep(_PAUSE)
        await self.look(place)
        if not (self._has_fresh(place) or self._resting(place)):
            self._refresh(place)

    def _refresh(self, place: Place) -> _Running:
        """Begin a scan, or join the one that is under way."""
        running = self._running.get(place)
        if running is None:
            running = self._running[place] = _Running(self._client, place, self._clock)
            self._tasks.start_soon(self._run, place, running)
        return running

    async def _run(self, place: Place, running: _Running) -> None:
        wish = None
        try:
            running.found = await self._read(place, running)
        except Exception as error:  # noqa: BLE001 - whoever waits for the scan raises it
            running.error = error
            wish = error.retry_after if isinstance(error, UpstreamError) else None
            logger.info("a scan of %s failed: %s", place.region, error)
        finally:
            if not self._has_fresh(place):
                self._not_before[place] = self._clock() + min(max(wish or 0.0, _REST), _LONGEST_REST)
            for tried in (self._not_before, self._locks):
                while len(tried) > _PLACES_TRIED:
                    del tried[next(iter(tried))]
            del self._running[place]
            running.finish()

    async def _read(self, place: Place, running: _Running) -> Catalogue | None:
        """What a scan finds, or what that of another process has found meanwhile; None when neither is worth it."""
        began = self._clock()
        waited = False
        async with self._cache.turn(place) if self._cache else Turn(None) as turn:
            while True:
                go = await turn.may_scan()
                served = await self.look(place)
                if served and (self._fresh(served.catalogue) or began < served.catalogue.fetched_at <= self._clock()):
                    return served.catalogue
                if go:
                    break
                waited = True
                await anyio.sleep(_POLL)
            if waited and turn.last_scan_ended and served and self._serves_while_stale(served.catalogue):
                return None  # that came to nothing just now, and a stale answer will do
            self._tasks.start_soon(self._attend, place, running, turn)
            found = await running.scan.run()
            async with self._locks[place]:
                await self._load(place)
                self._keep(found)
                await self._save(found)
            return found

    async def _attend(self, place: Place, running: _Running, turn: Turn) -> None:
        """Show the others that the scan goes on and, when it takes long and there is nothing whole, what it has."""
        began = anyio.current_time()
        while True:
            await turn.beat()
            with anyio.move_on_after(BEAT):
                await running.done.wait()
                return
            if anyio.current_time() - began >= PATIENCE:
                async with self._locks[place]:
                    known = self._catalogues.get(place)
                    partial = None if known and known.complete else running.scan.so_far()
                    if partial:
                        await self._save(partial)

    async def _load(self, place: Place) -> None:
        """Take over what another process has put into the cache."""
        with anyio.move_on_after(_DISK):
            if self._cache and (kept := await self._cache.load(place, again=place not in self._catalogues)):
                self._keep(kept)

    async def _save(self, catalogue: Catalogue) -> None:
        with anyio.move_on_after(_DISK):
            if self._cache:
                await self._cache.save(catalogue)

    def _keep(self, found: Catalogue) -> None:
        """Remember it, unless what there was is better: a whole old catalogue is better than half a new one."""
        before = self._catalogues.pop(found.place, None)
        self._catalogues[found.place] = before if before and before.complete and not found.complete else found
        while len(self._catalogues) > _PLACES_KEPT:
            del self._catalogues[next(iter(self._catalogues))]

    def _outcome(self, place: Place, running: _Running) -> Served:
        error = running.error
        catalogue = self._catalogues.get(place)
        if error and not (catalogue and isinstance(error, PASSING)):
            raise error
        partial = running.scan.so_far()
        if partial and not (catalogue and (catalogue.complete or len(catalogue.groups) >= len(partial.groups))):
            return Served(partial, stale=False)
        if catalogue:
            return Served(catalogue, stale=catalogue is not running.found and not self._recent(catalogue))
        raise UpstreamUnavailable("CompShare has not answered yet; its list of images is still being read.")

    def _resting(self, place: Place) -> bool:
        return 0 < self._not_before.get(place, 0.0) - self._clock() <= _LONGEST_REST

    def _has_fresh(self, place: Place) -> bool:
        catalogue = self._catalogues.get(place)
        return catalogue is not None and self._fresh(catalogue)

    def _fresh(self, catalogue: Catalogue) -> bool:
        return catalogue.complete and self._recent(catalogue)

    def _recent(self, catalogue: Catalogue) -> bool:
        return 0 <= self._clock() - catalogue.fetched_at < self._ttl

    def _serves_while_stale(self, catalogue: Catalogue) -> bool:
        return catalogue.complete and self._ttl > 0 and self._clock() - catalogue.fetched_at <= STALE_FOR
