"""A user's computer: processes that share a cache folder, and a service on loopback whose answers can be held back."""

import os
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest
from filelock import lock_descriptor

from clock import Clock
from compshare_images.catalogue.turn import Turn
from compshare_images.settings import load_settings
from compshare_images.tools.reply import Reply
from compshare_images.tools.session import Session
from loopback import Form, Loopback, Response, json_response, loopback
from worlds import lone, rows

TTL = 600
HOUR = 3600
SECONDS = 10  # a bound on waiting, never an expectation
PAGES = 2  # of the list
EVERY_CALL = {"COMPSHARE_CATALOGUE_TTL": "0"}
WHOLE = rows(*[lone(number) for number in range(101)])
GONE = Response(404)
REFUSED = json_response({"RetCode": 171, "Message": "Signature VerifyAC Error"})
DENIED = json_response({"RetCode": 8039, "Message": "Resource not exist"})


def half(form: Form) -> Response:
    return WHOLE(form) if form.get("Offset") == "0" else GONE


def gone(_: Form) -> Response:
    return GONE


def gone_once() -> Callable[[Form], Response]:
    answers = iter([gone])

    def answer(form: Form) -> Response:
        return next(answers, WHOLE)(form)

    return answer


def anything(_: Form) -> bool:
    return True


def later_pages(form: Form) -> bool:
    return form.get("Offset") != "0"


def pages(form: Form) -> bool:
    return "CompShareImageId" not in form


def here(form: Form) -> bool:
    return "ProjectId" not in form


def structure_of(reply: Reply) -> dict[str, Any]:
    assert reply.structure, reply.text
    return reply.structure


async def catalogue_of(session: Session, **given: object) -> dict[str, Any]:
    return structure_of(await session.search_community_images({"limit": 1, **given}))["catalogue"]


async def what_is_said(session: Session) -> str:
    return (await session.search_community_images({})).text


async def until(done: Callable[[], bool]) -> None:
    with anyio.fail_after(SECONDS):
        while not done():
            await anyio.lowlevel.checkpoint()


@dataclass
class Computer:
    """A user's: a service, a cache folder, a time, and processes."""

    service: Loopback
    clock: Clock
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def process(self, environ: dict[str, str], *, one_shot: bool = False) -> Session:
        return Session(load_settings({**self.service.settings, **environ}), clock=self.clock, one_shot=one_shot)

    async def start(self, **environ: str) -> Session:
        return await self.stack.enter_async_context(self.process(environ))

    async def command(self) -> Session:
        return await self.stack.enter_async_context(self.process({}, one_shot=True))

    async def look(self, **environ: str) -> dict[str, Any]:
        return await catalogue_of(await self.start(**environ))

    @property
    def asked(self) -> int:
        return len(self.service.forms)

    async def until_asked(self, times: int) -> None:
        await until(lambda: self.asked >= times)

    def file(self, kind: str = "snapshot") -> Path:
        (file,) = self.service.cache.glob(f"*.{kind}")
        return file

    def files(self, kind: str = "*") -> set[Path]:
        return set(self.service.cache.glob(f"*.{kind}"))

    @contextmanager
    def holding(self, wait: Callable[[Form], bool] = anything) -> Generator[None]:
        """Answers that `wait` chooses come after the block, and are those of then."""
        answer, gate = self.service.answer, Event()

        def hold(form: Form) -> Response:
            if wait(form):
                gate.wait(2 * SECONDS)
                return self.service.answer(form)
            return answer(form)

        self.service.answer = hold
        try:
            yield
        finally:
            if self.service.answer is hold:
                self.service.answer = answer
            gate.set()

    @contextmanager
    def stuck(self) -> Generator[Path]:
        """The turn is with a process that never gets on."""
        file = self.file("lock")
        descriptor = os.open(file, os.O_RDWR)
        try:
            assert lock_descriptor(descriptor, blocking=False)
            yield file
        finally:
            os.close(descriptor)


@pytest.fixture
async def computer(clock: Clock) -> AsyncGenerator[Computer]:
    with loopback(WHOLE) as service:
        computer = Computer(service, clock)
        async with computer.stack:
            yield computer


@dataclass
class Watch:
    """In the place of the `time` of whoever waits for a turn. `looks` counts how often each has looked at it."""

    now: float = 0
    looks: Counter[Turn] = field(default_factory=Counter[Turn])

    def monotonic(self) -> float:
        return self.now

    async def looked(self, by: int = 1) -> None:
        """That many who wait have looked at the turn since, from beginning to end."""
        before = self.looks.copy()
        await until(lambda: sum(looks >= before[turn] + 2 for turn, looks in self.looks.items()) >= by)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    is_vain = vars(Turn)["_is_vain"]

    def counted(turn: Turn, status: os.stat_result) -> bool:
        vain: bool = is_vain(turn, status)
        watch.looks[turn] += 1
        return vain

    monkeypatch.setattr(Turn, "_is_vain", counted)
    monkeypatch.setattr("compshare_images.catalogue.turn.time", watch)
    monkeypatch.setattr("compshare_images.catalogue.keeper._POLL", 0.001)
    return watch


def be_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper.PATIENCE", 0.05)


@pytest.fixture
def nobody_waits_for_the_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.catalogue.turn.STALL", 0.0)
