"""The tools as functions, for a protocol and a terminal alike: raw arguments in, a reply out, never an exception."""

import logging
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import Self

import anyio

from compshare_images.catalogue.details import Details
from compshare_images.catalogue.keeper import Keeper, Report
from compshare_images.errors import (
    CompShareError,
    InternalError,
    InvalidArgument,
    NotConfigured,
    RequestRejected,
    UpstreamUnavailable,
)
from compshare_images.place import Place
from compshare_images.settings import Settings
from compshare_images.tools import facts
from compshare_images.tools.arguments import Arguments, DetailArguments, SearchArguments, read_arguments
from compshare_images.tools.detail import detail
from compshare_images.tools.reply import Reply
from compshare_images.tools.search import search
from compshare_images.upstream.client import Client
from compshare_images.upstream.connection import connect

CALL_LIMIT = 24.8  # seconds; a call ends within 25

_ARGUMENT_OF = {
    "Region": "region",
    "Zone": "zone",
    "ProjectId": "project_id",
    "CompShareImageId": "compshare_image_id",
}

logger = logging.getLogger(__name__)


class Session:
    """Settings, a connection and its catalogues, alive while entered.

    `client` replaces the configured connection; `clock` gives Unix seconds.
    """

    def __init__(
        self, settings: Settings, client: Client | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._client = client or connect(settings)
        self._keeper = Keeper(self._client, ttl=settings.catalogue_ttl, clock=clock)
        self._details = Details(self._client, self._keeper, ttl=settings.catalogue_ttl, clock=clock)
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._resources.enter_async_context(self._client)
        await self._resources.enter_async_context(self._keeper)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._resources.__aexit__(kind, error, trace)

    async def search_community_images(self, given: Mapping[str, object], report: Report | None = None) -> Reply:
        return await _reply(lambda: self._search(given, report))

    async def get_image_detail(self, given: Mapping[str, object], report: Report | None = None) -> Reply:
        return await _reply(lambda: self._detail(given, report))

    async def _search(self, given: Mapping[str, object], report: Report | None) -> Reply:
        arguments = read_arguments(SearchArguments, given)
        place = self._place_of(arguments)
        with _blaming(arguments):
            served = await self._keeper.catalogue(place, report=report)
        state = facts.state_of(served, place, self._settings.place, sandbox=self._settings.sandbox)
        return search(arguments, served, state)

    async def _detail(self, given: Mapping[str, object], report: Report | None) -> Reply:
        arguments = read_arguments(DetailArguments, given)
        place = self._place_of(arguments)
        with _blaming(arguments):
            opened = await self._details.open(place, arguments.compshare_image_id, report=report)
        served = self._keeper.known(place)
        state = facts.state_of(served, place, self._settings.place, sandbox=self._settings.sandbox)
        return detail(arguments, opened, state)

    def _place_of(self, arguments: SearchArguments | DetailArguments) -> Place:
        return self._settings.place.elsewhere(
            region=arguments.region, zone=arguments.zone, project_id=arguments.project_id
        )


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


@contextmanager
def _blaming(arguments: Arguments) -> Generator[None]:
    """Say whose value the service refuses: one of the call's arguments, or a setting."""
    try:
        yield
    except RequestRejected as error:
        given = arguments.model_dump(exclude_none=True)
        argument = _ARGUMENT_OF.get(error.parameter or "")
        if argument == "zone" and argument not in given:
            argument = "region"  # a zone that was not named follows from the region
        suspects = [argument] if argument else list(_ARGUMENT_OF.values())
        blamed = next((name for name in suspects if name in given), None)
        if blamed:
            raise InvalidArgument(f"{blamed}: {error.message}", remedy=error.remedy) from None
        raise NotConfigured(
            f"A setting is refused: {error.message}",
            remedy="Correct COMPSHARE_REGION, COMPSHARE_ZONE or COMPSHARE_PROJECT_ID. Do not retry before that.",
        ) from None
