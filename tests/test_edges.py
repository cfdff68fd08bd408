"""The corners of the tools and of the commands: odd cards, odd words, many versions, hosts and pipes that are gone."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import pytest

from clock import Clock
from compshare_images.tools.session import Session
from loopback import Loopback
from oracle import Row
from worlds import Bench, call, group, ids_of, image_id, lone, note_of, rows, search, structure_of, text_of, version

pytestmark = pytest.mark.anyio

COMMAND = str(Path(sys.executable).with_name("compshare-images-mcp"))
SECONDS = 20  # a bound on waiting, never an expectation
TTL = 600

Process = subprocess.Popen[bytes]


async def opened(bench: Bench, number: int = 1) -> tuple[dict[str, Any], str]:
    result = await bench.client.call_tool("get_image_detail", {"compshare_image_id": image_id(number)})
    assert not result.is_error, text_of(result)
    return structure_of(result), text_of(result)


# Cards.


@pytest.mark.parametrize("query", ["数字人 4090", "4090 数字人", "我想在 RTX 4090 24G 上跑数字人"])
async def test_a_card_in_a_query_puts_the_images_that_list_it_first(bench: Bench, query: str) -> None:
    cards = (["5090"], ["4090_48G"], None, ["5090", "4090"], ["4090"])
    held = [
        group(number, version(number, Tags=["数字人"], SupportedGpuTypes=listed), CreatedCount=100 - number)
        for number, listed in enumerate(cards)
    ]
    images = (await search(bench.holding(*held), query=query))["images"]
    assert ids_of(images) == [image_id(number) for number in (3, 4, 0, 1, 2)]


@pytest.mark.parametrize(
    ("listed", "asked", "found"),
    [
        ("XPU9000", "XPU9000", True),
        ("XPU9000", "xpu 9000", True),
        ("XPU9000", "XPU9000 64G", True),
        ("XPU9000", "XPU9001", False),
        ("XPU9000", "256G", False),
        ("XPU9000_64G", "XPU9000", True),
        ("XPU9000_64G", "XPU9000 64 GB", True),
        ("XPU9000_64G", "XPU9000_32G", False),
        ("XPU9000_64G", "64G", True),
        ("XPU9000_64G", "48G", False),
    ],
)
async def test_a_card_of_unknown_memory_is_the_one_of_its_name_unless_both_say_otherwise(
    bench: Bench, listed: str, asked: str, found: bool
) -> None:
    client = bench.holding(lone(1, SupportedGpuTypes=[listed]))
    assert (await search(client, gpu_type=asked))["total_count"] == found


# Versions.


@pytest.mark.parametrize(
    ("number", "listed"), [(60, range(60, 10, -1)), (11, range(60, 10, -1)), (1, [*range(60, 11, -1), 1])]
)
async def test_the_opened_version_is_listed_beside_the_newest_however_old_it_is(
    bench: Bench, number: int, listed: list[int]
) -> None:
    await search(bench.holding(group(1, *(version(one, PubTime=one) for one in range(60, 0, -1)))))
    structure, text = await opened(bench, number)
    assert ids_of(structure["versions"]) == [image_id(one) for one in listed]
    assert "50 of 60 versions" in note_of(structure)
    assert note_of(structure) in text


@pytest.mark.parametrize(("visibility", "private"), [(0, True), ("0", True), (1, False), (None, False)])
async def test_an_image_that_is_not_public_is_said_to_be_private(
    bench: Bench, visibility: object, private: bool
) -> None:
    bench.holding(lone(1, Visibility=visibility, Container="True"))
    structure, text = await opened(bench)
    assert (structure["image"].get("visibility") == 0) is private
    assert ("private" in text) is private


# Notes, in both forms.


HELD = (
    lone(1, SupportedGpuTypes=["4090"], Price=5, Tags=["数字人"]),
    lone(2, SupportedGpuTypes=["5090"], Price=0, Tags=["数字人"]),
)
NOTES: list[tuple[Row, str]] = [
    ({"query": "数字人", "sort_asc": True}, "sort_asc does not apply to relevance; give sort_field."),
    ({"query": "4090 免费"}, "Cards, memory and 'free' in a query only rank"),
    ({"gpu_type": "4090", "max_price": 0}, "Each filter alone matches: gpu_type 1, max_price 1."),
    (
        {"compshare_image_id": image_id(1), "max_price": 1, "gpu_type": "4090"},
        "That image is known, but does not pass max_price.",
    ),
    (
        {"compshare_image_id": "group0000001", "max_price": 1, "gpu_type": "5090"},
        "That image is known, but does not pass gpu_type, max_price.",
    ),
]
NO_NOTES: list[tuple[Row, str]] = [
    ({"sort_asc": True}, "sort_asc"),
    ({"query": "数字人", "sort_field": "Price", "sort_asc": True}, "sort_asc"),
    ({"query": "数字人 4090 免费"}, "only rank"),
    ({"gpu_type": "4090", "max_price": 5}, "alone"),
    ({"max_price": 0, "tag": "zzzz"}, "alone"),
    ({"compshare_image_id": image_id(1), "max_price": 5}, "known"),
]


@pytest.mark.parametrize(("given", "said"), NOTES)
async def test_a_note_is_in_both_forms(bench: Bench, given: Row, said: str) -> None:
    result = await call(bench.holding(*HELD), **given)
    assert said in note_of(structure_of(result))
    assert said in text_of(result)


@pytest.mark.parametrize(("given", "unsaid"), NO_NOTES)
async def test_a_note_is_left_out_where_it_does_not_apply(bench: Bench, given: Row, unsaid: str) -> None:
    result = await call(bench.holding(*HELD), **given)
    assert unsaid not in note_of(structure_of(result))


async def test_that_a_catalogue_is_old_is_noted_in_both_forms(
    session: Session, service: Loopback, clock: Clock
) -> None:
    service.answer = rows(*HELD)
    said = "The catalogue is old"
    fresh = await session.search_community_images({})
    clock.now += TTL
    stale = await session.search_community_images({})
    assert fresh.structure and said not in note_of(fresh.structure)
    assert stale.structure and said in note_of(stale.structure)
    assert [said in reply.text for reply in (fresh, stale)] == [False, True]


# Strangers' words.


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 12])
async def test_markup_that_was_escaped_several_times_is_none_in_a_name(bench: Bench, layers: int) -> None:
    name = "<img src=x onerror=alert(1)>数字人"
    for _ in range(layers):
        name = escape(name)
    (image,) = (await search(bench.holding(group(1, version(1), ImageName=name))))["images"]
    assert "数字人" in image["name"]
    assert not {"<", "&"} & set(image["name"])
    assert layers > 4 or image["name"] == "数字人"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "vbscript:x", "data:text/html,x", "file:///etc/passwd"])
@pytest.mark.parametrize("around", ["{}", "before\n\n{}\n\nafter", "- {}"])
async def test_a_definition_of_a_link_that_is_not_of_the_web_is_gone(bench: Bench, address: str, around: str) -> None:
    bench.holding(lone(1, Readme=around.format(f"[a]: {address}")))
    structure, text = await opened(bench)
    assert "[a]" not in structure["readme"]["text"] + text
    assert address not in structure["readme"]["text"] + text
    assert structure["readme"]["text"].split() == around.replace("- {}", "").replace("{}", "").split()


async def test_a_definition_of_a_link_of_the_web_is_kept(bench: Bench) -> None:
    bench.holding(lone(1, Readme="[a]: https://example.com/x"))
    structure, _ = await opened(bench)
    assert structure["readme"]["text"] == "[a] https://example.com/x"


# Real processes.


def environment(**settings: str) -> dict[str, str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}
    return {**keep, "XDG_CONFIG_HOME": os.devnull, **settings}


def message(method: str, number: int | None = None, **params: object) -> bytes:
    content: dict[str, object] = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(content if number is None else {**content, "id": number}).encode() + b"\n"


INITIALIZE = message(
    "initialize", 1, protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "test", "version": "1"}
)


@contextmanager
def a_host_that_does_not_read() -> Generator[Process]:
    """A server that is stuck in the middle of its output."""
    pipe = subprocess.PIPE
    with subprocess.Popen([COMMAND, "--sandbox"], stdin=pipe, stdout=pipe, stderr=pipe, env=environment()) as process:
        assert process.stdin and process.stdout
        process.stdin.write(INITIALIZE + message("notifications/initialized"))
        process.stdin.flush()
        process.stdout.readline()
        process.stdin.write(b"".join(message("tools/list", number) for number in range(2, 60)))
        process.stdin.flush()
        select.select([process.stdout], [], [], SECONDS)
        try:
            yield process
        finally:
            process.kill()


def test_a_host_that_does_not_read_cannot_keep_a_server_alive() -> None:
    with a_host_that_does_not_read() as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
        assert process.stderr and process.stderr.read() == b""


def ran(*arguments: str, stdout: int = subprocess.PIPE, **settings: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [COMMAND, *arguments, "--sandbox"],
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=SECONDS,
        check=False,
    )


COMMANDS = [["search", "数字人"], ["search", "--limit", "100", "--json"], ["search", "--help"], ["--version"]]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_output_that_nobody_reads_leaves_no_traceback(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        process = ran(*arguments, stdout=writer)
    finally:
        os.close(writer)
    assert process.stderr == b""
    assert process.returncode in {0, 1}


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_terminal_of_ascii_is_written_to_in_ascii(arguments: list[str]) -> None:
    process = ran(*arguments, PYTHONIOENCODING="ascii")
    assert (process.returncode, process.stderr) == (0, b"")
    assert process.stdout.isascii()
    assert process.stdout


def test_json_loses_nothing_in_ascii() -> None:
    plain, ascii_only = (
        json.loads(ran("search", "数字人", "--json", PYTHONIOENCODING=encoding).stdout)["images"]
        for encoding in ("utf-8", "ascii")
    )
    assert plain
    assert ascii_only == plain


def test_an_error_is_told_in_ascii_too() -> None:
    process = ran("search", "--sort-field", "最热", PYTHONIOENCODING="ascii")
    assert (process.returncode, process.stdout) == (1, b"")
    assert process.stderr.startswith(b"[invalid_argument] sort_field: ")
    assert process.stderr.isascii()
    assert b"Traceback" not in process.stderr
