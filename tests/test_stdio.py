"""The installed command, as a host runs it."""

import json
from collections.abc import Callable
from threading import Event

import pytest
from mcp import Client, StdioServerParameters

from loopback import Form, Loopback, Response
from processes import (
    COMMAND,
    INITIALIZE,
    INITIALIZED,
    SEARCH,
    SECONDS,
    Process,
    close_input,
    environment,
    interrupt,
    message,
    receive,
    running,
    send,
    terminate,
)

ways_to_end = pytest.mark.parametrize("end", [close_input, interrupt, terminate])


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_image_is_found_and_opened(mode: str) -> None:
    server = StdioServerParameters(command=COMMAND, args=["--sandbox"], env=environment())
    async with Client(server, mode=mode) as client:
        found = await client.call_tool("search_community_images", {"query": "数字人", "limit": 1})
        image_id = found.structured_content["images"][0]["compshare_image_id"]
        opened = await client.call_tool("get_image_detail", {"compshare_image_id": image_id})
    assert opened.structured_content["image"]["compshare_image_id"] == image_id


@ways_to_end
def test_an_idle_server_ends_cleanly_and_says_nothing_else(end: Callable[[Process], None]) -> None:
    with running("--sandbox") as process:
        send(process, INITIALIZE)
        receive(process)
        end(process)
        assert process.wait(SECONDS) == 0
        assert process.stdout and process.stdout.read() == b""
        assert process.stderr and process.stderr.read() == b""


@ways_to_end
def test_a_server_that_waits_for_the_service_ends_cleanly(end: Callable[[Process], None], service: Loopback) -> None:
    asked, never = Event(), Event()

    def hang(_: Form) -> Response:
        asked.set()
        never.wait(SECONDS)
        return Response(500)

    service.answer = hang
    with running(**service.settings) as process:
        send(process, INITIALIZE, INITIALIZED, SEARCH)
        assert asked.wait(SECONDS)
        end(process)
        assert process.wait(SECONDS) == 0
        assert process.stderr and process.stderr.read() == b""
    never.set()


def test_a_host_that_stops_reading_leaves_no_traceback() -> None:
    with running("--sandbox") as process:
        send(process, INITIALIZE)
        receive(process)
        assert process.stdout
        process.stdout.close()
        send(process, INITIALIZED, message("tools/list", 2))
        assert process.wait(SECONDS) == 0
        assert process.stderr and process.stderr.read() == b""


def test_a_server_without_keys_starts_and_says_how_to_get_them() -> None:
    with running() as process:
        send(process, INITIALIZE, INITIALIZED, SEARCH)
        receive(process)
        answer = json.dumps(receive(process))
    assert "[not_configured]" in answer
    assert "COMPSHARE_PUBLIC_KEY" in answer


def test_half_a_character_in_a_call_is_answered_like_any_other() -> None:
    cut = json.dumps("数字人 \ud83d and \U0001f600 whole").encode()
    call = message("tools/call", 2, name="search_community_images", arguments={"query": "@", "limit": 1})
    with running("--sandbox") as process:
        send(process, INITIALIZE, INITIALIZED, call.replace(b'"@"', cut))
        receive(process)
        answer = receive(process)
    assert answer["id"] == 2
    assert "数字人 \ufffd and \U0001f600 whole" in json.dumps(answer, ensure_ascii=False)
