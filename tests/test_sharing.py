"""Processes on one folder: how old a snapshot may be, half a one, and a refresh that nobody asked for."""

import os
from typing import Any

import anyio
import pytest

from compshare_images.tools.session import Session
from compshare_images.upstream.client import Client
from computer import (
    DENIED,
    EVERY_CALL,
    HOUR,
    PAGES,
    REFUSED,
    TTL,
    WHOLE,
    Computer,
    be_impatient,
    catalogue_of,
    gone,
    half,
    later_pages,
    until,
)
from loopback import Response
from worlds import image_id

pytestmark = pytest.mark.anyio


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper._PAUSE", 0.0)


# Ages.


async def test_a_fresh_snapshot_costs_no_request(computer: Computer) -> None:
    first = await computer.look()
    computer.clock.now += TTL - 1
    assert await computer.look() == {**first, "stale": False}
    assert computer.asked == PAGES


@pytest.mark.parametrize("age", [TTL, 6 * HOUR])
async def test_a_stale_snapshot_is_served_at_once_and_refreshed_for_all(computer: Computer, age: float) -> None:
    first, second = await computer.look(), await computer.start()
    computer.clock.now += age
    with computer.holding():
        for _ in range(3):
            assert await catalogue_of(second) == {**first, "stale": True}
    await second.settle()
    third = await computer.look()
    assert (third["stale"], third["fetched_at"] > first["fetched_at"]) == (False, True)
    assert computer.asked == 2 * PAGES


async def test_a_snapshot_that_is_too_old_is_read_again_first(computer: Computer) -> None:
    first = await computer.look()
    computer.clock.now += 6 * HOUR + 1
    second = await computer.look()
    assert (second["stale"], second["fetched_at"] > first["fetched_at"]) == (False, True)
    assert computer.asked == 2 * PAGES


async def test_with_a_lifetime_of_zero_every_call_reads_whoever_read_before(computer: Computer) -> None:
    await computer.look()
    session = await computer.start(**EVERY_CALL)
    for reads in (2, 3):
        assert (await catalogue_of(session))["stale"] is False
        assert computer.asked == reads * PAGES
    await computer.look(**EVERY_CALL)
    await computer.look()
    assert computer.asked == 4 * PAGES


async def test_a_snapshot_from_the_future_gives_way_to_a_true_one(computer: Computer) -> None:
    first, second = await computer.start(), await computer.start()
    wrong = await catalogue_of(first)
    computer.clock.now -= HOUR
    with computer.holding():
        assert await catalogue_of(second) == {**wrong, "stale": True}
    await second.settle()
    for right in (await computer.look(), await catalogue_of(first)):
        assert (right["stale"], right["fetched_at"] < wrong["fetched_at"]) == (False, True)
    assert computer.asked == 2 * PAGES


@pytest.mark.parametrize("age", [HOUR, 24 * HOUR])
async def test_a_process_whose_own_copy_is_old_takes_another_s_newer_one(computer: Computer, age: float) -> None:
    old = await computer.start()
    await catalogue_of(old)
    computer.clock.now += age
    newer = await catalogue_of(await computer.command())
    assert await catalogue_of(old) == newer
    assert newer["stale"] is False
    assert computer.asked == 2 * PAGES


# Half of it.


async def test_half_a_catalogue_answers_only_when_there_is_nothing_better(computer: Computer) -> None:
    computer.service.answer = half
    first = await computer.look()
    computer.service.answer = gone
    second, asked = await computer.start(), computer.asked
    for calls in (1, 2):
        assert await catalogue_of(second) == first
        assert computer.asked == asked + calls
    computer.service.answer = WHOLE
    assert (first["complete"], (await catalogue_of(second))["complete"]) == (False, True)
    assert (await computer.look())["complete"] is True
    assert computer.asked == asked + 2 + PAGES


@pytest.mark.parametrize("environ", [{}, EVERY_CALL])
async def test_half_a_catalogue_never_takes_a_whole_one_s_place(computer: Computer, environ: dict[str, str]) -> None:
    whole = await computer.look()
    computer.clock.now += 24 * HOUR
    for answer in (half, gone):
        computer.service.answer = answer
        assert await computer.look(**environ) == {**whole, "stale": True}


@pytest.mark.usefixtures("nobody_waits_for_the_stuck")
async def test_half_a_catalogue_never_takes_the_place_of_what_another_read_meanwhile(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper.BEAT", 0.001)
    slow, quick = await computer.start(), await computer.start()
    answers: list[dict[str, Any]] = []

    async def look() -> None:
        answers.append(await catalogue_of(slow))

    async with anyio.create_task_group() as group:
        with computer.holding(later_pages):
            group.start_soon(look)
            await computer.until_asked(2)
            computer.service.answer = WHOLE
            answers.append(await catalogue_of(quick))
            be_impatient(monkeypatch)
            os.utime(computer.file("lock"), (1, 1))
            await until(lambda: computer.file("lock").stat().st_mtime > 1)
            computer.service.answer = half
    computer.service.answer = gone
    assert [await computer.look()] * 2 == answers
    assert answers[0]["complete"] is True


# A refresh by itself, and the command line's.


async def woken(computer: Computer, session: Session) -> None:
    os.utime(computer.file(), (1, 1))
    session.wake()
    await until(lambda: computer.file().stat().st_mtime > 1)


@pytest.mark.parametrize(("age", "reads"), [(TTL - 1, 1), (TTL, 2), (24 * HOUR, 2), (-HOUR, 2)])
@pytest.mark.usefixtures("at_once")
async def test_a_process_that_wakes_refreshes_what_is_not_fresh(computer: Computer, age: float, reads: int) -> None:
    await computer.look()
    computer.clock.now += age
    session = await computer.start()
    await woken(computer, session)
    await computer.until_asked(reads * PAGES)
    for _ in range(2):
        await session.settle()
        assert (await catalogue_of(session))["stale"] is False
    assert (await computer.look())["stale"] is False
    assert computer.asked == reads * PAGES


@pytest.mark.usefixtures("at_once")
async def test_a_process_wakes_once(computer: Computer) -> None:
    await computer.look()
    session = await computer.start()
    await woken(computer, session)
    await catalogue_of(session)
    computer.clock.now += HOUR
    session.wake()
    await anyio.wait_all_tasks_blocked()
    await session.get_image_detail({"compshare_image_id": image_id(1)})
    await session.settle()
    assert [form.get("Offset") for form in computer.service.forms] == ["0", "100", None]


@pytest.mark.usefixtures("at_once")
async def test_a_process_that_was_just_refused_does_not_ask_again_by_itself(computer: Computer) -> None:
    computer.service.answer = lambda _: REFUSED
    session = await computer.start()
    await session.search_community_images({})
    session.wake()
    await anyio.wait_all_tasks_blocked()
    await session.settle()
    assert computer.asked == 1


@pytest.mark.parametrize("environ", [{"COMPSHARE_SANDBOX": "1"}, {"COMPSHARE_PRIVATE_KEY": ""}, EVERY_CALL])
@pytest.mark.usefixtures("at_once")
async def test_without_keys_or_use_for_it_nothing_is_refreshed(
    computer: Computer, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    asked: list[object] = []

    async def describe(*given: object, **_: object) -> None:
        asked.append(given)

    monkeypatch.setattr(Client, "describe", describe)
    (await computer.start(XDG_CONFIG_HOME=os.devnull, **environ)).wake()
    await anyio.wait_all_tasks_blocked()
    assert asked == []


async def test_a_command_waits_for_its_refresh(computer: Computer) -> None:
    await computer.look()
    computer.clock.now += HOUR
    assert (await catalogue_of(await computer.command()))["stale"] is False
    assert computer.asked == 2 * PAGES


async def test_a_command_whose_patience_ends_leaves_the_new_snapshot_behind(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await computer.look()
    computer.clock.now += HOUR
    be_impatient(monkeypatch)
    command = await computer.command()
    with computer.holding():
        assert await catalogue_of(command) == {**old, "stale": True}
    await command.settle()
    assert (await computer.look())["stale"] is False
    assert computer.asked == 2 * PAGES


async def test_a_command_that_cannot_refresh_answers_with_what_there_is(computer: Computer) -> None:
    old = await computer.look()
    computer.clock.now += HOUR
    computer.service.answer = gone
    assert await catalogue_of(await computer.command()) == {**old, "stale": True}


async def test_a_command_does_not_wait_for_ever(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    be_impatient(monkeypatch)
    monkeypatch.setattr("compshare_images.tools.session.SETTLE_LIMIT", 0.0)
    command = await computer.command()
    with computer.holding(later_pages):
        assert (await catalogue_of(command))["complete"] is False
        await command.settle()
        assert computer.files("snapshot") == set()


# Refreshes that follow one another.


async def test_a_denied_version_leaves_what_another_has_read_since(computer: Computer) -> None:
    old = await computer.start()
    await catalogue_of(old)
    computer.clock.now += TTL / 2
    newer = await computer.look(**EVERY_CALL)
    computer.service.answer = lambda _: DENIED
    assert (await old.get_image_detail({"compshare_image_id": image_id(1)})).failed
    after = await computer.look()
    assert (after["image_count"], after["fetched_at"][:16]) == (100, newer["fetched_at"][:16])
    assert after["fetched_at"] != newer["fetched_at"]


async def test_good_refreshes_may_follow_one_another_at_once(computer: Computer) -> None:
    session = await computer.start(COMPSHARE_CATALOGUE_TTL="10")
    for reads in (1, 2, 3):
        await catalogue_of(session)
        await session.settle()
        assert computer.asked == reads * PAGES
        computer.clock.now += 11


async def test_however_long_the_service_wishes_for_rest_it_is_asked_again_in_an_hour(
    computer: Computer,
) -> None:
    session = await computer.start()
    await catalogue_of(session)
    computer.clock.now += HOUR
    computer.service.answer = lambda _: Response(429, {"Retry-After": "7200"})
    for later, asked in [(0, 1), (HOUR - 1, 1), (1, 2), (-24 * HOUR, 3)]:
        computer.clock.now += later
        await catalogue_of(session)
        await session.settle()
        assert computer.asked == PAGES + asked
