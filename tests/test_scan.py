"""One reading of the whole list over real HTTP, whatever the service says of its length and however it fails."""

import ssl
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import asynccontextmanager
from threading import Barrier
from typing import get_args

import pytest
from pydantic import SecretStr

from compshare_images.catalogue.catalogue import Catalogue
from compshare_images.catalogue.scan import Scan
from compshare_images.errors import (
    AuthenticationFailed,
    CompShareError,
    PermissionDenied,
    RateLimited,
    RequestRejected,
    UpstreamInvalid,
    UpstreamUnavailable,
)
from compshare_images.place import Place
from compshare_images.sandbox.samples import sample_groups
from compshare_images.sandbox.service import PRIVATE_KEY, PUBLIC_KEY, Sandbox, Shape
from compshare_images.settings import KeyPair
from compshare_images.upstream.client import Client
from loopback import Form, Loopback, Response, json_response, loopback, sandboxed

pytestmark = pytest.mark.anyio

NOW = 1_795_000_000.0
TLS = ssl.create_default_context()
Answer = Callable[[Form], Response]
TOTALS: list[object] = [250, "250", 0, 1, 99, 100, 150, 299, -1, None, "many", []]

PASSING: list[tuple[Response, int]] = [
    (Response(body=b"<html>"), 1),
    (Response(404), 1),
    (json_response({"RetCode": 9999}), 1),
    (json_response({"RetCode": 0, "ImageSet": 5}), 1),
    (Response(500), 3),
    (Response(429), 3),
    (json_response({"RetCode": 153}), 3),
    (json_response({"RetCode": 8433}), 3),
]
REFUSALS: list[tuple[Response, type[CompShareError]]] = [
    (json_response({"RetCode": 171}), AuthenticationFailed),
    (json_response({"RetCode": "172"}), AuthenticationFailed),
    (Response(401), AuthenticationFailed),
    (json_response({"RetCode": 293}), PermissionDenied),
    (Response(403), PermissionDenied),
]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    # Reading the trusted certificates takes longer than most tests here, so that is done once.
    monkeypatch.setattr(ssl, "create_default_context", _same_context)


def _same_context(*_: object, **__: object) -> ssl.SSLContext:
    return TLS


@pytest.fixture
def scripted() -> Generator[Loopback]:
    with loopback(_list_of(0)) as running:
        yield running


def _keys() -> KeyPair:
    return KeyPair(PUBLIC_KEY, SecretStr(PRIVATE_KEY))


async def _no_pause(_seconds: float) -> None:
    pass


@asynccontextmanager
async def _scan(
    service: Loopback,
    *,
    place: Place | None = None,
    keys: Callable[[], KeyPair] = _keys,
    on_page: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Scan]:
    async with Client(keys, service.url, sleep=_no_pause) as client:
        yield Scan(client, place or Place(), clock=lambda: NOW, on_page=on_page)


async def _read(service: Loopback) -> Catalogue:
    async with _scan(service) as scan:
        return await scan.run()


def _row(number: int) -> dict[str, object]:
    return {"GroupId": f"g{number}", "Data": [{"CompShareImageId": f"image-{number}"}]}


def _page(numbers: Iterable[int], **more: object) -> Response:
    return json_response({"RetCode": 0, "CompshareImageGroup": [_row(number) for number in numbers], **more})


def _list_of(count: int, **more: object) -> Answer:
    def answer(form: Form) -> Response:
        offset = int(form["Offset"])
        return _page(range(offset, min(offset + int(form["Limit"]), count)), **more)

    return answer


def _offsets(service: Loopback) -> list[int]:
    return [int(form["Offset"]) for form in service.forms]


def _numbers(catalogue: Catalogue) -> list[int]:
    ids = [image.compshare_image_id for group in catalogue.all_groups for image in group.images]
    return sorted(int(image_id.removeprefix("image-")) for image_id in ids)


@pytest.mark.parametrize("shape", get_args(Shape))
async def test_the_sandbox_is_read_whole_in_every_shape(shape: Shape) -> None:
    samples = sample_groups()
    with loopback(sandboxed(Sandbox(groups=samples, shape=shape))) as service:
        catalogue = await _read(service)
    assert catalogue.complete
    assert catalogue.groups_by_id.keys() == {group["GroupId"] for group in samples}
    assert catalogue.entries_by_id.keys() == {image["CompShareImageId"] for group in samples for image in group["Data"]}


async def test_a_page_is_asked_for_by_place_without_readmes(scripted: Loopback) -> None:
    async with _scan(scripted, place=Place("cn-sh2", "cn-sh2-02", "org-1")) as scan:
        catalogue = await scan.run()
    (form,) = scripted.forms
    asked = {name: form[name] for name in ("Region", "Zone", "ProjectId", "Limit", "Offset", "ExcludeReadme")}
    assert list(asked.values()) == ["cn-sh2", "cn-sh2-02", "org-1", "100", "0", "true"]
    assert catalogue.place == Place("cn-sh2", "cn-sh2-02", "org-1")
    assert catalogue.fetched_at == NOW


@pytest.mark.parametrize("more", [{}, *({"TotalCount": total} for total in TOTALS)], ids=str)
async def test_the_end_is_found_however_little_the_total_says(scripted: Loopback, more: dict[str, object]) -> None:
    scripted.answer = _list_of(250, **more)
    catalogue = await _read(scripted)
    assert catalogue.complete
    assert _numbers(catalogue) == list(range(250))
    assert sorted(_offsets(scripted)) == [0, 100, 200]


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (99, 1), (100, 2), (101, 2), (300, 4)])
async def test_a_full_page_is_followed_by_one_more(scripted: Loopback, count: int, requests: int) -> None:
    scripted.answer = _list_of(count, TotalCount=count)
    catalogue = await _read(scripted)
    assert catalogue.complete
    assert _numbers(catalogue) == list(range(count))
    assert len(scripted.forms) == requests


@pytest.mark.parametrize("total", [301, 5000, 10**9, 2**53])
async def test_a_total_that_is_far_too_large_costs_a_bounded_number_of_requests(scripted: Loopback, total: int) -> None:
    scripted.answer = _list_of(250, TotalCount=total)
    catalogue = await _read(scripted)
    assert catalogue.complete
    assert _numbers(catalogue) == list(range(250))
    assert max(Counter(_offsets(scripted)).values()) == 1
    assert len(scripted.forms) <= 80


@pytest.mark.parametrize("more", [{}, {"TotalCount": 100}, {"TotalCount": 835}, {"TotalCount": 10**9}], ids=str)
async def test_a_page_that_repeats_for_ever_ends_it_incomplete(scripted: Loopback, more: dict[str, object]) -> None:
    scripted.answer = lambda _: _page(range(100), **more)
    catalogue = await _read(scripted)
    assert not catalogue.complete
    assert _numbers(catalogue) == list(range(100))
    assert len(scripted.forms) <= 80


@pytest.mark.parametrize("more", [{}, {"TotalCount": 100}], ids=str)
async def test_one_repeated_page_is_enough_to_end_it(scripted: Loopback, more: dict[str, object]) -> None:
    def answer(form: Form) -> Response:
        start = min(int(form["Offset"]), 200)
        return _page(range(start, start + 100), **more)

    scripted.answer = answer
    catalogue = await _read(scripted)
    assert not catalogue.complete
    assert _numbers(catalogue) == list(range(300))
    assert _offsets(scripted) == [0, 100, 200, 300]


async def test_a_page_with_one_new_version_goes_on(scripted: Loopback) -> None:
    starts = {0: range(100), 100: [*range(99), 100], 200: range(40)}
    scripted.answer = lambda form: _page(starts[int(form["Offset"])])
    catalogue = await _read(scripted)
    assert catalogue.complete
    assert _numbers(catalogue) == list(range(101))


@pytest.mark.parametrize("length", [0, 1, 60, 99])
async def test_a_short_page_ends_it(scripted: Loopback, length: int) -> None:
    pages = {0: range(100), 100: range(100, 100 + length)}
    scripted.answer = lambda form: _page(pages[int(form["Offset"])])
    catalogue = await _read(scripted)
    assert catalogue.complete
    assert _numbers(catalogue) == list(range(100 + length))
    assert _offsets(scripted) == [0, 100]


async def test_unreadable_rows_are_counted_and_do_not_make_a_page_short(scripted: Loopback) -> None:
    junk = [None, {}, {"Name": "no id"}]

    def answer(form: Form) -> Response:
        offset = int(form["Offset"])
        rows = [_row(number) for number in range(offset, min(offset + 97, 150))]
        return json_response({"RetCode": 0, "TotalCount": 0, "CompshareImageGroup": [*junk, *rows]})

    scripted.answer = answer
    catalogue = await _read(scripted)
    assert _offsets(scripted) == [0, 100]
    assert (catalogue.complete, catalogue.dropped, len(catalogue.all_groups)) == (True, 6, 147)


@pytest.mark.parametrize(("failure", "attempts"), PASSING)
async def test_a_bad_page_is_tried_once_more_alone_and_then_left_out(
    scripted: Loopback, failure: Response, attempts: int
) -> None:
    good = _list_of(1950, TotalCount=1950)
    scripted.answer = lambda form: failure if form["Offset"] == "100" else good(form)
    catalogue = await _read(scripted)
    assert not catalogue.complete
    assert _numbers(catalogue) == [*range(100), *range(200, 1950)]
    assert Counter(_offsets(scripted)) == dict.fromkeys(range(0, 2000, 100), 1) | {100: 2 * attempts}
    assert _offsets(scripted)[-attempts:] == [100] * attempts


@pytest.mark.parametrize("total", [1950, None], ids=["planned", "unplanned"])
async def test_a_bad_page_that_comes_at_last_leaves_nothing_out(scripted: Loopback, total: int | None) -> None:
    good, failures = _list_of(1950, TotalCount=total), iter([Response(404)])
    scripted.answer = lambda form: next(failures, good(form)) if form["Offset"] == "300" else good(form)
    catalogue = await _read(scripted)
    assert catalogue.complete
    assert _numbers(catalogue) == list(range(1950))
    assert Counter(_offsets(scripted)) == dict.fromkeys(range(0, 2000, 100), 1) | {300: 2}


async def test_a_service_that_breaks_down_leaves_what_it_had_said(scripted: Loopback) -> None:
    good = _list_of(10_000, TotalCount=10**9)
    scripted.answer = lambda form: good(form) if int(form["Offset"]) < 300 else Response(404)
    catalogue = await _read(scripted)
    assert not catalogue.complete
    assert _numbers(catalogue) == list(range(300))
    assert len(scripted.forms) <= 200


async def test_a_service_in_trouble_is_not_asked_again_for_every_page_that_is_missing(scripted: Loopback) -> None:
    good = _list_of(850, TotalCount=850)
    scripted.answer = lambda form: good(form) if form["Offset"] == "0" else Response(404)
    assert not (await _read(scripted)).complete
    assert len(scripted.forms) == 1 + 8 + 2


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        *REFUSALS,
        (json_response({"RetCode": 230}), RequestRejected),
        (Response(body=b"<html>"), UpstreamInvalid),
        (Response(500), UpstreamUnavailable),
        (Response(429), RateLimited),
    ],
)
async def test_a_first_page_that_fails_is_the_scans_failure(
    scripted: Loopback, failure: Response, kind: type[CompShareError]
) -> None:
    scripted.answer = lambda _: failure
    with pytest.raises(kind):
        await _read(scripted)
    assert set(_offsets(scripted)) == {0}


@pytest.mark.parametrize(("refusal", "kind"), REFUSALS)
async def test_a_refusal_in_the_middle_ends_it(
    scripted: Loopback, refusal: Response, kind: type[CompShareError]
) -> None:
    good = _list_of(10_000, TotalCount=10_000)
    scripted.answer = lambda form: good(form) if int(form["Offset"]) < 200 else refusal
    with pytest.raises(kind):
        await _read(scripted)
    assert len(scripted.forms) < 30


async def test_a_refusal_that_is_taken_back_has_been_one(scripted: Loopback) -> None:
    good, refusals = _list_of(350, TotalCount=350), iter([Response(401)])
    scripted.answer = lambda form: next(refusals, good(form)) if form["Offset"] == "200" else good(form)
    with pytest.raises(AuthenticationFailed):
        await _read(scripted)


@pytest.mark.parametrize("failure", [Response(404), Response(503)])
async def test_a_bad_page_beyond_the_end_does_not_matter(scripted: Loopback, failure: Response) -> None:
    good = _list_of(250, TotalCount=850)
    scripted.answer = lambda form: good(form) if int(form["Offset"]) < 300 else failure
    catalogue = await _read(scripted)
    assert catalogue.complete
    assert _numbers(catalogue) == list(range(250))


async def test_a_page_beyond_the_total_may_be_out_of_range(scripted: Loopback) -> None:
    good = _list_of(200, TotalCount=200)
    scripted.answer = lambda form: good(form) if int(form["Offset"]) < 200 else json_response({"RetCode": 230})
    catalogue = await _read(scripted)
    assert catalogue.complete
    assert _numbers(catalogue) == list(range(200))


async def test_a_page_within_the_total_that_is_rejected_is_a_bad_page(scripted: Loopback) -> None:
    good = _list_of(350, TotalCount=350)
    scripted.answer = lambda form: json_response({"RetCode": 230}) if form["Offset"] == "100" else good(form)
    catalogue = await _read(scripted)
    assert not catalogue.complete
    assert _numbers(catalogue) == [*range(100), *range(200, 350)]


async def test_a_refused_key_beyond_the_total_ends_it(scripted: Loopback) -> None:
    good = _list_of(1000)
    scripted.answer = lambda form: good(form) if int(form["Offset"]) < 200 else json_response({"RetCode": 171})
    with pytest.raises(AuthenticationFailed):
        await _read(scripted)
    assert _offsets(scripted) == [0, 100, 200]


async def test_a_refusal_at_the_second_try_ends_it(scripted: Loopback) -> None:
    good, failures = _list_of(350, TotalCount=350), iter([Response(404), Response(401)])
    scripted.answer = lambda form: next(failures) if form["Offset"] == "200" else good(form)
    with pytest.raises(AuthenticationFailed):
        await _read(scripted)


async def test_pages_beyond_the_first_are_asked_for_at_once(scripted: Loopback) -> None:
    good, together = _list_of(850, TotalCount=850), Barrier(4)

    def answer(form: Form) -> Response:
        if form["Offset"] != "0":
            together.wait(timeout=5)
        return good(form)

    scripted.answer = answer
    catalogue = await _read(scripted)
    assert catalogue.complete
    assert _numbers(catalogue) == list(range(850))


async def test_only_so_many_pages_are_asked_for_at_once(scripted: Loopback) -> None:
    scripted.answer = _list_of(5950, TotalCount=5950)
    under_way = [0]

    def asking() -> KeyPair:
        under_way.append(under_way[-1] + 1)
        return _keys()

    async with _scan(scripted, keys=asking, on_page=lambda: under_way.append(under_way[-1] - 1)) as scan:
        assert (await scan.run()).complete
    assert len(scripted.forms) == 60
    assert 1 < max(under_way) <= 16


async def test_what_has_come_can_be_had_before_the_end(scripted: Loopback) -> None:
    scripted.answer = _list_of(250, TotalCount=250)
    seen: list[tuple[int, int]] = []
    partial: list[Catalogue | None] = []

    def on_page() -> None:
        seen.append(scan.progress)
        partial.append(scan.so_far())

    async with _scan(scripted, on_page=on_page) as scan:
        assert scan.so_far() is None
        whole = await scan.run()
    assert [read for read, _ in seen] == [1, 2, 3]
    assert seen[1:] == [(2, 3), (3, 3)]
    assert partial[0] is not None
    assert not partial[0].complete
    assert _numbers(partial[0]) == list(range(100))
    assert _numbers(whole) == list(range(250))
