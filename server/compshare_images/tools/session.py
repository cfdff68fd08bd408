"""The tools as functions, for a protocol and a terminal alike: raw arguments in, a reply out, never an exception."""

import logging
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack, contextmanager
from threading import Thread
from types import TracebackType
from typing import Self

import anyio

from compshare_images.catalogue.cache import open_cache
from compshare_images.catalogue.catalogue import image_id_of
from compshare_images.catalogue.filters import filters_of
from compshare_images.catalogue.keeper import Keeper, Report, Served
from compshare_images.catalogue.opening import Opener
from compshare_images.errors import (
    CompShareError,
    InternalError,
    InvalidArgument,
    NotConfigured,
    RequestRejected,
    UpstreamInvalid,
    UpstreamUnavailable,
)
from compshare_images.language.resemblance import examples
from compshare_images.place import Place
from compshare_images.settings import Settings
from compshare_images.tools import facts
from compshare_images.tools.arguments import DetailArguments, SearchArguments, read_arguments
from compshare_images.tools.detail import detail
from compshare_images.tools.reply import Reply
from compshare_images.tools.results import CatalogueState
from compshare_images.tools.search import criteria_of, search
from compshare_images.upstream.client import Client
from compshare_images.upstream.connection import connect
from compshare_images.upstream.request import ARGUMENTS

CALL_LIMIT = 24.8  # seconds; a call ends within 25
SETTLE_LIMIT = 30.0  # seconds, which a scan of the live service may take

logger = logging.getLogger(__name__)


class Session:
    """Settings, a connection and its catalogues, alive while entered.

    `client` replaces the configured connection; `clock` gives Unix seconds. A `one_shot` session waits for a refresh
    that a server would leave behind.
    """

    def __init__(
        self,
        settings: Settings,
        client: Client | None = None,
        *,
        clock: Callable[[], float] = time.time,
        one_shot: bool = False,
    ) -> None:
        self._settings = settings
        self._one_shot = one_shot
        self._awake = False
        self._client = client or connect(settings)
        self._cache = open_cache(settings)
        self._keeper = Keeper(self._client, self._cache, ttl=settings.catalogue_ttl, clock=clock)
        self._opener = Opener(self._client, self._keeper, ttl=settings.catalogue_ttl, clock=clock)
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._resources.enter_async_context(self._client)
        await self._resources.enter_async_context(self._keeper)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._resources.__aexit__(kind, error, trace)

    def wake(self) -> None:
        """A first reply is on its way: read what wishes are compared with, refresh in a moment what is old."""
        if not self._awake:
            self._awake = True
            Thread(target=examples, name="examples", daemon=True).start()
            if self._cache:
                self._keeper.wake(self._settings.place)

    @property
    def scanning(self) -> bool:
        return self._keeper.scanning

    async def settle(self) -> None:
        """Wait for a scan that is under way, so that the next process has its result."""
        with anyio.move_on_after(SETTLE_LIMIT):
            await self._keeper.settle()

    async def search_community_images(self, given: Mapping[str, object], report: Report | None = None) -> Reply:
        return await _reply(lambda: self._search(given, report))

    async def get_image_detail(self, given: Mapping[str, object], report: Report | None = None) -> Reply:
        return await _reply(lambda: self._detail(given, report))

    async def _search(self, given: Mapping[str, object], report: Report | None) -> Reply:
        arguments = read_arguments(SearchArguments, given)
        filters_of(criteria_of(arguments))  # what is wrong with them is said before anybody waits
        place = self._place_of(arguments)
        with self._blaming(place, {"region", "zone", "project_id"} & arguments.model_fields_set):
            served = await self._keeper.catalogue(place, report=report, newest=self._one_shot)
        return search(arguments, served, self._state_of(served, place))

    async def _detail(self, given: Mapping[str, object], report: Report | None) -> Reply:
        arguments = read_arguments(DetailArguments, given)
        if not image_id_of(arguments.compshare_image_id):
            raise InvalidArgument("compshare_image_id: names no image; use an id, or a page URL that ends in one.")
        place = self._place_of(arguments)
        with self._blaming(place, arguments.model_fields_set):
            opened = await self._opener.open(place, arguments.compshare_image_id, report=report)
        return detail(arguments, opened, self._state_of(self._keeper.known(place), place))

    def _place_of(self, arguments: SearchArguments | DetailArguments) -> Place:
        return self._settings.place.elsewhere(
            region=arguments.region, zone=arguments.zone, project_id=arguments.project_id
        )

    def _state_of(self, served: Served | None, place: Place) -> CatalogueState:
        return facts.state_of(served, place, self._settings.place, sandbox=self._settings.sandbox)

    @contextmanager
    def _blaming(self, place: Place, given: AbstractSet[str]) -> Generator[None]:
        """Say whose value the service refuses: one of the call's arguments that are `given`, or a setting."""
        try:
            yield
        except RequestRejected as error:
            argument = error.parameter
            if argument == "zone" and "zone" not in given and place.region != self._settings.place.region:
                argument = "region"  # the call moved to another region, and the zone went with it
            suspects = [argument] if argument else sorted(given & set(ARGUMENTS.values()))
            if argument and argument not in ARGUMENTS.values():
                raise UpstreamInvalid(error.message) from None
            if suspects and suspects[0] in given:
                raise InvalidArgument(f"{' or '.join(suspects)}: {error.message}", remedy=error.remedy) from None
            raise NotConfigured(
                f"A setting is refused: {error.message}",
                remedy="Correct COMPSHARE_REGION, COMPSHARE_ZONE or COMPSHARE_PROJECT_ID. Do not retry before that.",
            ) from None


async def _reply(answer: Callable[[], Awaitable[Reply]]) -> Reply:
    """Every failure as a coded text."""
    try:
        with anyio.fail_after(CALL_LIMIT):
            return await answer()
    except CompShareError as error:
        return Reply(text=str(error))
    except TimeoutError:
        return Reply(text=str(UpstreamUnavailable("CompShare did not answer in time.")))
    except Exception:
        logger.exception("a call failed unexpectedly")
        return Reply(text=str(InternalError("The call could not be answered.")))
