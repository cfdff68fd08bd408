"""Who waits for a slow service and for how long, and what a session remembers of its answers."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event
from typing import Any

import anyio
import pytest

from clock import Clock
from compshare_images.catalogue import keeper, turn
from compshare_images.sandbox.samples import sample_groups
from compshare_images.sandbox.service import Sandbox
from compshare_images.tools import session
from compshare_images.tools.reply import Reply
from compshare_images.tools.session import Session
from compshare_images.upstream import client
from compshare_images.upstream.client import Client
from loopback import Form, Loopback, Response, json_response, sandboxed
from worlds import group, ids_of, image_id, lone, rows, version

pytestmark = pytest.mark.anyio

SECONDS = 10  # a bound on waiting, never an expectation
HOUR = 3600
TTL = 600
PAGE = 100
TOOLS = {"search_community_images": dict[str, object](), "get_image_detail": {"compshare_image_id": image_id(1)}}


@contextmanager
def held(service: Loopback, wait: Callable[[Form], bool] = lambda _: True) -> Generator[None]:
    """Answers that `wait` chooses do not come until the end of the block."""
    answer, gate = service.answer, Event()

    def hold(form: Form) -> Response:
        if wait(form):
            gate.wait(2 * SECONDS)
        return answer(form)

    service.answer = hold
    try:
        yield
    finally:
        gate.set()


def beyond_the_first(form: Form) -> bool:
    return form.get("Offset") != "0"


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper.PATIENCE", 0.05)


def structure_of(reply: Reply) -> dict[str, Any]:
    assert reply.structure, reply.text
    return reply.structure


async def search(session: Session, **given: object) -> dict[str, Any]:
    return structure_of(await session.search_community_images(given))


async def catalogue_of(session: Session, **given: object) -> dict[str, Any]:
    return (await search(session, limit=1, **given))["catalogue"]


async def opened(session: Session, wanted: str) -> dict[str, Any]:
    return structure_of(await session.get_image_detail({"compshare_image_id": wanted}))


# Reading the list.


async def test_full_pages_that_take_turns_for_ever_end_the_reading(session: Session, service: Loopback) -> None:
    turns = [[lone(number) for number in range(start, start + PAGE)] for start in (0, PAGE)]

    def answer(form: Form) -> Response:
        return json_response({"RetCode": 0, "CompshareImageGroup": turns[int(form["Offset"]) // PAGE % 2]})

    service.answer = answer
    catalogue = await catalogue_of(session)
    assert (catalogue["image_count"], catalogue["complete"]) == (2 * PAGE, False)
    assert len(service.forms) == 3


async def test_a_list_that_is_said_not_to_exist_is_no_missing_image(session: Session, service: Loopback) -> None:
    service.answer = lambda _: json_response({"RetCode": 8039, "Message": "Resource not exist"})
    reply = await session.search_community_images({})
    assert reply.text.startswith("[upstream_invalid] ")
    assert "8039" in reply.text


# Patience.


async def test_a_slow_first_scan_answers_after_a_while_with_what_it_has(
    session: Session, service: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    with anyio.fail_after(SECONDS), held(service, beyond_the_first):
        catalogue = await catalogue_of(session)
    assert (catalogue["image_count"], catalogue["complete"], catalogue["stale"]) == (PAGE, False, False)


async def test_a_slow_refresh_of_a_catalogue_that_is_too_old_leaves_the_old_one_to_answer(
    session: Session, service: Loopback, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await catalogue_of(session)
    clock.now += 6 * HOUR + 1
    impatient(monkeypatch)
    with anyio.fail_after(SECONDS), held(service):
        reply = await session.search_community_images({"limit": 1})
    assert structure_of(reply)["catalogue"] == {**old, "stale": True}
    assert "stale" in reply.text


async def test_when_nothing_has_come_by_then_the_first_page_that_comes_answers(
    session: Session, service: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compshare_images.catalogue.keeper.PATIENCE", 0.0)
    with anyio.fail_after(SECONDS), held(service, beyond_the_first):
        catalogue = await catalogue_of(session)
    assert (catalogue["image_count"], catalogue["complete"]) == (PAGE, False)


async def test_a_call_that_takes_too_long_is_ended(
    session: Session, service: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compshare_images.tools.session.CALL_LIMIT", 0.05)
    for tool, given in TOOLS.items():
        with anyio.fail_after(SECONDS), held(service):
            reply = await getattr(session, tool)(given)
        assert reply.text.startswith("[upstream_unavailable] ")
        assert "etry" in reply.text


@pytest.mark.parametrize("tool", TOOLS)
async def test_an_unexpected_fault_is_said_without_its_words(
    session: Session, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    async def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("hidden-words in /a/path")

    monkeypatch.setattr(Client, "describe", break_down)
    reply: Reply = await getattr(session, tool)(TOOLS[tool])
    assert reply.failed
    assert reply.text.startswith("[internal_error] ")
    assert not [word for word in ("hidden", "path", "RuntimeError", "Traceback") if word in reply.text]


# What is remembered, and what is asked again.


def searched(service: Loopback) -> list[str]:
    return [form["ProjectId"] for form in service.forms]


async def test_catalogues_of_eight_places_are_kept_and_the_oldest_goes_first(
    session: Session, service: Loopback
) -> None:
    service.answer = rows(lone(1))
    first, *others = [f"org-{number}" for number in range(9)]
    for project in (first, *others, *others):
        await catalogue_of(session, project_id=project)
    assert searched(service) == [first, *others]
    await catalogue_of(session, project_id=first)
    assert searched(service) == [first, *others, first]


def any_image(form: Form) -> Response:
    wanted = {"CompShareImageId": form["CompShareImageId"], "Name": "an image"}
    return json_response({"RetCode": 0, "TotalCount": 1, "ImageSet": [wanted]})


async def test_the_last_sixty_four_opened_images_are_remembered(session: Session, service: Loopback) -> None:
    service.answer = any_image
    first, *others = map(image_id, range(65))
    for wanted in (first, *others, *others):
        await opened(session, wanted)
    assert [form["CompShareImageId"] for form in service.forms] == [first, *others]
    await opened(session, first)
    assert len(service.forms) == 66


async def test_an_opened_image_is_asked_for_again_when_its_time_is_over(
    session: Session, service: Loopback, clock: Clock
) -> None:
    service.answer = any_image
    await opened(session, image_id(1))
    clock.now += TTL - 1
    await opened(session, image_id(1))
    assert len(service.forms) == 1
    clock.now += 1
    await opened(session, image_id(1))
    assert len(service.forms) == 2


# What a catalogue and the service know of one another.


async def test_a_group_that_only_a_newer_catalogue_knows_is_waited_for(
    session: Session, service: Loopback, clock: Clock
) -> None:
    *known, new = sample_groups()
    service.answer = sandboxed(Sandbox(groups=known))
    await catalogue_of(session)
    clock.now += HOUR
    service.answer = sandboxed(Sandbox(groups=[*known, new]))
    detail = await opened(session, new["GroupId"])
    assert detail["image"]["group_id"] == new["GroupId"]
    assert new["GroupId"] not in [form.get("CompShareImageId") for form in service.forms]


async def test_an_image_that_is_denied_stays_denied_when_the_list_cannot_be_read(
    session: Session, service: Loopback
) -> None:
    denied = json_response({"RetCode": 8039, "Message": f"Resource not exist [{image_id(1)}]"})
    service.answer = lambda form: denied if "CompShareImageId" in form else Response(404)
    reply = await session.get_image_detail({"compshare_image_id": image_id(1)})
    assert reply.text.startswith("[not_found] ")
    assert [form.get("Offset") for form in service.forms] == [None, "0"]


@pytest.mark.parametrize(
    ("time", "order"), [(40, [9, 3, 2, 1]), (25, [3, 9, 2, 1]), (20, [3, 2, 9, 1]), (5, [3, 2, 1, 9])]
)
async def test_a_version_that_the_catalogue_lacks_stands_by_its_time(
    session: Session, service: Loopback, time: int, order: list[int]
) -> None:
    known = [version(number, PubTime=10 * number) for number in (3, 2, 1)]
    service.answer = rows(group(1, *known))
    await catalogue_of(session)
    service.answer = rows(group(1, version(9, PubTime=time)))
    detail = await opened(session, image_id(9))
    assert ids_of(detail["versions"]) == [image_id(number) for number in order]


async def test_a_catalogue_that_lost_a_denied_version_is_another_one(session: Session, service: Loopback) -> None:
    service.answer = rows(lone(1), lone(2))
    before = await search(session)
    service.answer = lambda _: json_response({"RetCode": 8039, "Message": "Resource not exist"})
    denied = await session.get_image_detail({"compshare_image_id": image_id(1)})
    after = await search(session)
    assert denied.text.startswith("[not_found] ")
    assert ids_of(after["images"]) == [image_id(2)]
    assert after["catalogue"]["fetched_at"] != before["catalogue"]["fetched_at"]


def test_the_waits_fit_into_one_another() -> None:
    assert keeper.PATIENCE == 12
    assert 3 * turn.BEAT <= turn.STALL <= keeper.PATIENCE
    assert client.BUDGET < session.CALL_LIMIT < 25
    assert session.SETTLE_LIMIT >= client.BUDGET
