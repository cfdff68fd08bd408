"""Processes on one folder: how old a snapshot may be, whose turn it is to read, and who waits."""

import os
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
from compshare_images.catalogue.turn import STALL
from compshare_images.settings import load_settings
from compshare_images.tools.reply import Reply
from compshare_images.tools.session import Session
from compshare_images.upstream.client import Client
from loopback import Form, Loopback, Response, json_response, loopback
from worlds import image_id, lone, rows

pytestmark = pytest.mark.anyio

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
class Machine:
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
async def machine(clock: Clock) -> AsyncGenerator[Machine]:
    with loopback(WHOLE) as service:
        machine = Machine(service, clock)
        async with machine.stack:
            yield machine


@dataclass
class Watch:
    """In the place of the `time` of whoever waits for a turn. `looks` counts how often it was read."""

    now: float = 0
    looks: int = 0

    def monotonic(self) -> float:
        self.looks += 1
        return self.now

    async def looked(self) -> None:
        """Whoever waits has looked at the turn since, from beginning to end."""
        enough = self.looks + 6
        await until(lambda: self.looks >= enough)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr("compshare_images.catalogue.turn.time", watch)
    monkeypatch.setattr("compshare_images.catalogue.keeper._POLL", 0.001)
    return watch


def be_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper.PATIENCE", 0.05)


@pytest.fixture
def nobody_waits_for_the_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.catalogue.turn.STALL", 0.0)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper._PAUSE", 0.0)


# Ages.


async def test_a_fresh_snapshot_costs_no_request(machine: Machine) -> None:
    first = await machine.look()
    machine.clock.now += TTL - 1
    assert await machine.look() == {**first, "stale": False}
    assert machine.asked == PAGES


@pytest.mark.parametrize("age", [TTL, 6 * HOUR])
async def test_a_stale_snapshot_is_served_at_once_and_refreshed_for_all(machine: Machine, age: float) -> None:
    first, second = await machine.look(), await machine.start()
    machine.clock.now += age
    with machine.holding():
        for _ in range(3):
            assert await catalogue_of(second) == {**first, "stale": True}
    await second.settle()
    third = await machine.look()
    assert (third["stale"], third["fetched_at"] > first["fetched_at"]) == (False, True)
    assert machine.asked == 2 * PAGES


async def test_a_snapshot_that_is_too_old_is_read_again_first(machine: Machine) -> None:
    first = await machine.look()
    machine.clock.now += 6 * HOUR + 1
    second = await machine.look()
    assert (second["stale"], second["fetched_at"] > first["fetched_at"]) == (False, True)
    assert machine.asked == 2 * PAGES


async def test_with_a_lifetime_of_zero_every_call_reads_whoever_read_before(machine: Machine) -> None:
    await machine.look()
    session = await machine.start(**EVERY_CALL)
    for reads in (2, 3):
        assert (await catalogue_of(session))["stale"] is False
        assert machine.asked == reads * PAGES
    await machine.look(**EVERY_CALL)
    await machine.look()
    assert machine.asked == 4 * PAGES


async def test_a_snapshot_from_the_future_gives_way_to_a_true_one(machine: Machine) -> None:
    first, second = await machine.start(), await machine.start()
    wrong = await catalogue_of(first)
    machine.clock.now -= HOUR
    with machine.holding():
        assert await catalogue_of(second) == {**wrong, "stale": True}
    await second.settle()
    for right in (await machine.look(), await catalogue_of(first)):
        assert (right["stale"], right["fetched_at"] < wrong["fetched_at"]) == (False, True)
    assert machine.asked == 2 * PAGES


@pytest.mark.parametrize("age", [HOUR, 24 * HOUR])
async def test_a_process_whose_own_copy_is_old_takes_another_s_newer_one(machine: Machine, age: float) -> None:
    old = await machine.start()
    await catalogue_of(old)
    machine.clock.now += age
    newer = await catalogue_of(await machine.command())
    assert await catalogue_of(old) == newer
    assert newer["stale"] is False
    assert machine.asked == 2 * PAGES


# Half of it.


async def test_half_a_catalogue_answers_only_when_there_is_nothing_better(machine: Machine) -> None:
    machine.service.answer = half
    first = await machine.look()
    machine.service.answer = gone
    second, asked = await machine.start(), machine.asked
    for calls in (1, 2):
        assert await catalogue_of(second) == first
        assert machine.asked == asked + calls
    machine.service.answer = WHOLE
    assert (first["complete"], (await catalogue_of(second))["complete"]) == (False, True)
    assert (await machine.look())["complete"] is True
    assert machine.asked == asked + 2 + PAGES


@pytest.mark.parametrize("environ", [{}, EVERY_CALL])
async def test_half_a_catalogue_never_takes_a_whole_one_s_place(machine: Machine, environ: dict[str, str]) -> None:
    whole = await machine.look()
    machine.clock.now += 24 * HOUR
    for answer in (half, gone):
        machine.service.answer = answer
        assert await machine.look(**environ) == {**whole, "stale": True}


@pytest.mark.usefixtures("nobody_waits_for_the_stuck")
async def test_half_a_catalogue_never_takes_the_place_of_what_another_read_meanwhile(machine: Machine) -> None:
    slow, quick = await machine.start(), await machine.start()
    whole: list[object] = []
    async with anyio.create_task_group() as group:
        with machine.holding(later_pages):
            group.start_soon(catalogue_of, slow)
            await machine.until_asked(2)
            machine.service.answer = WHOLE
            whole.append(await catalogue_of(quick))
            machine.service.answer = half
    machine.service.answer = gone
    assert [await machine.look()] == whole


# One reads.


@pytest.mark.parametrize("count", [2, 8])
async def test_processes_that_start_at_once_read_the_list_once(machine: Machine, count: int) -> None:
    sessions = [await machine.start() for _ in range(count)]
    found: list[dict[str, Any]] = []

    async def look(session: Session) -> None:
        found.append(await catalogue_of(session))

    async with anyio.create_task_group() as group:
        for session in sessions:
            group.start_soon(look, session)
    assert found == [found[0]] * count
    assert found[0]["complete"] is True
    assert machine.asked == PAGES


async def test_a_reading_of_another_place_is_not_waited_for(machine: Machine) -> None:
    slow, quick = await machine.start(), await machine.start()
    async with anyio.create_task_group() as group:
        with machine.holding(here):
            group.start_soon(catalogue_of, slow)
            await machine.until_asked(1)
            assert (await catalogue_of(quick, project_id="org-1"))["complete"] is True


async def test_who_waits_for_another_answers_with_the_old_one_in_time(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await machine.look()
    machine.clock.now += 24 * HOUR
    be_impatient(monkeypatch)
    with machine.stuck():
        assert await machine.look() == {**old, "stale": True}
    assert machine.asked == PAGES


@pytest.mark.usefixtures("nobody_waits_for_the_stuck")
async def test_a_process_that_is_stuck_keeps_nobody_from_reading(machine: Machine) -> None:
    await machine.look()
    machine.clock.now += 24 * HOUR
    with machine.stuck():
        for _ in range(2):
            assert (await machine.look())["stale"] is False
    assert machine.asked == 2 * PAGES


async def test_a_process_is_waited_for_as_long_as_it_gets_on(machine: Machine, watch: Watch) -> None:
    await machine.look()
    machine.clock.now += 24 * HOUR
    waiting = await machine.start()
    with machine.stuck() as lock:
        async with anyio.create_task_group() as group:
            group.start_soon(catalogue_of, waiting)
            for beat in range(1, 4):
                os.utime(lock, (beat, beat))
                await watch.looked()
                watch.now += STALL - 1
                await watch.looked()
            assert machine.asked == PAGES
            watch.now += 1
    assert machine.asked == 2 * PAGES


async def test_a_reading_shows_that_it_goes_on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper.BEAT", 0.001)
    session = await machine.start()
    async with anyio.create_task_group() as group:
        with machine.holding():
            group.start_soon(catalogue_of, session)
            await machine.until_asked(1)
            os.utime(machine.file("lock"), (1, 1))
            await until(lambda: machine.file("lock").stat().st_mtime > 1)


async def test_refused_keys_end_the_waiting_of_all(machine: Machine, watch: Watch) -> None:
    machine.service.answer = lambda _: REFUSED
    sessions = [await machine.start() for _ in range(2)]
    said: list[str] = []

    async def ask(session: Session) -> None:
        said.append(await what_is_said(session))

    async with anyio.create_task_group() as group:
        with machine.holding():
            for session in sessions:
                group.start_soon(ask, session)
            await watch.looked()
    assert [text.partition(" ")[0] for text in said] == ["[authentication_failed]"] * 2
    assert machine.asked == 2


async def test_a_reading_that_is_cut_off_is_taken_over_by_who_waits(machine: Machine, watch: Watch) -> None:
    waiting = await machine.start()

    async def die() -> None:
        async with machine.process({}) as session:
            await catalogue_of(session)

    async with anyio.create_task_group() as group:
        with machine.holding(later_pages):
            async with anyio.create_task_group() as life:
                life.start_soon(die)
                await machine.until_asked(PAGES)
                group.start_soon(catalogue_of, waiting)
                await watch.looked()
                assert machine.asked == PAGES
                life.cancel_scope.cancel()
            await machine.until_asked(PAGES + 1)
    assert (await machine.look())["complete"] is True
    assert {file.suffix for file in machine.files()} == {".lock", ".snapshot"}
    assert machine.asked == 2 * PAGES


async def test_a_refresh_that_ends_with_its_process_is_made_by_the_next(machine: Machine) -> None:
    old = await machine.look()
    machine.clock.now += HOUR
    after = await machine.start()
    with machine.holding():
        async with machine.process({}) as session:
            assert await catalogue_of(session) == {**old, "stale": True}
            await machine.until_asked(PAGES + 1)
        assert await catalogue_of(after) == {**old, "stale": True}
    await after.settle()
    assert (await machine.look())["stale"] is False
    assert machine.asked == 1 + 2 * PAGES


async def test_a_denied_version_does_not_come_back_when_the_refresh_fails(machine: Machine) -> None:
    session = await machine.start()
    await catalogue_of(session)
    machine.clock.now += HOUR
    machine.service.answer = lambda _: DENIED
    with machine.holding(pages):
        await catalogue_of(session)
        await machine.until_asked(PAGES + 1)
        denied = await session.get_image_detail({"compshare_image_id": image_id(1)})
        machine.service.answer = gone
    await session.settle()
    assert denied.text.startswith("[not_found] ")
    found = structure_of(await session.search_community_images({"compshare_image_id": image_id(1)}))
    assert found["images"] == []


async def test_of_many_that_wait_for_a_reading_that_is_cut_off_one_takes_over(machine: Machine, watch: Watch) -> None:
    waiting = [await machine.start() for _ in range(4)]

    async def die() -> None:
        async with machine.process({}) as session:
            await catalogue_of(session)

    async with anyio.create_task_group() as group:
        with machine.holding(later_pages):
            async with anyio.create_task_group() as life:
                life.start_soon(die)
                await machine.until_asked(PAGES)
                for session in waiting:
                    group.start_soon(catalogue_of, session)
                await watch.looked()
                life.cancel_scope.cancel()
    assert machine.asked == 2 * PAGES


async def test_those_who_wait_for_a_reading_that_comes_to_nothing_try_at_once(machine: Machine, watch: Watch) -> None:
    first, others = Event(), Event()

    def answer(_: Form) -> Response:
        (first if machine.asked == 1 else others).wait(2 * SECONDS)
        return GONE

    machine.service.answer = answer
    sessions = [await machine.start() for _ in range(4)]
    async with anyio.create_task_group() as group:
        group.start_soon(what_is_said, sessions[0])
        await machine.until_asked(1)
        for session in sessions[1:]:
            group.start_soon(what_is_said, session)
        await watch.looked()
        first.set()
        await machine.until_asked(4)
        others.set()


async def test_a_refresh_that_brings_half_is_made_by_one_and_not_again_for_a_while(
    machine: Machine, watch: Watch
) -> None:
    old = await machine.look()
    machine.clock.now += HOUR
    sessions = [await machine.start() for _ in range(3)]
    machine.service.answer = half
    with machine.holding():
        for session in sessions:
            assert await catalogue_of(session) == {**old, "stale": True}
        await machine.until_asked(PAGES + 1)
        await watch.looked()
    for session in sessions:
        await session.settle()
    asked = machine.asked
    for session in sessions:
        assert await catalogue_of(session) == {**old, "stale": True}
        await session.settle()
    assert [form["Offset"] for form in machine.service.forms[PAGES:]] == ["0", "100", "100"]
    assert machine.asked == asked


@pytest.mark.usefixtures("nobody_waits_for_the_stuck")
async def test_a_stopped_process_does_not_keep_others_from_refreshing(machine: Machine) -> None:
    await machine.look()
    machine.clock.now += HOUR
    with machine.stuck():
        session = await machine.start()
        assert (await catalogue_of(session))["stale"] is True
        await session.settle()
        assert (await catalogue_of(session))["stale"] is False


async def test_who_waits_for_a_slow_first_reading_gets_what_it_has(
    machine: Machine, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper.BEAT", 0.001)
    reader, waiting = await machine.start(), await machine.start()
    found: list[dict[str, Any]] = []

    async def wait() -> None:
        found.append(await catalogue_of(waiting))

    async with anyio.create_task_group() as group:
        with machine.holding(later_pages):
            group.start_soon(catalogue_of, reader)
            await machine.until_asked(PAGES)
            group.start_soon(wait)
            await watch.looked()
            machine.clock.now += 1
            be_impatient(monkeypatch)
            await until(lambda: bool(found))
    assert (found[0]["image_count"], found[0]["complete"]) == (100, False)
    await reader.settle()
    assert (await catalogue_of(waiting))["complete"] is True
    assert machine.asked == PAGES


# A refresh by itself, and the command line's.


async def woken(machine: Machine, session: Session) -> None:
    os.utime(machine.file(), (1, 1))
    session.wake()
    await until(lambda: machine.file().stat().st_mtime > 1)


@pytest.mark.parametrize(("age", "reads"), [(TTL - 1, 1), (TTL, 2), (24 * HOUR, 2), (-HOUR, 2)])
@pytest.mark.usefixtures("at_once")
async def test_a_process_that_wakes_refreshes_what_is_not_fresh(machine: Machine, age: float, reads: int) -> None:
    await machine.look()
    machine.clock.now += age
    session = await machine.start()
    await woken(machine, session)
    await machine.until_asked(reads * PAGES)
    for _ in range(2):
        await session.settle()
        assert (await catalogue_of(session))["stale"] is False
    assert (await machine.look())["stale"] is False
    assert machine.asked == reads * PAGES


@pytest.mark.usefixtures("at_once")
async def test_a_process_wakes_once(machine: Machine) -> None:
    await machine.look()
    session = await machine.start()
    await woken(machine, session)
    await catalogue_of(session)
    machine.clock.now += HOUR
    session.wake()
    await anyio.wait_all_tasks_blocked()
    await session.get_image_detail({"compshare_image_id": image_id(1)})
    await session.settle()
    assert [form.get("Offset") for form in machine.service.forms] == ["0", "100", None]


@pytest.mark.usefixtures("at_once")
async def test_a_process_that_was_just_refused_does_not_ask_again_by_itself(machine: Machine) -> None:
    machine.service.answer = lambda _: REFUSED
    session = await machine.start()
    await session.search_community_images({})
    session.wake()
    await anyio.wait_all_tasks_blocked()
    await session.settle()
    assert machine.asked == 1


@pytest.mark.parametrize("environ", [{"COMPSHARE_SANDBOX": "1"}, {"COMPSHARE_PRIVATE_KEY": ""}, EVERY_CALL])
@pytest.mark.usefixtures("at_once")
async def test_without_keys_or_use_for_it_nothing_is_refreshed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    asked: list[object] = []

    async def describe(*given: object, **_: object) -> None:
        asked.append(given)

    monkeypatch.setattr(Client, "describe", describe)
    (await machine.start(XDG_CONFIG_HOME=os.devnull, **environ)).wake()
    await anyio.wait_all_tasks_blocked()
    assert asked == []


async def test_a_command_waits_for_its_refresh(machine: Machine) -> None:
    await machine.look()
    machine.clock.now += HOUR
    assert (await catalogue_of(await machine.command()))["stale"] is False
    assert machine.asked == 2 * PAGES


async def test_a_command_whose_patience_ends_leaves_the_new_snapshot_behind(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await machine.look()
    machine.clock.now += HOUR
    be_impatient(monkeypatch)
    command = await machine.command()
    with machine.holding():
        assert await catalogue_of(command) == {**old, "stale": True}
    await command.settle()
    assert (await machine.look())["stale"] is False
    assert machine.asked == 2 * PAGES


async def test_a_command_that_cannot_refresh_answers_with_what_there_is(machine: Machine) -> None:
    old = await machine.look()
    machine.clock.now += HOUR
    machine.service.answer = gone
    assert await catalogue_of(await machine.command()) == {**old, "stale": True}


async def test_a_command_does_not_wait_for_ever(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    be_impatient(monkeypatch)
    monkeypatch.setattr("compshare_images.tools.session.SETTLE_LIMIT", 0.0)
    command = await machine.command()
    with machine.holding(later_pages):
        assert (await catalogue_of(command))["complete"] is False
        await command.settle()
        assert machine.files("snapshot") == set()
