"""A user's machine: processes that share a cache folder, and a service that answers without a network."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from clock import Clock
from compshare_images.sandbox.samples import Row
from compshare_images.sandbox.service import PRIVATE_KEY, PUBLIC_KEY
from compshare_images.settings import load_settings
from compshare_images.tools.reply import Reply
from compshare_images.tools.session import Session
from compshare_images.upstream.client import Client
from loopback import Form
from worlds import group, lone, version

URL = "https://api.example"
GONE = {"RetCode": 999}
DENIED = {"RetCode": 8039, "Message": "Resource not exist"}


def structure_of(reply: Reply) -> dict[str, Any]:
    assert reply.structure, reply.text
    return reply.structure


async def catalogue_of(session: Session, **given: object) -> dict[str, Any]:
    return structure_of(await session.search_community_images({"limit": 1, **given}))["catalogue"]


def listing(*held: Row, key: str = "CompshareImageGroup") -> Row:
    return {"RetCode": 0, key: held}


async def do_not_sleep(_: float) -> None:
    """A pause between attempts is none here."""


@dataclass
class Machine:
    """A user's: a cache folder, a time, processes. Its service answers without a network; `forms` came to it."""

    folder: Path
    clock: Clock
    stack: AsyncExitStack
    answer: Callable[[Form], object]
    forms: list[Form] = field(default_factory=list[Form])

    async def start(self, **environ: str) -> Session:
        keys = {"COMPSHARE_PUBLIC_KEY": PUBLIC_KEY, "COMPSHARE_PRIVATE_KEY": PRIVATE_KEY}
        here = {"COMPSHARE_BASE_URL": URL, "COMPSHARE_CACHE_DIR": str(self.folder)}
        settings = load_settings({**keys, **here, **environ})
        client = Client(settings.usable_keys, settings.base_url, local=self._answer, sleep=do_not_sleep)
        session = Session(settings, None if settings.sandbox else client, clock=self.clock)
        return await self.stack.enter_async_context(session)

    async def find(self, **environ: str) -> dict[str, Any]:
        return structure_of(await (await self.start(**environ)).search_community_images({}))

    def go(self, last: object = GONE) -> None:
        self.answer = lambda _: last

    def file(self, kind: str = "snapshot") -> Path:
        (file,) = self.folder.glob(f"*.{kind}")
        return file

    def files(self, kind: str = "*") -> set[Path]:
        return set(self.folder.glob(f"images-*.{kind}"))

    @property
    def kinds(self) -> set[str]:
        return {file.suffix for file in self.folder.iterdir()} if self.folder.exists() else set()

    @property
    def asked(self) -> int:
        return len(self.forms)

    def _answer(self, form: Mapping[str, str]) -> object:
        self.forms.append(dict(form))
        return self.answer(dict(form))


@pytest.fixture
async def machine(clock: Clock, tmp_path: Path) -> AsyncGenerator[Machine]:
    held = listing(lone(1), group(2, version(2, PubTime=20), version(3, PubTime=10)))
    async with AsyncExitStack() as stack:
        yield Machine(tmp_path / "cache", clock, stack, lambda _: held)
