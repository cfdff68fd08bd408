"""Ask the service once, well: signed, within a budget, retried only where that can help."""

import json
import logging
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import anyio
import anyio.to_thread

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
from compshare_images.upstream.request import ARGUMENTS, DescribeCommunityImages
from compshare_images.upstream.signing import encode, sign
from compshare_images.upstream.wire import Page, as_object, read_page

if TYPE_CHECKING:
    from compshare_images.upstream.http import Answer, Answerer, Http

BUDGET = 24.0  # seconds for one question with all its attempts; a whole call has 25

_ATTEMPTS = 3
_BACKOFF = 1.0  # seconds at most before the second attempt, doubled for each further one, and again when throttled
_RET_CODES: dict[int, type[UpstreamError]] = {
    **dict.fromkeys((160, 161, 210, 220, 230, 280, 8401), RequestRejected),
    **dict.fromkeys((170, 171, 172, 174), AuthenticationFailed),
    **dict.fromkeys((240, 292, 293, 294, 295, 299), PermissionDenied),
    **dict.fromkeys((110, 130, 150, 8433), UpstreamUnavailable),
    153: RateLimited,
    8039: ImageNotFound,
}
_STATUSES: dict[int, type[UpstreamError]] = {401: AuthenticationFailed, 403: PermissionDenied, 429: RateLimited}
_NAMED_PARAMETER = re.compile(r"\[([A-Za-z][A-Za-z.]{0,40})\]")

logger = logging.getLogger(__name__)


class Client:
    """`timeout` is for one attempt, in seconds; `keys` is asked at every question and may raise.

    `local` answers in the place of the network; `sleep` is time, for tests.
    """

    def __init__(
        self,
        keys: Callable[[], KeyPair],
        base_url: str,
        *,
        timeout: float = 12.0,
        local: "Answerer | None" = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._keys = keys
        self._base_url = base_url
        self._timeout = timeout
        self._local = local
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
            NotConfigured: there is nothing to sign with, or a setting of the environment cannot be used.
        """
        keys = self._keys()
        deadline = anyio.current_time() + budget
        attempt = 1
        while True:
            try:
                return await self._attempt(request, keys, deadline)
            except UpstreamError as error:
                pause = _pause(error, attempt)
                if attempt == _ATTEMPTS or not error.retryable or anyio.current_time() + pause >= deadline:
                    raise
                logger.info("attempt %d failed (%s); next in %.1f s", attempt, error.code, pause)
            await self._sleep(pause)
            attempt += 1

    async def _attempt(self, request: DescribeCommunityImages, keys: KeyPair, deadline: float) -> Page:
        form = encode({**request.parameters(), "PublicKey": keys.public})
        form["Signature"] = sign(form, keys.private.get_secret_value())
        secrets = (form["Signature"], keys.private.get_secret_value(), keys.public)
        limit = max(0.0, min(self._timeout, deadline - anyio.current_time()))
        with anyio.move_on_after(limit):
            http = await self._connected()
            answer = await http.post(form, patience=limit / 10)
            # A large answer takes long to read, and other calls must not wait for it.
            return await anyio.to_thread.run_sync(
                _read, answer, request.compshare_image_id, secrets, abandon_on_cancel=True
            )
        raise UpstreamUnavailable(f"CompShare did not answer within {limit:.1f} seconds.")

    async def _connected(self) -> "Http":
        if self._http is None:
            from compshare_images.upstream.http import Http  # noqa: PLC0415 - httpx waits for the first request

            self._http = await self._resources.enter_async_context(Http(self._base_url, self._local))
        return self._http


def _pause(error: UpstreamError, attempt: int) -> float:
    if error.retry_after is not None:
        return error.retry_after
    longest = _BACKOFF * 2 ** (attempt - 1) * (2 if isinstance(error, RateLimited) else 1)
    return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret


def _read(answer: "Answer", image_id: str | None, secrets: tuple[str, ...]) -> Page:
    refusal = _refusal_of_status(answer.status)
    content = _parse(answer.body)
    if refusal is None and content is None:
        raise UpstreamInvalid(_sentence("an answer that is not a JSON object", answer, {}, secrets))
    content = content or {}
    ret_code = _integer(content.get("RetCode"))
    if refusal is None and ret_code == 0:
        page = read_page(content, readme_of=image_id)
        if page is None:
            raise UpstreamInvalid(_sentence("no list of images", answer, content, secrets))
        return page
    said = [f"HTTP {answer.status}"] if refusal else []
    if ret_code is not None:
        said.append(f"RetCode {ret_code}")
    elif not refusal:
        said.append("no RetCode")
    kind = refusal or _RET_CODES.get(ret_code or 0, UpstreamInvalid)
    named = _NAMED_PARAMETER.search(_message(content))
    raise kind(
        _sentence(", ".join(said), answer, content, secrets),
        ret_code=ret_code,
        parameter=named and ARGUMENTS.get(named[1], named[1]),
        retry_after=answer.retry_after if kind.retryable else None,
    )


def _refusal_of_status(status: int) -> type[UpstreamError] | None:
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own ranges
        return None
    return _STATUSES.get(status, UpstreamUnavailable if status >= 500 else UpstreamInvalid)  # noqa: PLR2004 - as above


def _parse(body: bytes) -> dict[str, object] | None:
    try:
        return as_object(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _message(content: Mapping[str, object]) -> str:
    message = content.get("Message")
    return message if isinstance(message, str) else ""


def _sentence(said: str, answer: "Answer", content: Mapping[str, object], secrets: tuple[str, ...]) -> str:
    message = _without(secrets, _message(content))
    request_id = _without(secrets, answer.request_id or str(content.get("request_uuid") or ""))
    sentence = f"CompShare answered {said}"
    if message:
        sentence += f": {message}"
    return f"{sentence} (request id {request_id})." if request_id else f"{sentence}."


def _without(secrets: tuple[str, ...], text: str) -> str:
    """Cleaned before, for a hidden character could part a secret; cut after, for a cut could."""
    text = clean_line(text, 4000)
    for secret in secrets:
        for form in (secret, quote(secret, safe="")):
            text = re.sub(re.escape(form), "***", text, flags=re.IGNORECASE)
    return clean_line(text, 200).rstrip(".")


def _integer(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if isinstance(value, str) or number == value else None
