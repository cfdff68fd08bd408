"""One HTTP exchange with the service. The only module that imports `httpx`, which costs too much for a start-up."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from types import TracebackType
from typing import Self

import httpx

from compshare_images import __version__
from compshare_images.errors import (
    AuthenticationFailed,
    PermissionDenied,
    RateLimited,
    UpstreamInvalid,
    UpstreamUnavailable,
)

MAX_BODY = 64 * 1024 * 1024

_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY_REQUESTS = 401, 403, 429


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a 2xx answer, and the service's trace id."""

    body: bytes
    request_id: str | None


class Http:
    """A pooled connection to one address.

    Redirects are never followed: a signed form must not travel. Parameters go in the body, so that no signature is
    in an address that somebody logs.
    """

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._base_url = base_url
        self._client = httpx.AsyncClient(
            headers={"User-Agent": f"compshare-images-mcp/{__version__}", "Accept": "application/json"},
            follow_redirects=False,
            timeout=None,  # noqa: S113 - the caller bounds the whole exchange, which a limit per read would not
            transport=transport,
            trust_env=transport is None,
        )

    async def post(self, form: Mapping[str, str]) -> Answer:
        """Send one signed form.

        Raises:
            UpstreamUnavailable: not reached, or HTTP 5xx.
            UpstreamInvalid: a redirect, another 4xx, or a body over `MAX_BODY`.
            RateLimited, AuthenticationFailed, PermissionDenied: HTTP 429, 401, 403.
        """
        try:
            async with self._client.stream("POST", self._base_url, data=dict(form)) as response:
                _check_status(response)
                return Answer(await _bounded(response), response.headers.get("X-UCLOUD-REQUEST-UUID"))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError, OSError) as error:
            reason, passing = _plainly(error)
            raise UpstreamUnavailable(f"CompShare could not be reached: {reason}.", retryable=passing) from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    said = f"CompShare answered HTTP {status}."
    if response.is_success:
        return
    if status == _UNAUTHORIZED:
        raise AuthenticationFailed(said)
    if status == _FORBIDDEN:
        raise PermissionDenied(said)
    wait = _retry_after(response.headers.get("Retry-After"))
    if status == _TOO_MANY_REQUESTS:
        raise RateLimited(said, retry_after=wait)
    if response.is_server_error:
        raise UpstreamUnavailable(said, retry_after=wait)
    if response.is_redirect:
        raise UpstreamInvalid(f"{said[:-1]}, a redirect, which is never followed.")
    raise UpstreamInvalid(said)


def _retry_after(value: str | None) -> float | None:
    """Seconds from now, of either form that HTTP allows; None for none or rubbish."""
    value = (value or "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:10])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes(64 * 1024):
        body += chunk
        if len(body) > MAX_BODY:
            raise UpstreamInvalid(f"CompShare's answer is larger than {MAX_BODY >> 20} MiB.")
    return bytes(body)


def _plainly(error: Exception) -> tuple[str, bool]:
    """The kind of trouble, without an address, a path or a library's own wording; and whether it may pass by itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its TLS certificate is not trusted here", False
        if isinstance(cause, ssl.SSLError):
            return "the TLS connection failed", False
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.ProxyError():
            return "the proxy refused", False
        case httpx.ConnectError():
            return "no connection (name not found, refused, or no network)", True
        case httpx.DecodingError():
            return "its answer could not be decompressed", True
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return "the connection broke", True
        case _:
            return "the request could not be sent", False
