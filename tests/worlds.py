"""Servers to search on: each with an oracle that knows what it holds, or one that holds what a test puts there."""

import json
import re
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from mcp import Client
from mcp.types import CallToolResult, TextContent

import oracle
from compshare_images.sandbox.samples import sample_groups
from compshare_images.sandbox.service import Sandbox, Shape
from compshare_images.settings import load_settings
from compshare_images.tools.server import build_server
from loopback import Form, Loopback, Response, json_response, loopback, sandboxed
from oracle import Group, Row, Version

SHAPES: tuple[Shape, ...] = ("live", "documented", "sibling")
KINDS: list[tuple[Shape, bool]] = [(shape, honours) for shape in SHAPES for honours in (False, True)]
FIELDS = ("Favor", "PubTime", "Price", "CreatedCount")
SANDBOX_LINE = "SANDBOX: sample data; these ids do not exist on CompShare."
MOST_BYTES = 36_000


@dataclass(frozen=True)
class World:
    client: Client = field(repr=False)
    groups: list[Group] = field(repr=False)

    def having(self, argument: str, value: object) -> list[Version]:
        return oracle.found(self.groups, {argument: value})


@dataclass(frozen=True)
class Bench:
    client: Client = field(repr=False)
    service: Loopback = field(repr=False)

    def holding(self, *held: Row, key: str = "CompshareImageGroup") -> Client:
        self.service.answer = rows(*held, key=key)
        return self.client


@pytest.fixture(scope="module")
def samples() -> list[Row]:
    return sample_groups()


@pytest.fixture(scope="module")
async def worlds(samples: list[Row]) -> AsyncGenerator[dict[tuple[Shape, bool], World]]:
    async with AsyncExitStack() as stack:
        opened: dict[tuple[Shape, bool], World] = {}
        for shape, honours in KINDS:
            service = Sandbox(groups=samples, shape=shape, honours_tag=honours, honours_sort=honours)
            client = await stack.enter_async_context(serving(sandboxed(service)))
            opened[shape, honours] = World(client, oracle.read(samples, flat=shape == "documented"))
        yield opened


@pytest.fixture(params=SHAPES)
def shaped(request: pytest.FixtureRequest, worlds: dict[tuple[Shape, bool], World]) -> World:
    return worlds[request.param, False]


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0]}-{'honours' if kind[1] else 'ignores'}")
def world(request: pytest.FixtureRequest, worlds: dict[tuple[Shape, bool], World]) -> World:
    return worlds[request.param]


@pytest.fixture(scope="module")
async def sandbox(samples: list[Row]) -> AsyncGenerator[World]:
    async with Client(build_server(load_settings({}, sandbox=True))) as client:
        yield World(client, oracle.read(samples))


@asynccontextmanager
async def serving(answer: Callable[[Form], Response]) -> AsyncGenerator[Client]:
    with loopback(answer) as service:
        async with Client(build_server(load_settings(service.settings))) as client:
            yield client


@pytest.fixture(scope="module")
async def bench() -> AsyncGenerator[Bench]:
    with loopback(rows()) as service:
        settings = load_settings({**service.settings, "COMPSHARE_CATALOGUE_TTL": "0"})
        async with Client(build_server(settings)) as client:
            yield Bench(client, service)


def rows(*held: Row, key: str = "CompshareImageGroup") -> Callable[[Form], Response]:
    def answer(form: Form) -> Response:
        start, limit = int(form.get("Offset", "0")), int(form.get("Limit", "20"))
        return json_response({"RetCode": 0, "TotalCount": len(held), key: held[start : start + limit]})

    return answer


def image_id(number: int) -> str:
    return f"compshareImage-{number:012d}"


def version(number: int, **fields: object) -> Row:
    return {"CompShareImageId": image_id(number), "Name": f"image {number}", "Status": "Available", **fields}


def group(number: int, *versions: Row, **fields: object) -> Row:
    return {"GroupId": f"group{number:07d}", "ImageName": f"group {number}", "Data": list(versions), **fields}


def lone(number: int, **fields: object) -> Row:
    return group(number, version(number, **fields))


async def call(client: Client, **arguments: object) -> CallToolResult:
    result = await client.call_tool("search_community_images", arguments)
    assert not result.is_error, text_of(result)
    return result


async def search(client: Client, **arguments: object) -> Row:
    return structure_of(await call(client, **arguments))


async def read_all(client: Client, **arguments: object) -> list[Row]:
    images: list[Row] = []
    page: Row = {"next_offset": 0}
    while "next_offset" in page:
        page = await search(client, offset=page["next_offset"], **arguments)
        assert page["images"], page
        images += page["images"]
    return images


def structure_of(result: CallToolResult) -> Row:
    return cast("Row", result.structured_content)


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def ids_of(images: Iterable[Row]) -> list[str]:
    return [image["compshare_image_id"] for image in images]


def ids_in(text: str) -> list[str]:
    return re.findall(r"compshareImage-[a-z0-9]{12}", text)


def note_of(result: Row) -> str:
    return result.get("note", "")


def left_out_of(result: Row) -> dict[str, int]:
    sentence = re.search(r"Left out[^:]*:([^.]*)\.", note_of(result))
    return {name: int(count) for name, count in re.findall(r"(\w+) (\d+)", sentence[1] if sentence else "")}


def suggested_in(note: str) -> dict[str, int]:
    return {oracle.same(value): int(count) for value, count in re.findall(r"(?:: |, )([^:,]+?) \((\d+)\)", note)}


def size_of(content: object) -> int:
    return len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
