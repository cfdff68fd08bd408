"""How old an answer may be, who waits, and how often the service is asked. Time is a number that the test sets."""

from threading import Event
from typing import Any

import anyio
import pytest

from clock import Clock
from compshare_images.sandbox.service import Sandbox
from compshare_images.settings import load_settings
from compshare_images.tools.session import Session
from loopback import Form, Loopback, Response, json_response, sandboxed

pytestmark = pytest.mark.anyio

PAGES = 2  # of the sandbox's sample data
TTL = 600
HOUR = 3600


async def catalogue_of(session: Session, **given: object) -> dict[str, Any]:
    reply = await session.search_community_images({"limit": 1, **given})
    assert reply.structure, reply.text
    return reply.structure["catalogue"]


async def until_asked(service: Loopback, times: int) -> None:
    with anyio.fail_after(20):
        while len(service.forms) < times:
            await anyio.lowlevel.checkpoint()


async def test_a_fresh_catalogue_costs_no_request(session: Session, service: Loopback, clock: Clock) -> None:
    await catalogue_of(session)
    clock.now += TTL - 1
    assert (await catalogue_of(session))["stale"] is False
    assert len(service.forms) == PAGES


async def test_a_stale_catalogue_is_served_at_once_with_one_refresh_behind(
    session: Session, service: Loopback, clock: Clock
) -> None:
    first = await catalogue_of(session)
    clock.now += 6 * HOUR
    stale = [await catalogue_of(session) for _ in range(3)]
    assert [one["stale"] for one in stale] == [True] * 3
    assert {one["fetched_at"] for one in stale} == {first["fetched_at"]}
    await until_asked(service, 2 * PAGES)
    with anyio.fail_after(20):
        while (await catalogue_of(session))["stale"]:
            await anyio.lowlevel.checkpoint()
    assert len(service.forms) == 2 * PAGES


@pytest.mark.parametrize(("trouble", "rest"), [(Response(404), 30), (Response(429, {"Retry-After": "600"}), 600)])
async def test_after_a_failed_refresh_the_service_is_left_alone_for_a_while(
    session: Session, service: Loopback, clock: Clock, trouble: Response, rest: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "compshare_images")
    await catalogue_of(session)
    clock.now += HOUR
    service.answer = lambda _: trouble
    await catalogue_of(session)
    with anyio.fail_after(20):
        while "a scan of cn-wlcb failed" not in caplog.text:
            await anyio.lowlevel.checkpoint()
    clock.now += rest - 1
    assert (await catalogue_of(session))["stale"] is True
    await session.search_community_images({"region": "cn-sh2"})
    assert [form["Region"] for form in service.forms].count("cn-wlcb") == PAGES + 1
    clock.now += 1
    await catalogue_of(session)
    await until_asked(service, PAGES + 3)


async def test_a_catalogue_that_is_too_old_is_read_again_first(
    session: Session, service: Loopback, clock: Clock
) -> None:
    first = await catalogue_of(session)
    clock.now += 6 * HOUR + 1
    again = await catalogue_of(session)
    assert again["stale"] is False
    assert again["fetched_at"] > first["fetched_at"]
    assert len(service.forms) == 2 * PAGES


async def test_a_catalogue_from_the_future_is_stale(session: Session, clock: Clock) -> None:
    await catalogue_of(session)
    clock.now -= HOUR
    assert (await catalogue_of(session))["stale"] is True


async def test_with_a_lifetime_of_zero_every_call_waits_for_its_own(service: Loopback, clock: Clock) -> None:
    settings = load_settings({**service.settings, "COMPSHARE_CATALOGUE_TTL": "0"})
    async with Session(settings, clock=clock) as session:
        for reads in (1, 2, 3):
            assert (await catalogue_of(session))["stale"] is False
            assert len(service.forms) == reads * PAGES


async def test_callers_at_one_time_share_one_scan(session: Session, service: Loopback) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(catalogue_of, session)
    assert len(service.forms) == PAGES


async def test_a_caller_that_gives_up_takes_the_scan_from_nobody(session: Session, service: Loopback) -> None:
    asked, go_on = Event(), Event()
    answer = service.answer

    def slow(form: Form) -> Response:
        asked.set()
        go_on.wait(20)
        return answer(form)

    service.answer = slow
    async with anyio.create_task_group() as group:
        group.start_soon(catalogue_of, session)
        await anyio.to_thread.run_sync(asked.wait)
        group.cancel_scope.cancel()
    go_on.set()
    assert (await catalogue_of(session))["complete"] is True
    assert len(service.forms) == PAGES


async def test_an_old_catalogue_answers_when_the_service_is_gone(
    session: Session, service: Loopback, clock: Clock
) -> None:
    await catalogue_of(session)
    clock.now += 24 * HOUR
    service.answer = lambda _: json_response({"RetCode": 171, "Message": "Signature VerifyAC Error"})
    refused = await session.search_community_images({})
    assert refused.text.startswith("[authentication_failed]")
    service.answer = lambda _: json_response({"RetCode": 999})
    assert (await catalogue_of(session))["stale"] is True


async def test_an_incomplete_scan_is_tried_again_at_the_next_call(session: Session, service: Loopback) -> None:
    whole = service.answer
    service.answer = lambda form: whole(form) if form["Offset"] == "0" else Response(404)
    first = await session.search_community_images({"limit": 1})
    assert first.structure
    assert first.structure["catalogue"]["complete"] is False
    assert "incomplete" in first.structure["note"]
    assert "incomplete" in first.text
    service.answer = whole
    assert (await catalogue_of(session))["complete"] is True


async def test_half_a_new_catalogue_does_not_replace_a_whole_old_one(
    session: Session, service: Loopback, clock: Clock
) -> None:
    first = await catalogue_of(session)
    clock.now += 24 * HOUR
    whole = service.answer
    service.answer = lambda form: whole(form) if form["Offset"] == "0" else Response(404)
    assert await catalogue_of(session) == {**first, "stale": True}


async def test_each_place_has_a_catalogue_of_its_own(session: Session, service: Loopback) -> None:
    here = await catalogue_of(session)
    there = await catalogue_of(session, region="cn-sh2")
    assert there["image_count"] < here["image_count"]
    assert (there["region"], "zone" in there) == ("cn-sh2", False)
    assert "region" not in here
    assert "Zone" not in service.forms[-1]


async def test_the_default_place_by_name_is_the_default_place(session: Session, service: Loopback) -> None:
    await catalogue_of(session)
    await catalogue_of(session, region="cn-wlcb")
    await catalogue_of(session, region="cn-wlcb", zone="cn-wlcb-01")
    assert len(service.forms) == PAGES


@pytest.mark.parametrize(
    ("given", "blamed"),
    [({"region": "mars"}, "region"), ({"zone": "mars-01"}, "zone"), ({"region": "cn-sh2", "zone": "x"}, "zone")],
)
async def test_a_place_that_is_refused_costs_one_probe(
    session: Session, service: Loopback, given: dict[str, str], blamed: str
) -> None:
    reply = await session.search_community_images(given)
    assert reply.text.startswith(f"[invalid_argument] {blamed}: ")
    assert len(service.forms) == 1


async def test_a_place_from_the_settings_that_is_refused_is_a_matter_of_settings(service: Loopback) -> None:
    async with Session(load_settings({**service.settings, "COMPSHARE_REGION": "mars"})) as session:
        reply = await session.search_community_images({})
    assert reply.text.startswith("[not_configured]")
    assert "COMPSHARE_REGION" in reply.text


async def test_two_shapes_at_two_times_are_one_catalogue(session: Session, service: Loopback, clock: Clock) -> None:
    first = await catalogue_of(session)
    service.answer = sandboxed(Sandbox(shape="documented"))
    clock.now += 24 * HOUR
    assert (await catalogue_of(session))["image_count"] == first["image_count"]
