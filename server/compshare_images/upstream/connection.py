"""Which service a process speaks to: the real one, or the sandbox in its place."""

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import SecretStr

from compshare_images.settings import KeyPair, Settings
from compshare_images.upstream.client import Client

if TYPE_CHECKING:
    import httpx


def connect(settings: Settings) -> Client:
    """A client that is not connected yet, and complains of missing keys only when it is asked something."""
    if not settings.sandbox:
        return Client(settings.usable_keys, settings.base_url, timeout=settings.timeout)
    from compshare_images.sandbox.service import PRIVATE_KEY, PUBLIC_KEY  # noqa: PLC0415 - most processes need none

    keyed = replace(settings, keys=KeyPair(PUBLIC_KEY, SecretStr(PRIVATE_KEY)))
    return Client(keyed.usable_keys, settings.base_url, timeout=settings.timeout, transport=_sandbox)


def _sandbox() -> "httpx.AsyncBaseTransport":
    from compshare_images.sandbox.transport import SandboxTransport  # noqa: PLC0415 - imports httpx

    return SandboxTransport()
