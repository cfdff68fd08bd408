"""Processes on one folder: whose turn it is to read, who waits and for how long."""

import os
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest

from compshare_images.catalogue.turn import STALL
from compshare_images.tools.session import Session
from computer import (
    DENIED,
    EVERY_CALL,
    GONE,
    HOUR,
    PAGES,
    REFUSED,
    SECONDS,
    Computer,
    Watch,
    be_impatient,
    catalogue_of,
    gone,
    gone_once,
    half,
    here,
    later_pages,
    pages,
    structure_of,
    until,
    what_is_said,
)
from loopback import Form, Response
from worlds import image_id, lone, rows

pytestmark = pytest.mark.anyio


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


# One reads.


@pytest.mark.parametrize("count", [2, 8])
async def test_processes_that_start_at_once_read_the_list_once(computer: Computer, count: int) -> None:
    sessions = [await computer.start() for _ in range(count)]
    found: list[dict[str, Any]] = []

    async def look(session: Session) -> None:
        found.append(await catalogue_of(session))

    async with anyio.create_task_group() as group:
        for session in sessions:
            group.start_soon(look, session)
    assert found == [found[0]] * count
    assert found[0]["complete"] is True
    assert computer.asked == PAGES


async def test_a_reading_of_another_place_is_not_waited_for(computer: Computer) -> None:
    slow, quick = await computer.start(), await computer.start()
    async with anyio.create_task_group() as group:
        with computer.holding(here):
            group.start_soon(catalogue_of, slow)
            await computer.until_asked(1)
            assert (await catalogue_of(quick, project_id="org-1"))["complete"] is True


async def test_who_waits_for_another_answers_with_the_old_one_in_time(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await computer.look()
    computer.clock.now += 24 * HOUR
    be_impatient(monkeypatch)
    with computer.stuck():
        assert await computer.look() == {**old, "stale": True}
    assert computer.asked == PAGES


@pytest.mark.usefixtures("nobody_waits_for_the_stuck")
async def test_a_process_that_is_stuck_keeps_nobody_from_reading(computer: Computer) -> None:
    await computer.look()
    computer.clock.now += 24 * HOUR
    with computer.stuck():
        for _ in range(2):
            assert (await computer.look())["stale"] is False
    assert computer.asked == 2 * PAGES


async def test_a_process_is_waited_for_as_long_as_it_gets_on(computer: Computer, watch: Watch) -> None:
    await computer.look()
    computer.clock.now += 24 * HOUR
    waiting = await computer.start()
    with computer.stuck() as lock:
        async with anyio.create_task_group() as group:
            group.start_soon(catalogue_of, waiting)
            for beat in (2, 3, 1):
                os.utime(lock, (beat, beat))
                await watch.looked()
                watch.now += STALL - 1
                await watch.looked()
            assert computer.asked == PAGES
            watch.now += 1
    assert computer.asked == 2 * PAGES


async def test_a_reading_shows_that_it_goes_on(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper.BEAT", 0.001)
    session = await computer.start()
    async with anyio.create_task_group() as group:
        with computer.holding():
            group.start_soon(catalogue_of, session)
            await computer.until_asked(1)
            os.utime(computer.file("lock"), (1, 1))
            await until(lambda: computer.file("lock").stat().st_mtime > 1)


async def test_refused_keys_end_the_waiting_of_all(computer: Computer, watch: Watch) -> None:
    computer.service.answer = lambda _: REFUSED
    sessions = [await computer.start() for _ in range(2)]
    said: list[str] = []

    async def ask(session: Session) -> None:
        said.append(await what_is_said(session))

    async with anyio.create_task_group() as group:
        with computer.holding():
            for session in sessions:
                group.start_soon(ask, session)
            await watch.looked()
    assert [text.partition(" ")[0] for text in said] == ["[authentication_failed]"] * 2
    assert computer.asked == 2


async def test_a_reading_that_is_cut_off_is_taken_over_by_who_waits(computer: Computer, watch: Watch) -> None:
    waiting = await computer.start()

    async def die() -> None:
        async with computer.process({}) as session:
            await catalogue_of(session)

    async with anyio.create_task_group() as group:
        with computer.holding(later_pages):
            async with anyio.create_task_group() as life:
                life.start_soon(die)
                await computer.until_asked(PAGES)
                group.start_soon(catalogue_of, waiting)
                await watch.looked()
                assert computer.asked == PAGES
                life.cancel_scope.cancel()
            await computer.until_asked(PAGES + 1)
    assert (await computer.look())["complete"] is True
    assert {file.suffix for file in computer.files()} == {".lock", ".snapshot"}
    assert computer.asked == 2 * PAGES


async def test_a_refresh_that_ends_with_its_process_is_made_by_the_next(computer: Computer) -> None:
    old = await computer.look()
    computer.clock.now += HOUR
    after = await computer.start()
    with computer.holding():
        async with computer.process({}) as session:
            assert await catalogue_of(session) == {**old, "stale": True}
            await computer.until_asked(PAGES + 1)
        assert await catalogue_of(after) == {**old, "stale": True}
    await after.settle()
    assert (await computer.look())["stale"] is False
    assert computer.asked == 1 + 2 * PAGES


async def test_a_denied_version_does_not_come_back_when_the_refresh_fails(computer: Computer) -> None:
    session = await computer.start()
    await catalogue_of(session)
    computer.clock.now += HOUR
    computer.service.answer = lambda _: DENIED
    with computer.holding(pages):
        await catalogue_of(session)
        await computer.until_asked(PAGES + 1)
        denied = await session.get_image_detail({"compshare_image_id": image_id(1)})
        computer.service.answer = gone
    await session.settle()
    assert denied.text.startswith("[not_found] ")
    found = structure_of(await session.search_community_images({"compshare_image_id": image_id(1)}))
    assert found["images"] == []


async def test_of_many_that_wait_for_a_reading_that_is_cut_off_one_takes_over(computer: Computer, watch: Watch) -> None:
    old = await computer.look()
    computer.clock.now += HOUR
    waiting = [await computer.start() for _ in range(4)]

    async def die() -> None:
        async with computer.process({}) as session:
            await catalogue_of(session)
            await anyio.sleep_forever()

    with computer.holding():
        async with anyio.create_task_group() as life:
            life.start_soon(die)
            await computer.until_asked(PAGES + 1)
            for session in waiting:
                assert await catalogue_of(session) == {**old, "stale": True}
            await watch.looked(4)
            life.cancel_scope.cancel()
        await computer.until_asked(PAGES + 2)
        await watch.looked(3)
        assert computer.asked == PAGES + 2
    for session in waiting:
        await session.settle()
        assert (await catalogue_of(session))["stale"] is False
    assert computer.asked == 2 * PAGES + 1


async def test_a_reading_that_fails_is_tried_by_one_after_another_but_not_for_long(
    computer: Computer, watch: Watch
) -> None:
    first, others = Event(), Event()

    def answer(_: Form) -> Response:
        (first if computer.asked == 1 else others).wait(2 * SECONDS)
        return GONE

    computer.service.answer = answer
    sessions = [await computer.start() for _ in range(4)]
    async with anyio.create_task_group() as group:
        group.start_soon(what_is_said, sessions[0])
        await computer.until_asked(1)
        for session in sessions[1:]:
            group.start_soon(what_is_said, session)
        await watch.looked(3)
        first.set()
        await computer.until_asked(2)
        watch.now += STALL - 1
        await watch.looked(2)
        os.utime(computer.file("lock"), (1, 1))
        await watch.looked(2)
        assert computer.asked == 2
        watch.now += 1
        await computer.until_asked(4)
        others.set()


@pytest.mark.parametrize(("environ", "age"), [({}, 7 * HOUR), (EVERY_CALL, 1)])
async def test_a_reading_that_a_caller_waits_for_is_made_although_another_s_has_failed(
    computer: Computer, watch: Watch, environ: dict[str, str], age: float
) -> None:
    await computer.look()
    computer.clock.now += age
    first, second = await computer.start(**environ), await computer.start(**environ)
    found: list[dict[str, Any]] = []

    async def look() -> None:
        found.append(await catalogue_of(second))

    async with anyio.create_task_group() as group:
        with computer.holding():
            group.start_soon(what_is_said, first)
            await computer.until_asked(PAGES + 1)
            group.start_soon(look)
            await watch.looked()
            computer.service.answer = gone_once()
    assert [one["stale"] for one in found] == [False]


async def test_a_refresh_that_brings_half_is_made_by_one_and_not_again_for_a_while(
    computer: Computer, watch: Watch
) -> None:
    old = await computer.look()
    computer.clock.now += HOUR
    sessions = [await computer.start() for _ in range(3)]
    computer.service.answer = half
    with computer.holding():
        for session in sessions:
            assert await catalogue_of(session) == {**old, "stale": True}
        await computer.until_asked(PAGES + 1)
        await watch.looked(2)
    for session in sessions:
        await session.settle()
    asked = computer.asked
    for session in sessions:
        assert await catalogue_of(session) == {**old, "stale": True}
        await session.settle()
    assert [form["Offset"] for form in computer.service.forms[PAGES:]] == ["0", "100", "100"]
    assert computer.asked == asked


@pytest.mark.usefixtures("nobody_waits_for_the_stuck")
async def test_a_stopped_process_does_not_keep_others_from_refreshing(computer: Computer) -> None:
    await computer.look()
    computer.clock.now += HOUR
    with computer.stuck():
        session = await computer.start()
        assert (await catalogue_of(session))["stale"] is True
        await session.settle()
        assert (await catalogue_of(session))["stale"] is False


async def test_who_waits_for_a_slow_first_reading_gets_what_it_has(
    computer: Computer, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper.BEAT", 0.001)
    reader, waiting = await computer.start(), await computer.start()
    found: list[dict[str, Any]] = []

    async def wait() -> None:
        found.append(await catalogue_of(waiting))

    async with anyio.create_task_group() as group:
        with computer.holding(later_pages):
            group.start_soon(catalogue_of, reader)
            await computer.until_asked(PAGES)
            group.start_soon(wait)
            await watch.looked()
            computer.clock.now += 1
            be_impatient(monkeypatch)
            await until(lambda: bool(found))
    assert (found[0]["image_count"], found[0]["complete"]) == (100, False)
    await reader.settle()
    assert (await catalogue_of(waiting))["complete"] is True
    assert computer.asked == PAGES


async def test_a_later_caller_of_a_slow_first_reading_gets_more(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper.BEAT", 0.001)
    be_impatient(monkeypatch)
    computer.service.answer = rows(*[lone(number) for number in range(250)])
    reader = await computer.start()
    with computer.holding(lambda form: form.get("Offset") == "200"):
        with computer.holding(later_pages):
            assert (await catalogue_of(reader))["image_count"] == 100
            await until(lambda: bool(computer.files("snapshot")))
        await computer.until_asked(3)
        counts: set[int] = set()
        with anyio.fail_after(SECONDS):
            while 200 not in counts:
                counts.add((await catalogue_of(reader))["image_count"])
        assert counts <= {100, 200}
    await reader.settle()


async def test_a_slow_reading_shows_nothing_where_there_is_something_whole(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await computer.look()
    computer.clock.now += 7 * HOUR
    monkeypatch.setattr("compshare_images.catalogue.keeper.BEAT", 0.001)
    be_impatient(monkeypatch)
    before = computer.file().read_bytes()
    with computer.holding(later_pages):
        assert await computer.look() == {**old, "stale": True}
        os.utime(computer.file("lock"), (1, 1))
        await until(lambda: computer.file("lock").stat().st_mtime > 1)
        assert computer.file().read_bytes() == before


async def test_a_long_wait_for_a_turn_leaves_no_open_files(computer: Computer, watch: Watch) -> None:
    await computer.look()
    computer.clock.now += HOUR
    waiting = await computer.start()
    with computer.stuck():
        await catalogue_of(waiting)
        await watch.looked()
        before = open_files()
        for _ in range(5):
            await watch.looked()
        assert open_files() <= before + 1
