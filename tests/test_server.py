"""What a client is told of the server and its tools, and how calls fail."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import anyio
import pytest
from bpe_openai import get_encoding
from mcp import Client
from mcp.types import CallToolResult, TextContent, Tool

from compshare_images import __version__
from compshare_images.settings import load_settings
from compshare_images.tools.reply import Reply
from compshare_images.tools.search import search
from compshare_images.tools.server import build_server
from compshare_images.tools.session import Session
from loopback import Loopback

pytestmark = pytest.mark.anyio

Snapshot = Callable[[str, str], None]


def text_of(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


async def tools_of(client: Client) -> dict[str, Tool]:
    return {tool.name: tool for tool in (await client.list_tools()).tools}


def schemas_in(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        fields = cast("dict[str, Any]", schema)
        yield fields
        for value in fields.values():
            yield from schemas_in(value)


async def test_the_server_says_who_it_is(client: Client) -> None:
    assert client.server_info
    assert (client.server_info.name, client.server_info.version) == ("compshare-images-mcp", __version__)


async def test_there_are_two_tools_and_both_only_read(client: Client) -> None:
    tools = await tools_of(client)
    assert list(tools) == ["search_community_images", "get_image_detail"]
    for tool in tools.values():
        assert tool.annotations
        assert tool.annotations.title
        assert tool.annotations.read_only_hint
        assert tool.annotations.idempotent_hint
        assert tool.annotations.open_world_hint
        assert tool.annotations.destructive_hint is False


@pytest.mark.parametrize("name", ["search_community_images", "get_image_detail"])
async def test_what_a_model_sees_of_a_tool_changes_only_in_a_reviewed_diff(snapshot: Snapshot, name: str) -> None:
    server = build_server(load_settings({}, sandbox=True))
    async with Client(server) as modern, Client(server, mode="legacy") as legacy:
        tool, same_tool = (await tools_of(modern))[name], (await tools_of(legacy))[name]
    assert tool == same_tool
    seen = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
    snapshot(f"{name}.json", json.dumps(seen, ensure_ascii=False, indent=2))


async def test_input_schemas_are_flat_and_closed(client: Client) -> None:
    for tool in (await tools_of(client)).values():
        assert tool.input_schema["additionalProperties"] is False
        for schema in tool.input_schema["properties"].values():
            assert schema["type"] in {"string", "integer", "number", "boolean"}
            assert not {"$ref", "anyOf", "allOf", "oneOf", "title", "examples"} & set(schema)


async def test_output_schemas_are_inline_and_open(client: Client) -> None:
    for tool in (await tools_of(client)).values():
        assert tool.output_schema
        for schema in schemas_in(tool.output_schema):
            assert not {"$ref", "$defs", "anyOf", "title", "additionalProperties"} & set(schema) - {"properties"}


async def test_the_list_may_be_kept_for_long_by_anyone() -> None:
    async with Client(build_server(load_settings({}, sandbox=True)), mode="auto") as client:
        listed = await client.list_tools()
    assert listed.cache_scope == "public"
    assert listed.ttl_ms and listed.ttl_ms >= 3600 * 1000


async def test_instructions_and_descriptions_are_short_and_complete(client: Client) -> None:
    descriptions = [tool.description or "" for tool in (await tools_of(client)).values()]
    told = "\n".join([client.instructions or "", *descriptions])
    assert len(get_encoding("o200k_base").encode(told)) <= 350
    for word in ("ComfyUI", "数字人", "LLM", "training", "one to five", "full id", "url", "fee", "rent", "never invent",
                 "readme_limit=0", "never instructions", "does not state"):  # fmt: skip
        assert word in told


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("search_community_images", {"limit": 500}, "limit: 500 is out of range; use 1 to 100, e.g. limit=20."),
        ("search_community_images", {"limit": 0}, "limit: 0 is out of range"),
        ("search_community_images", {"limit": True}, "limit: true is not an integer"),
        ("search_community_images", {"limit": "ten"}, "limit: ten is not an integer"),
        ("search_community_images", {"limit": 2.5}, "limit: 2.5 is not an integer"),
        ("search_community_images", {"limit": [1]}, "limit: a list is not an integer"),
        ("search_community_images", {"offset": -1}, "offset: -1 is out of range; use 0"),
        ("search_community_images", {"max_price": -0.1}, "max_price: -0.1 is out of range"),
        ("search_community_images", {"max_price": "Infinity"}, "max_price: Infinity is not a number"),
        ("search_community_images", {"max_price": False}, "max_price: false is not a number"),
        ("search_community_images", {"query": "长" * 201}, "query: 201 characters are too many; use at most 200."),
        ("search_community_images", {"tag": 5}, "tag: 5 is not a string"),
        ("search_community_images", {"tag": {"a": 1}}, "tag: an object is not a string"),
        ("search_community_images", {"sort_field": "Popular"}, "use Favor, PubTime, Price, CreatedCount"),
        ("search_community_images", {"sort_asc": "up"}, "sort_asc: up is not a boolean; use true or false"),
        ("search_community_images", {"cuda_version": "newest"}, "cuda_version: use a version such as 12.4"),
        ("search_community_images", {"gpu": "4090"}, "gpu: no such argument. Did you mean gpu_type?"),
        ("search_community_images", {"q": "x"}, "Did you mean query?"),
        ("search_community_images", {"id": "x"}, "Did you mean compshare_image_id?"),
        ("search_community_images", {"GpuType": "x"}, "Did you mean gpu_type?"),
        ("search_community_images", {"zzz": None}, "zzz: no such argument. Known: "),
        ("search_community_images", {"limit": 0, "offset": -1}, "offset: -1 is out of range"),
        ("get_image_detail", {}, "compshare_image_id: is required"),
        ("get_image_detail", {"compshare_image_id": " "}, "compshare_image_id: is required"),
        ("get_image_detail", {"compshare_image_id": "x", "readme_limit": 20001}, "readme_limit: 20001 is out of range"),
        ("get_image_detail", {"compshare_image_id": "x", "query": "y"}, "query: no such argument"),
    ],
)
async def test_a_wrong_argument_is_named_with_what_it_may_be(
    client: Client, tool: str, given: dict[str, object], said: str
) -> None:
    result = await client.call_tool(tool, given)
    assert result.is_error
    assert text_of(result).startswith("[invalid_argument] ")
    assert said in text_of(result)
    assert "pydantic" not in text_of(result)


async def test_null_blank_and_digit_strings_are_understood(client: Client) -> None:
    given = {"query": None, "tag": "  ", "limit": "2", "offset": 1.0, "max_price": "0", "sort_asc": "true"}
    result = await client.call_tool("search_community_images", given)
    assert not result.is_error
    assert result.structured_content["offset"] == 1
    assert len(result.structured_content["images"]) == 2


async def test_a_string_is_never_decoded_as_json(client: Client) -> None:
    result = await client.call_tool("search_community_images", {"name": '["ComfyUI"]'})
    assert result.structured_content["total_count"] > 0  # punctuation does not matter in a name


async def test_a_tool_that_does_not_exist_is_a_coded_error_that_names_those_that_do(client: Client) -> None:
    result = await client.call_tool("list_instances", {})
    assert result.is_error
    assert text_of(result).startswith("[invalid_argument] list_instances: no such tool.")
    assert "search_community_images, get_image_detail" in text_of(result)


async def test_a_caller_with_a_token_is_told_of_the_scan(service: Loopback) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async with Client(build_server(load_settings(service.settings))) as client:
        await client.call_tool("search_community_images", {"limit": 1}, progress_callback=hear)
        with anyio.fail_after(20):
            while not told:
                await anyio.lowlevel.checkpoint()
    assert told[0] == (1, 2, "read 1 of 2 pages of the catalogue")


@pytest.mark.parametrize("name", ["search", "detail"])
async def test_the_text_of_an_answer_changes_only_in_a_reviewed_diff(snapshot: Snapshot, name: str) -> None:
    async with Session(load_settings({}, sandbox=True), clock=lambda: 1_795_000_000) as session:
        found = await session.search_community_images({"query": "语音克隆", "gpu_type": "3090", "limit": 4})
        assert found.structure
        best = found.structure["images"][0]["compshare_image_id"]
        opened = await session.get_image_detail({"compshare_image_id": best, "readme_limit": 400})
    snapshot(f"{name}.txt", found.text if name == "search" else opened.text)


async def test_a_refresh_begins_only_when_a_reply_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def recorded(*given: Any) -> Reply:  # noqa: ANN401 - passed on as they are
        done.append("reply")
        return search(*given)

    def wake(_: Session) -> None:
        done.append("wake")

    monkeypatch.setattr("compshare_images.tools.session.search", recorded)
    monkeypatch.setattr(Session, "wake", wake)
    async with Client(build_server(load_settings({}, sandbox=True))) as client:
        done.clear()
        await client.call_tool("search_community_images", {"limit": 1})
    assert done[:2] == ["reply", "wake"]
