"""Which service a process speaks to: the real one, or the sandbox in its place."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from pydantic import SecretStr

from compshare_images.sandbox.service import PRIVATE_KEY, PUBLIC_KEY, Sandbox
from compshare_images.settings import KeyPair, Settings
from compshare_images.upstream.client import Client


def connect(settings: Settings) -> Client:
    """A client that is not connected yet, and complains of missing keys only when it is asked something."""
    if not settings.sandbox:
        return Client(settings.usable_keys, settings.base_url, timeout=settings.timeout)
    keyed = replace(settings, keys=KeyPair(PUBLIC_KEY, SecretStr(PRIVATE_KEY)))
    return Client(keyed.usable_keys, settings.base_url, timeout=settings.timeout, local=_sandbox)


def _sandbox(form: Mapping[str, str]) -> object:
    return _shared_sandbox().answer(form)


@cache
def _shared_sandbox() -> Sandbox:
    """Its samples take a moment to read, so not before they are asked for."""
    return Sandbox()
