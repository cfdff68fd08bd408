"""One HTTP exchange with the service. The only module that imports `httpx`, which costs too much for a start-up."""

import json
import ssl
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl

import anyio
import httpx

from compshare_images import __version__
from compshare_images.errors import NotConfigured, Unreachable, UpstreamInvalid, UpstreamUnavailable

MAX_BODY = 64 * 1024 * 1024

Answerer = Callable[[Mapping[str, str]], object]
"""Answers a decoded form with JSON, in the place of the network."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `retry_after` is in seconds; it and `request_id` are None when the service gave none."""

    status: int
    body: bytes
    request_id: str | None
    retry_after: float | None


class Http:
    """A pooled connection to one address.

    Redirects are never followed: a signed form must not travel. Parameters go in the body, so that no signature is
    in an address that somebody logs. Proxies of the environment are used, but not on the way to loopback.
    """

    def __init__(self, base_url: str, local: Answerer | None = None) -> None:
        self._base_url = base_url
        try:
            self._client = httpx.AsyncClient(
                headers={
                    "User-Agent": f"compshare-images-mcp/{__version__}",
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip",
                },
                follow_redirects=False,
                timeout=None,  # noqa: S113 - the caller bounds the whole exchange, which a limit per read would not
                transport=httpx.MockTransport(_locally(local)) if local else None,
                trust_env=local is None and not base_url.lower().startswith("http://"),
            )
        except (ImportError, ValueError, OSError, httpx.InvalidURL):
            raise NotConfigured(
                "The proxy or certificate settings of the environment cannot be used.",
                remedy="Correct HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE or SSL_CERT_DIR, and restart.",
            ) from None

    async def post(self, form: Mapping[str, str], *, patience: float) -> Answer:
        """Send one signed form, and read what comes back, whatever its status.

        An error's status says enough, so that its body is waited for only `patience` seconds.

        Raises:
            UpstreamUnavailable: no whole answer came.
            UpstreamInvalid: the answer is larger than `MAX_BODY`.
        """
        try:
            async with self._client.stream("POST", self._base_url, data=dict(form)) as response:
                return Answer(
                    status=response.status_code,
                    body=await _body(response, patience),
                    request_id=response.headers.get("X-UCLOUD-REQUEST-UUID"),
                    retry_after=_retry_after(response.headers.get("Retry-After")),
                )
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, zlib.error, OSError) as error:
            raise _trouble(error) from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()


def _locally(answer: Answerer) -> Callable[[httpx.Request], httpx.Response]:
    def handle(request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode(), keep_blank_values=True))
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(answer(form)).encode()))

    return handle


def _retry_after(value: str | None) -> float | None:
    """Seconds from now, of either form that HTTP allows; None for none or rubbish."""
    value = (value or "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:10])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


async def _body(response: httpx.Response, patience: float) -> bytes:
    if response.is_success:
        return await _bounded(response)
    with anyio.move_on_after(patience), suppress(httpx.HTTPError, zlib.error, UpstreamInvalid):
        return await _bounded(response)
    return b""


async def _bounded(response: httpx.Response) -> bytes:
    """Unpacked here, and never by more than is allowed: a few bytes can hold gigabytes of gzip."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise UpstreamInvalid("CompShare's answer is packed in a way that was not asked for.")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += unpacker.decompress(chunk, MAX_BODY + 1 - len(body)) if unpacker else chunk
        if len(body) > MAX_BODY:
            raise UpstreamInvalid(f"CompShare's answer is larger than {MAX_BODY >> 20} MiB.")
    if unpacker and not unpacker.eof:
        raise zlib.error
    return bytes(body)


def _trouble(error: Exception) -> UpstreamUnavailable:
    """Said without an address, a path or a library's own wording."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable("CompShare's TLS certificate is not trusted here.")
        if isinstance(cause, ssl.SSLError):
            return Unreachable("The TLS connection to CompShare failed.")
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.ProxyError():
            return Unreachable("The proxy refused to connect to CompShare.")
        case httpx.ConnectError():
            return UpstreamUnavailable("CompShare could not be reached: name not found, refused, or no network.")
        case httpx.NetworkError() | httpx.RemoteProtocolError() | zlib.error():
            return UpstreamUnavailable("The connection to CompShare broke in the middle of an answer.")
        case _:
            return Unreachable("The request to CompShare could not be sent.")
