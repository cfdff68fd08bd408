"""The client over real HTTP: what it sends, what each kind of answer means, when it asks again."""

import gzip
import json
import logging
import socket
import ssl
import traceback
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import repeat
from threading import Event
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from compshare_images.errors import (
    AuthenticationFailed,
    CompShareError,
    ImageNotFound,
    NotConfigured,
    PermissionDenied,
    RateLimited,
    RequestRejected,
    UpstreamError,
    UpstreamInvalid,
    UpstreamUnavailable,
)
from compshare_images.place import Place
from compshare_images.sandbox.samples import sample_groups
from compshare_images.sandbox.service import PRIVATE_KEY, PUBLIC_KEY
from compshare_images.settings import KeyPair, load_settings
from compshare_images.upstream.client import Client
from compshare_images.upstream.request import DescribeCommunityImages
from compshare_images.upstream.wire import Page
from loopback import Form, Loopback, Response, json_response, loopback

pytestmark = pytest.mark.anyio

LIST = DescribeCommunityImages(place=Place(), offset=0, limit=100, exclude_readme=True)
GOOD: dict[str, object] = {"RetCode": 0, "ImageSet": [{"ImageId": "image-1"}]}
REQUEST_ID = "6f2b9a4e-trace"
TLS = ssl.create_default_context()
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

TROUBLE = (110, 130, 150, 8433)
REJECTED = (160, 161, 210, 220, 230, 280, 8401)
REFUSED_KEYS = (170, 171, 172, 174)
NOT_ALLOWED = (240, 292, 293, 294, 295, 299)
KINDS: list[tuple[int, type[UpstreamError], int]] = [
    *((code, UpstreamUnavailable, 3) for code in TROUBLE),
    (153, RateLimited, 3),
    *((code, RequestRejected, 1) for code in REJECTED),
    *((code, AuthenticationFailed, 1) for code in REFUSED_KEYS),
    *((code, PermissionDenied, 1) for code in NOT_ALLOWED),
    (8039, ImageNotFound, 1),
    (9999, UpstreamInvalid, 1),
    (-1, UpstreamInvalid, 1),
]
STATUSES: list[tuple[int, type[UpstreamError], int]] = [
    (400, UpstreamInvalid, 1),
    (401, AuthenticationFailed, 1),
    (403, PermissionDenied, 1),
    (404, UpstreamInvalid, 1),
    (413, UpstreamInvalid, 1),
    (429, RateLimited, 3),
    (500, UpstreamUnavailable, 3),
    (502, UpstreamUnavailable, 3),
    (503, UpstreamUnavailable, 3),
]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    # Reading the trusted certificates takes longer than most tests here, so that is done once.
    monkeypatch.setattr(ssl, "create_default_context", _same_context)


def _same_context(*_: object, **__: object) -> ssl.SSLContext:
    return TLS


@pytest.fixture
def scripted() -> Generator[Loopback]:
    with loopback(lambda _: json_response(GOOD)) as running:
        yield running


def _keys() -> KeyPair:
    return KeyPair(PUBLIC_KEY, SecretStr(PRIVATE_KEY))


@asynccontextmanager
async def _client(
    url: str,
    *,
    keys: Callable[[], KeyPair] = _keys,
    timeout: float = 10.0,  # noqa: ASYNC109 - handed to the client, whose setting it is
    pauses: list[float] | None = None,
) -> AsyncGenerator[Client]:
    async def sleep(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)

    async with Client(keys, url, timeout=timeout, sleep=sleep) as client:
        yield client


async def _ask(service: Loopback, request: DescribeCommunityImages = LIST, pauses: list[float] | None = None) -> Page:
    async with _client(service.url, pauses=pauses) as client:
        return await client.describe(request)


async def _failure(service: Loopback, response: Response, pauses: list[float] | None = None) -> UpstreamError:
    service.answer = lambda _: response
    with pytest.raises(UpstreamError) as caught:
        await _ask(service, pauses=pauses)
    return caught.value


def _body(text: bytes | str) -> Response:
    return Response(body=text.encode() if isinstance(text, str) else text)


async def test_a_signed_form_is_accepted(service: Loopback) -> None:
    page = await _ask(service)
    assert page.row_count == 100
    assert page.total_count == len(sample_groups())
    assert service.forms[0].keys() == {"Action", "Region", "Zone", "Offset", "Limit", "ExcludeReadme"} | {
        "PublicKey",
        "Signature",
    }


async def test_what_is_not_ascii_is_signed_as_it_is_sent(service: Loopback) -> None:
    page = await _ask(service, DescribeCommunityImages(place=Place(), name="数字人 + a&b=c%20"))
    assert service.forms[0]["Name"] == "数字人 + a&b=c%20"
    assert page.row_count == 0


async def test_one_image_is_asked_for_with_its_readme(service: Loopback) -> None:
    wanted = sample_groups()[0]["Data"][0]["CompShareImageId"]
    page = await _ask(service, DescribeCommunityImages(place=Place(), compshare_image_id=wanted))
    assert [image.compshare_image_id for group in page.groups for image in group.images] == [wanted]
    assert page.readme


@pytest.mark.parametrize(
    ("public", "private", "ret_code"), [("somebody@else.example", PRIVATE_KEY, 172), (PUBLIC_KEY, "wrong", 171)]
)
async def test_a_wrong_key_is_refused_after_one_request(
    service: Loopback, public: str, private: str, ret_code: int
) -> None:
    async with _client(service.url, keys=lambda: KeyPair(public, SecretStr(private))) as client:
        with pytest.raises(AuthenticationFailed) as caught:
            await client.describe(LIST)
    assert caught.value.ret_code == ret_code
    assert len(service.forms) == 1


async def test_without_keys_nothing_is_sent(scripted: Loopback) -> None:
    settings = load_settings({"COMPSHARE_BASE_URL": scripted.url, "XDG_CONFIG_HOME": "/nonexistent"})
    async with _client(scripted.url, keys=settings.usable_keys) as client:
        with pytest.raises(NotConfigured):
            await client.describe(LIST)
    assert scripted.forms == []


@pytest.mark.parametrize("form", [int, str], ids=["int", "str"])
@pytest.mark.parametrize(("ret_code", "kind", "requests"), KINDS)
async def test_a_ret_code_has_its_error_and_is_retried_only_where_that_helps(
    scripted: Loopback, ret_code: int, kind: type[UpstreamError], requests: int, form: type[int | str]
) -> None:
    error = await _failure(scripted, json_response({"RetCode": form(ret_code), "Message": "Why [Zone] so"}))
    assert type(error) is kind
    assert error.ret_code == ret_code
    assert f"RetCode {ret_code}: Why [Zone] so" in str(error)
    assert len(scripted.forms) == requests


@pytest.mark.parametrize("ret_code", REJECTED)
async def test_a_rejected_parameter_is_named(scripted: Loopback, ret_code: int) -> None:
    answer = json_response({"RetCode": ret_code, "Message": "Params [SortCondition.Field] not available"})
    assert (await _failure(scripted, answer)).parameter == "SortCondition.Field"


@pytest.mark.parametrize("ret_code", [0, "0"])
async def test_a_ret_code_of_zero_is_success_in_either_form(scripted: Loopback, ret_code: object) -> None:
    scripted.answer = lambda _: json_response({**GOOD, "RetCode": ret_code})
    assert (await _ask(scripted)).row_count == 1


@pytest.mark.parametrize("ret_code", [None, "", "zero", False, True, [], [0], {}, 0.5, "0.5", float("inf"), "9" * 5000])
async def test_a_ret_code_that_is_none_is_invalid(scripted: Loopback, ret_code: object) -> None:
    error = await _failure(scripted, json_response({**GOOD, "RetCode": ret_code}))
    assert type(error) is UpstreamInvalid
    assert len(scripted.forms) == 1


@pytest.mark.parametrize(("status", "kind", "requests"), STATUSES)
async def test_an_http_status_has_its_error_and_is_retried_only_where_that_helps(
    scripted: Loopback, status: int, kind: type[UpstreamError], requests: int
) -> None:
    error = await _failure(scripted, json_response(GOOD, status))
    assert type(error) is kind
    assert f"HTTP {status}" in str(error)
    assert len(scripted.forms) == requests


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthenticationFailed), (403, PermissionDenied), (429, RateLimited), (503, UpstreamUnavailable)],
)
async def test_an_http_status_counts_even_if_its_body_cannot_be_read(
    scripted: Loopback, monkeypatch: pytest.MonkeyPatch, status: int, kind: type[UpstreamError]
) -> None:
    monkeypatch.setattr("compshare_images.upstream.http.MAX_BODY", 1000)
    for body in (
        Response(status, body=b"<html>", length=100),
        Response(status, body=b"x" * 1001),
        Response(status, {"Content-Encoding": "gzip"}, body=b"<html>"),
    ):
        assert type(await _failure(scripted, body)) is kind


@pytest.mark.parametrize(
    "trouble", [Response(503), Response(429), json_response({"RetCode": "153"}), json_response({"RetCode": 150})]
)
async def test_trouble_that_passes_is_not_noticed(scripted: Loopback, trouble: Response) -> None:
    answers = iter([trouble, trouble, json_response(GOOD)])
    scripted.answer = lambda _: next(answers)
    assert (await _ask(scripted)).row_count == 1
    assert len(scripted.forms) == 3


async def test_every_attempt_sends_the_same_form(scripted: Loopback) -> None:
    await _failure(scripted, Response(500))
    assert scripted.forms == [scripted.forms[0]] * 3


async def test_pauses_grow_and_are_longer_when_throttled(scripted: Loopback) -> None:
    trouble: list[float] = []
    throttled: list[float] = []
    await _failure(scripted, json_response({"RetCode": 150}), trouble)
    await _failure(scripted, json_response({"RetCode": 153}), throttled)
    assert 0 < trouble[0] < trouble[1]
    assert throttled[0] > trouble[0]
    assert throttled[1] > trouble[1]
    assert len(trouble) == len(throttled) == 2


@pytest.mark.parametrize("response", [Response(429), Response(503), json_response({"RetCode": 153})])
async def test_a_wish_in_seconds_is_honoured(scripted: Loopback, response: Response) -> None:
    pauses: list[float] = []
    response.headers = {"Retry-After": "7"}
    error = await _failure(scripted, response, pauses)
    assert pauses == [7, 7]
    assert not isinstance(error, RateLimited) or "Retry after 7 seconds" in str(error)


async def test_a_wish_as_a_date_is_honoured(scripted: Loopback) -> None:
    pauses: list[float] = []
    wish = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    await _failure(scripted, Response(429, {"Retry-After": wish}), pauses)
    assert len(pauses) == 2
    assert all(10 < pause <= 20 for pause in pauses)


async def test_a_date_that_has_passed_asks_for_no_pause(scripted: Loopback) -> None:
    pauses: list[float] = []
    await _failure(scripted, Response(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), pauses)
    assert pauses == [0, 0]


@pytest.mark.parametrize(
    "wish",
    ["", "soon", "-5", "nan", "inf", "1e3", "0x10", "7 8", "Wed, 99 Foo 2026 99:99:99 GMT", "\xb2", "2026-13-45"],
)
async def test_a_wish_that_is_rubbish_is_as_none(scripted: Loopback, wish: str) -> None:
    pauses: list[float] = []
    error = await _failure(scripted, Response(429, {"Retry-After": wish}), pauses)
    assert isinstance(error, RateLimited)
    assert error.retry_after is None
    assert "Retry after 10 seconds" in str(error)
    assert 0.5 < pauses[0] < pauses[1] < 10


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("wish", "least"), [("30", 30), ("86400", 86400), ("9" * 400, 10**6), ("Fri, 31 Dec 9999 23:59:59 GMT", 10**6)]
)
async def test_a_wish_beyond_the_budget_is_told_at_once(
    scripted: Loopback, status: int, wish: str, least: float
) -> None:
    pauses: list[float] = []
    error = await _failure(scripted, Response(status, {"Retry-After": wish}), pauses)
    assert pauses == []
    assert len(scripted.forms) == 1
    assert isinstance(error, RateLimited | UpstreamUnavailable)
    assert (error.retry_after or 0) >= least
    assert status != 429 or f"Retry after {error.retry_after:.0f} seconds" in str(error)


async def test_a_pause_that_would_outlast_the_budget_is_not_begun(scripted: Loopback) -> None:
    scripted.answer = lambda _: Response(429, {"Retry-After": "7"})
    pauses: list[float] = []
    async with _client(scripted.url, pauses=pauses) as client:
        with pytest.raises(RateLimited, match="Retry after 7 seconds"):
            await client.describe(LIST, budget=6)
    assert pauses == []


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(scripted: Loopback, status: int) -> None:
    with loopback(lambda _: json_response(GOOD)) as elsewhere:
        error = await _failure(scripted, Response(status, {"Location": elsewhere.url + "/secret-path"}))
        assert elsewhere.forms == []
    assert type(error) is UpstreamInvalid
    assert f"HTTP {status}" in str(error)
    assert "secret-path" not in str(error)
    assert len(scripted.forms) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<!doctype html><html><body>502 Bad Gateway</body></html>",
        '{"RetCode": 0, "ImageSet": [',
        '{"RetCode": 0} {"RetCode": 0}',
        b'{"RetCode": 0, "Message": "\xff\xfe\xfa"}',
        "\ufeff\ufeff{}",
        "[]",
        json.dumps([GOOD]),
        "null",
        "true",
        "0",
        '"RetCode"',
        "[" * 100_000,
        '{"RetCode": 0, "ImageSet": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        '{"RetCode": 0, "TotalCount": ' + "9" * 5000 + "}",
        "{}",
        '{"ImageSet": []}',
    ],
    ids=lambda body: repr(body[:30]),
)
async def test_what_cannot_be_understood_is_invalid_after_one_request(scripted: Loopback, body: bytes | str) -> None:
    error = await _failure(scripted, _body(body))
    assert type(error) is UpstreamInvalid
    assert error.__cause__ is None
    assert len(scripted.forms) == 1


@pytest.mark.parametrize("name", ["CompshareImageGroup", "ImageSetGroup", "ImageSet"])
@pytest.mark.parametrize("value", [{}, "", "rows", 0, 7, True, False])
async def test_a_list_of_another_type_is_invalid(scripted: Loopback, name: str, value: object) -> None:
    error = await _failure(scripted, json_response({"RetCode": 0, name: value}))
    assert type(error) is UpstreamInvalid
    assert len(scripted.forms) == 1


async def test_a_refused_connection_is_unavailable_and_tried_again() -> None:
    pauses: list[float] = []
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        async with _client(f"http://127.0.0.1:{closed.getsockname()[1]}", pauses=pauses) as client:
            with pytest.raises(UpstreamUnavailable, match="could not be reached"):
                await client.describe(LIST)
    assert len(pauses) == 2


async def test_a_service_without_tls_is_unavailable_and_not_tried_again(scripted: Loopback) -> None:
    pauses: list[float] = []
    async with _client(scripted.url.replace("http://", "https://"), pauses=pauses) as client:
        with pytest.raises(UpstreamUnavailable, match="TLS"):
            await client.describe(LIST)
    assert pauses == []


async def test_a_truncated_body_is_unavailable_and_tried_again(scripted: Loopback) -> None:
    whole = json.dumps(GOOD).encode()
    error = await _failure(scripted, Response(body=whole, length=len(whole) + 10))
    assert type(error) is UpstreamUnavailable
    assert len(scripted.forms) == 3


async def test_a_body_that_does_not_unpack_is_unavailable(scripted: Loopback) -> None:
    error = await _failure(scripted, Response(headers={"Content-Encoding": "gzip"}, body=json.dumps(GOOD).encode()))
    assert type(error) is UpstreamUnavailable


async def test_a_body_over_the_limit_is_invalid(scripted: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.upstream.http.MAX_BODY", 1000)
    scripted.answer = lambda _: _body(json.dumps(GOOD).ljust(1000))
    assert (await _ask(scripted)).row_count == 1
    error = await _failure(scripted, _body(json.dumps(GOOD).ljust(1001)))
    assert type(error) is UpstreamInvalid
    assert "larger than" in str(error)
    assert len(scripted.forms) == 2


async def test_a_body_without_end_is_cut_off(scripted: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.upstream.http.MAX_BODY", 100_000)
    error = await _failure(scripted, Response(chunks=repeat(b" " * 10_000)))
    assert type(error) is UpstreamInvalid


async def test_a_packed_body_is_unpacked(scripted: Loopback) -> None:
    packed = gzip.compress(json.dumps(GOOD).encode())
    scripted.answer = lambda _: Response(headers={"Content-Encoding": "gzip"}, body=packed)
    assert (await _ask(scripted)).row_count == 1


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "deflate"])
async def test_a_body_packed_in_a_way_that_was_not_asked_for_is_not_unpacked(scripted: Loopback, encoding: str) -> None:
    twice = gzip.compress(gzip.compress(json.dumps(GOOD).encode()))
    error = await _failure(scripted, Response(headers={"Content-Encoding": encoding}, body=twice))
    assert type(error) is UpstreamInvalid
    assert "not asked for" in str(error)


async def test_the_limit_is_on_the_unpacked_body(scripted: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compshare_images.upstream.http.MAX_BODY", 10_000)
    packed = gzip.compress(json.dumps(GOOD).ljust(1_000_000).encode())
    assert len(packed) < 10_000
    error = await _failure(scripted, Response(headers={"Content-Encoding": "gzip"}, body=packed))
    assert type(error) is UpstreamInvalid


async def test_a_service_that_never_answers_is_given_up_and_tried_again(scripted: Loopback) -> None:
    over, pauses = Event(), list[float]()
    scripted.answer = lambda _: json_response({**GOOD, "late": over.wait(5)})
    async with _client(scripted.url, timeout=0.1, pauses=pauses) as client:
        with pytest.raises(UpstreamUnavailable, match="did not answer"):
            await client.describe(LIST)
    over.set()
    assert len(pauses) == 2


async def test_a_body_that_stalls_is_given_up(scripted: Loopback) -> None:
    over = Event()

    def drip() -> Generator[bytes]:
        yield b" "
        over.wait(5)

    scripted.answer = lambda _: Response(chunks=drip())
    async with _client(scripted.url, timeout=0.1) as client:
        with pytest.raises(UpstreamUnavailable, match="did not answer"):
            await client.describe(LIST)
    over.set()


async def test_an_http_status_counts_even_if_its_body_stalls(scripted: Loopback) -> None:
    over = Event()

    def drip() -> Generator[bytes]:
        yield b"<html>"
        over.wait(5)

    scripted.answer = lambda _: Response(401, chunks=drip())
    async with _client(scripted.url, timeout=0.2) as client:
        with pytest.raises(AuthenticationFailed):
            await client.describe(LIST)
    over.set()


async def test_a_budget_bounds_an_attempt_that_may_take_longer(scripted: Loopback) -> None:
    over, pauses = Event(), list[float]()
    scripted.answer = lambda _: json_response({**GOOD, "late": over.wait(5)})
    async with _client(scripted.url, timeout=60, pauses=pauses) as client:
        with pytest.raises(UpstreamUnavailable):
            await client.describe(LIST, budget=0.1)
    over.set()
    assert pauses == []


async def test_a_client_goes_on_after_a_failure(scripted: Loopback) -> None:
    answers = iter([Response(404), _body("<html>"), json_response(GOOD)])
    scripted.answer = lambda _: next(answers)
    async with _client(scripted.url) as client:
        for _ in range(2):
            with pytest.raises(UpstreamInvalid):
                await client.describe(LIST)
        assert (await client.describe(LIST)).row_count == 1


async def test_what_goes_to_loopback_goes_through_no_proxy(scripted: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback(lambda _: json_response(GOOD)) as proxy:
        for name in PROXIES:
            monkeypatch.setenv(name, proxy.url)
        await _ask(scripted)
        assert proxy.forms == []
    assert len(scripted.forms) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, '{"RetCode": 171}'),
        (200, '{"RetCode": 153}'),
        (200, '{"RetCode": 9999}'),
        (200, "{}"),
        (200, "[]"),
        (200, "<html>"),
        (200, '{"RetCode": 0, "ImageSet": 5}'),
        *((status, "<html>") for status, _, _ in STATUSES),
        (302, ""),
    ],
)
async def test_the_request_id_of_a_failure_is_shown(scripted: Loopback, status: int, body: str) -> None:
    response = Response(status, {"X-UCLOUD-REQUEST-UUID": REQUEST_ID}, body=body.encode())
    assert REQUEST_ID in str(await _failure(scripted, response))


async def test_a_request_id_in_the_body_is_shown(scripted: Loopback) -> None:
    answer = json_response({"RetCode": 230, "Message": "Params [Zone] not available", "request_uuid": REQUEST_ID})
    assert REQUEST_ID in str(await _failure(scripted, answer))


@pytest.mark.parametrize("status", [400, 403, 429, 500])
async def test_what_the_service_says_with_an_http_error_is_shown(scripted: Loopback, status: int) -> None:
    content = {"RetCode": 9998, "Message": "the backend is away", "request_uuid": REQUEST_ID}
    said = str(await _failure(scripted, json_response(content, status)))
    assert "9998" in said
    assert "the backend is away" in said
    assert REQUEST_ID in said


async def test_a_message_is_one_bounded_line_without_markup(scripted: Loopback) -> None:
    message = "\x1b[31m<b>Bad</b>\r\n\u202e[Zone]\u200b " + "x" * 100_000
    said = str(await _failure(scripted, json_response({"RetCode": 230, "Message": message})))
    assert "Bad [Zone] xxx" in said
    assert said.isprintable()
    assert len(said) < 500


@pytest.mark.parametrize("message", [None, 5, [], {"a": 1}, True])
async def test_a_message_that_is_no_text_is_left_out(scripted: Loopback, message: object) -> None:
    said = str(await _failure(scripted, json_response({"RetCode": 230, "Message": message, "request_uuid": None})))
    assert "answered RetCode 230." in said


def _echo(form: Form) -> str:
    return f"keys {form['PublicKey']} {PRIVATE_KEY} signature {form['Signature']}"


def _split(text: str) -> str:
    return "\u200b".join(text)


def _padded(text: str) -> str:
    return "x" * 150 + text


ECHOES: dict[str, Callable[[Form], Response]] = {
    "message": lambda form: json_response({"RetCode": 171, "Message": _echo(form)}),
    "long message": lambda form: json_response({"RetCode": 171, "Message": _padded(_echo(form))}),
    "split message": lambda form: json_response({"RetCode": 171, "Message": _split(_echo(form))}),
    "escaped message": lambda form: json_response({"RetCode": 171, "Message": _echo(form).replace("-", "&#45;")}),
    "quoted message": lambda form: json_response({"RetCode": 171, "Message": quote(_echo(form), safe="")}),
    "shouted message": lambda form: json_response({"RetCode": 171, "Message": _echo(form).upper()}),
    "named parameter": lambda form: json_response({"RetCode": 230, "Message": f"Params [{form['PublicKey']}]"}),
    "throttled": lambda form: json_response({"RetCode": 153, "Message": _echo(form)}),
    "request id": lambda form: json_response({"RetCode": 8039, "request_uuid": _echo(form)}),
    "nested request id": lambda form: json_response({"RetCode": 8039, "request_uuid": {"id": [_echo(form)]}}),
    "header": lambda form: json_response({"RetCode": 110}, X_UCLOUD_REQUEST_UUID=_echo(form)),
    "header of an HTTP error": lambda form: json_response({}, 500, X_UCLOUD_REQUEST_UUID=_echo(form)),
    "ret code": lambda form: json_response({"RetCode": _echo(form)}),
    "not JSON": lambda form: _body(_echo(form)),
    "HTTP error": lambda form: Response(403, body=_echo(form).encode()),
    "redirect": lambda form: Response(302, {"Location": f"http://127.0.0.1:1/?{_echo(form)}".replace(" ", "%20")}),
    "wish": lambda form: Response(429, {"Retry-After": _echo(form)}),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES.keys())
async def test_no_failure_tells_a_secret(
    scripted: Loopback, echo: Callable[[Form], Response], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "compshare_images")
    scripted.answer = echo
    with pytest.raises(CompShareError) as caught:
        await _ask(scripted)
    shown = [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value), caplog.text]
    seen = "".join(shown).lower()
    for secret in (PUBLIC_KEY, PRIVATE_KEY, scripted.forms[0]["Signature"]):
        assert secret not in seen
        assert quote(secret, safe="").lower() not in seen


async def test_a_message_keeps_what_is_no_secret(scripted: Loopback) -> None:
    scripted.answer = lambda form: json_response({"RetCode": 171, "Message": f"no user {form['PublicKey']} here"})
    with pytest.raises(AuthenticationFailed, match=r"no user \*\*\* here"):
        await _ask(scripted)
