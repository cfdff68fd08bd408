"""Ask the service once, well: signed, within a budget, retried only where that can help."""

import json
import logging
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio

from compshare_images.errors import (
    AuthenticationFailed,
    ImageNotFound,
    PermissionDenied,
    RateLimited,
    RequestRejected,
    UpstreamError,
    UpstreamInvalid,
    UpstreamUnavailable,
)
from compshare_images.settings import KeyPair
from compshare_images.upstream.cleaning import clean_line
from compshare_images.upstream.request import DescribeCommunityImages
from compshare_images.upstream.signing import encode, sign
from compshare_images.upstream.wire import Page, as_object, read_page

if TYPE_CHECKING:
    import httpx

    from compshare_images.upstream.http import Answer, Http

BUDGET = 24.0  # seconds for one question with all its attempts; a whole call has 25

_ATTEMPTS = 3
_BACKOFF = 0.5  # seconds before the second attempt, doubled for each further one, and again when throttled
_THROTTLED = 153
_NO_SUCH_IMAGE = 8039
_TROUBLE = frozenset({110, 130, 150, 8433})
_KINDS: dict[int, type[UpstreamError]] = {
    **dict.fromkeys((160, 161, 210, 220, 230, 280, 8401), RequestRejected),
    **dict.fromkeys((170, 171, 172, 174), AuthenticationFailed),
    **dict.fromkeys((240, 292, 293, 294, 295, 299), PermissionDenied),
    **dict.fromkeys(_TROUBLE, UpstreamUnavailable),
    _NO_SUCH_IMAGE: ImageNotFound,
}
_NAMED_PARAMETER = re.compile(r"\[([A-Za-z][A-Za-z.]{0,40})\]")

logger = logging.getLogger(__name__)


class Client:
    """`timeout` is for one attempt, in seconds; `keys` is asked at every question and may raise.

    `transport` and `sleep` are seams: the sandbox, and time in tests.
    """

    def __init__(
        self,
        keys: Callable[[], KeyPair],
        base_url: str,
        *,
        timeout: float = 12.0,
        transport: "Callable[[], httpx.AsyncBaseTransport] | None" = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._keys = keys
        self._base_url = base_url
        self._timeout = timeout
        self._transport = transport
        self._sleep = sleep
        self._http: Http | None = None
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._resources.aclose()

    async def describe(self, request: DescribeCommunityImages, *, budget: float = BUDGET) -> Page:
        """Ask for one page, or for one image, within `budget` seconds.

        Raises:
            UpstreamError: what the last attempt failed with.
            NotConfigured: there is nothing to sign with.
        """
        keys = self._keys()
        deadline = anyio.current_time() + budget
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._attempt(request, keys, deadline)
            except (UpstreamUnavailable, RateLimited) as error:
                pause = _pause(error, attempt)
                if attempt == _ATTEMPTS or not error.retryable or anyio.current_time() + pause >= deadline:
                    raise
                logger.info("attempt %d failed (%s); next in %.1f s", attempt, error.code, pause)
                await self._sleep(pause)
        raise AssertionError  # the last attempt returned or raised

    async def _attempt(self, request: DescribeCommunityImages, keys: KeyPair, deadline: float) -> Page:
        form = encode({**request.parameters(), "PublicKey": keys.public})
        form["Signature"] = sign(form, keys.private.get_secret_value())
        limit = min(self._timeout, deadline - anyio.current_time())
        answer: Answer | None = None
        with anyio.move_on_after(limit):
            http = await self._connected()
            answer = await http.post(form)
        if answer is None:
            raise UpstreamUnavailable(f"CompShare did not answer within {limit:.0f} seconds.")
        content = _parse(answer.body)
        secrets = (form["Signature"], keys.private.get_secret_value(), keys.public)
        _raise_for_ret_code(content, answer.request_id, secrets)
        page = read_page(content, readme_of=request.compshare_image_id)
        if page is None:
            raise UpstreamInvalid("CompShare's answer holds no list of images.")
        return page

    async def _connected(self) -> "Http":
        if self._http is None:
            from compshare_images.upstream.http import Http  # noqa: PLC0415 - httpx waits for the first request

            transport = self._transport() if self._transport else None
            self._http = await self._resources.enter_async_context(Http(self._base_url, transport))
        return self._http


def _raise_for_ret_code(content: Mapping[str, object], request_id: str | None, secrets: tuple[str, ...]) -> None:
    ret_code = _integer(content.get("RetCode"))
    if ret_code == 0:
        return
    message = content.get("Message")
    message = message if isinstance(message, str) else ""
    request_id = request_id or str(content.get("request_uuid") or "")
    said = "no RetCode" if ret_code is None else f"RetCode {ret_code}"
    sentence = f"CompShare answered {said}"
    if message:
        sentence += f": {_without(secrets, message)}"
    if request_id:
        sentence += f" (request id {_without(secrets, request_id)})"
    if ret_code == _THROTTLED:
        raise RateLimited(sentence + ".", ret_code=ret_code)
    named = _NAMED_PARAMETER.search(message)
    kind = UpstreamInvalid if ret_code is None else _KINDS.get(ret_code, UpstreamInvalid)
    raise kind(sentence + ".", ret_code=ret_code, parameter=named and named[1])


def _without(secrets: tuple[str, ...], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return clean_line(text, 200).rstrip(".")


def _pause(error: UpstreamUnavailable | RateLimited, attempt: int) -> float:
    if error.retry_after is not None:
        return error.retry_after
    longest = _BACKOFF * 2**attempt * (2 if isinstance(error, RateLimited) else 1)
    return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret


def _parse(body: bytes) -> Mapping[str, object]:
    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError):
        raise UpstreamInvalid("CompShare's answer is not JSON.") from None
    fields = as_object(content)
    if fields is None:
        raise UpstreamInvalid("CompShare's answer is not a JSON object.")
    return fields


def _integer(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None
