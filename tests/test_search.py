"""`search_community_images`: what is found, in which order, and what is said of it."""

import copy
import json
import random
import re
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
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

pytestmark = pytest.mark.anyio

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


# One filter, and several.

FILTERS: list[Row] = [
    *({"name": value} for value in ("comfyui", "ＬＯＲＡ", "声音 克隆gptsovits", "8G显存-可用", "qwen3")),
    *({"author": value} for value in ("tensorcat", "老 K 的炼丹房", "ＶＬＬＭ-lab", "CompShare官方")),
    *({"tag": value} for value in ("数字人", "qwen-image", "lora 训练", "语音克隆", "ＡＩ应用", "遥感")),
    *({"gpu_type": value} for value in ("4090", "RTX 4090", "rtx4090", "NVIDIA GeForce RTX 4090", "4090 24G")),
    *({"gpu_type": value} for value in ("4090_48G", "4090 48g", "3080Ti", "3080 ti", "2080", "2080 Ti")),
    *({"gpu_type": value} for value in ("Tesla P40", "a100", "A100 80G", "H20", "V100S")),
    *({"gpu_type": value} for value in ("8G", "11 gb", "12GB", "32g")),
    *({"max_price": value} for value in (0, 0.3, 0.5, 10)),
    *({"framework": value} for value in ("pytorch", "VLLM", "SGLang", "onnx runtime")),
    *({"cuda_version": value} for value in ("12.4", "12.8", "11.8", "12", "11", ">=12.8", ">=12.4", ">=12")),
]


@pytest.mark.parametrize("given", FILTERS, ids=str)
async def test_a_filter_finds_what_has_the_value(shaped: World, given: Row) -> None:
    expected = oracle.ordered(oracle.found(shaped.groups, given))
    result = await search(shaped.client, limit=9, **given)
    assert 0 < len(expected) < len(oracle.in_catalogue(shaped.groups))
    assert ids_of(result["images"]) == oracle.ids(expected)[:9]
    assert result["total_count"] == len(expected)
    assert left_out_of(result) == oracle.left_out(shaped.groups, given)


def combinations(groups: list[Group], seed: int, count: int) -> list[Row]:
    choose = random.Random(seed)  # noqa: S311 - a sample of cases
    versions = [one for held in groups for one in held if one.available and one.cards and one.tags]
    made: list[Row] = []
    while len(made) < count:
        one, other = choose.sample(versions, 2)
        one = other if choose.random() < 0.3 else one
        values: Row = {
            "name": one.name[: choose.randint(1, 6)],
            "author": one.author,
            "tag": choose.choice(one.tags).swapcase(),
            "gpu_type": choose.choice([*other.cards, "8G", "24G"]),
            "max_price": choose.choice([0, 0.5, 1]),
            "framework": choose.choice([*one.frameworks, "PyTorch"]),
            "cuda_version": choose.choice([*one.cudas, "12", ">=12.4"]),
        }
        chosen = choose.sample(sorted(values), choose.choice([2, 3]))
        made.append({argument: values[argument] for argument in chosen if values[argument]})
    return made


@pytest.mark.parametrize("seed", range(4))
async def test_filters_combine_with_and(world: World, seed: int) -> None:
    for number, given in enumerate(combinations(world.groups, seed, 10)):
        order, ascending = FIELDS[number % 4], (True, False, None)[number % 3]
        result = await search(world.client, limit=9, sort_field=order, sort_asc=ascending, **given)
        expected = oracle.ordered(oracle.found(world.groups, given), order, ascending=ascending)
        assert ids_of(result["images"]) == oracle.ids(expected)[:9], given
        assert result["total_count"] == len(expected), given
        assert left_out_of(result) == oracle.left_out(world.groups, given), given


def test_the_sample_of_combinations_finds_something_and_nothing_often_enough(samples: list[Row]) -> None:
    groups = oracle.read(samples)
    counts = [len(oracle.found(groups, given)) for seed in range(4) for given in combinations(groups, seed, 10)]
    assert 0.3 < sum(map(bool, counts)) / len(counts) < 0.9


# What an id names.


@pytest.mark.parametrize("form", ["{}", " {} ", "https://www.compshare.cn/images/{}"])
async def test_a_group_or_its_page_stands_for_its_newest_available_version(shaped: World, form: str) -> None:
    for versions in shaped.groups[::12]:
        result = await search(shaped.client, compshare_image_id=form.format(versions[0].group_id))
        assert ids_of(result["images"]) == oracle.ids(oracle.available(versions))[:1]
        assert result["total_count"] == len(result["images"])


@pytest.mark.parametrize("form", ["{}", "https://www.compshare.cn/images/{}", "https://www.compshare.cn/images/{}/"])
async def test_the_id_of_a_version_finds_exactly_that_version(shaped: World, form: str) -> None:
    for versions in shaped.groups[::12]:
        oldest = versions[-1]
        result = await search(shaped.client, compshare_image_id=form.format(oldest.image_id))
        described = [{name: value for name, value in one.items() if name != "description"} for one in result["images"]]
        assert described == [oracle.entry(oldest, versions)]


async def test_a_version_that_is_not_available_is_found_by_its_id_with_its_status(shaped: World) -> None:
    for offline in (one for versions in shaped.groups for one in versions if not one.available):
        result = await search(shaped.client, compshare_image_id=offline.image_id)
        shown = [(image["compshare_image_id"], image["status"]) for image in result["images"]]
        assert shown == [(offline.image_id, offline.status)]


async def test_an_available_version_has_no_status(shaped: World) -> None:
    images = await read_all(shaped.client, limit=100)
    assert images
    assert not any("status" in image for image in images)


async def test_other_filters_hold_for_the_version_of_an_id_too(shaped: World) -> None:
    paid, free = next(
        (dear, cheap)
        for versions in shaped.groups
        for dear, cheap in pairwise(oracle.available(versions))
        if dear.price and cheap.price == 0
    )
    by_version = await search(shaped.client, compshare_image_id=paid.image_id, max_price=0)
    by_group = await search(shaped.client, compshare_image_id=paid.group_id, max_price=0)
    assert by_version["images"] == []
    assert ids_of(by_group["images"]) == [free.image_id]


async def test_an_unknown_id_finds_nothing_and_the_note_names_the_nearest(sandbox: World) -> None:
    known = sandbox.groups[0][0].image_id
    result = await search(sandbox.client, compshare_image_id=known[:-1] + "_")
    assert (result["images"], result["total_count"]) == ([], 0)
    assert known in note_of(result)


async def test_a_group_without_an_available_version_is_not_in_the_catalogue(world: World) -> None:
    gone = [versions for versions in world.groups if not oracle.available(versions)]
    everything = await read_all(world.client, limit=100)
    assert gone
    assert not {one.image_id for versions in gone for one in versions} & set(ids_of(everything))


async def test_the_note_says_why_the_id_of_a_group_without_an_available_version_finds_nothing(sandbox: World) -> None:
    gone = next(versions for versions in sandbox.groups if not oracle.available(versions))
    result = await search(sandbox.client, compshare_image_id=gone[0].group_id)
    assert result["images"] == []
    assert note_of(result)


# Versions of a group.


async def test_every_entry_states_what_its_version_and_its_group_state(shaped: World) -> None:
    shown = {versions[0].image_id: versions for versions in map(oracle.available, shaped.groups) if versions}
    for image in await read_all(shaped.client, limit=20):
        versions = shown[image["compshare_image_id"]]
        assert oracle.shortens(image.pop("description", None), versions[0].description, 120)
        assert image == oracle.entry(versions[0], versions)


async def test_descriptions_are_shorter_when_more_than_twenty_are_asked_for(sandbox: World) -> None:
    whole = {one.image_id: one.description for versions in sandbox.groups for one in versions}
    for image in await read_all(sandbox.client, limit=21):
        assert oracle.shortens(image.get("description"), whole[image["compshare_image_id"]], 60)


async def test_the_newest_available_version_that_passes_every_filter_is_shown(bench: Bench) -> None:
    paid_5090 = version(3, Price=1, SupportedGpuTypes=["5090"])
    offline = version(2, Price=0, SupportedGpuTypes=["4090"], Status="Offline")
    free_4090 = version(1, Price=0, SupportedGpuTypes=["4090", "5090"])
    client = bench.holding(group(1, paid_5090, offline, free_4090))
    shown = [await search(client, **given) for given in ({}, {"max_price": 0}, {"gpu_type": "4090"})]
    assert [ids_of(one["images"]) for one in shown] == [[image_id(3)], [image_id(1)], [image_id(1)]]
    assert [one["images"][0]["version_count"] for one in shown] == [2, 2, 2]


async def test_no_version_passes_when_each_passes_only_a_part(bench: Bench) -> None:
    held = group(1, version(2, Price=1, SupportedGpuTypes=["4090"]), version(1, Price=0, SupportedGpuTypes=["5090"]))
    assert (await search(bench.holding(held), gpu_type="4090", max_price=0))["images"] == []


async def test_grouped_versions_keep_the_order_of_the_service(bench: Bench) -> None:
    held = group(1, version(1, PubTime=1_750_000_000), version(2, PubTime=1_760_000_000))
    assert ids_of((await search(bench.holding(held)))["images"]) == [image_id(1)]


async def test_flat_versions_are_ordered_by_publication_and_then_by_creation(bench: Bench) -> None:
    times = [(1_750_000_000, 9), (1_760_000_000, 7), (1_760_000_000, 8), (None, 10)]
    held = [version(n, GroupId="g", PubTime=pub, CreateTime=made) for n, (pub, made) in enumerate(times)]
    result = await search(bench.holding(*held, key="ImageSet"))
    assert [(image["compshare_image_id"], image["version_count"]) for image in result["images"]] == [(image_id(2), 4)]


async def test_a_flat_group_has_the_name_of_the_shown_version_and_the_largest_counters(bench: Bench) -> None:
    old = version(1, GroupId="g", Name="old", PubTime=1_750_000_000, CreatedCount="90", FavoritesCount=3)
    new = version(2, GroupId="g", Name="new", PubTime=1_760_000_000, CreatedCount=80, FavoritesCount="5")
    image = (await search(bench.holding(old, new, key="ImageSet")))["images"][0]
    assert (image["name"], image["created_count"], image["favorites_count"]) == ("new", 90, 5)


async def test_a_flat_row_without_a_group_is_a_group_of_its_own(bench: Bench) -> None:
    held = [version(number) for number in (1, 2, 3)]
    result = await search(bench.holding(*held, key="ImageSet"))
    assert ids_of(result["images"]) == [image_id(1), image_id(2), image_id(3)]
    assert not any("version_count" in image for image in result["images"])


async def test_a_flat_row_may_bear_its_id_under_the_documented_spelling(bench: Bench) -> None:
    result = await search(bench.holding({"ImageId": image_id(7), "Name": "n", "Status": "Available"}, key="ImageSet"))
    assert ids_of(result["images"]) == [image_id(7)]


@pytest.mark.parametrize("key", ["CompshareImageGroup", "ImageSetGroup"])
async def test_rows_of_one_group_on_two_pages_are_one_entry(bench: Bench, key: str) -> None:
    newer, older = (group(0, version(n, PubTime=1_790_000_000), CreatedCount=7) for n in (901, 900))
    held = [newer, *(lone(number, PubTime=1_700_000_000) for number in range(1, 120)), older]
    result = await search(bench.holding(*held, key=key), limit=1)
    first = result["images"][0]
    assert result["total_count"] == 120
    assert (first["compshare_image_id"], first["version_count"]) == (image_id(901), 2)


async def test_a_group_that_comes_twice_counts_its_versions_once(bench: Bench) -> None:
    twice = group(0, version(901), version(900))
    held = [twice, *(lone(number) for number in range(1, 120)), twice]
    result = await search(bench.holding(*held), compshare_image_id="group0000000")
    assert result["catalogue"]["image_count"] == 120
    assert result["images"][0]["version_count"] == 2


async def test_groups_of_one_name_are_all_kept(bench: Bench) -> None:
    held = [group(number, version(number, Author=f"author {number}"), ImageName="twin") for number in (1, 2)]
    assert {image["author"] for image in (await search(bench.holding(*held)))["images"]} == {"author 1", "author 2"}


# Order.


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("field", FIELDS)
async def test_images_are_in_the_order_asked_for(world: World, field: str, ascending: bool) -> None:
    expected = oracle.ordered(oracle.found(world.groups, {}), field, ascending=ascending)
    given: Row = {"sort_field": field, "sort_asc": ascending, "limit": 12}
    first, last = [await search(world.client, offset=offset, **given) for offset in (0, len(expected) - 12)]
    assert ids_of(first["images"]) == oracle.ids(expected)[:12]
    assert ids_of(last["images"]) == oracle.ids(expected)[-12:]


@pytest.mark.parametrize("field", FIELDS)
async def test_the_cheapest_come_first_and_otherwise_the_largest_or_newest(shaped: World, field: str) -> None:
    expected = oracle.ordered(oracle.found(shaped.groups, {}), field, ascending=field == "Price")
    assert ids_of((await search(shaped.client, sort_field=field))["images"]) == oracle.ids(expected)[:20]


@pytest.mark.parametrize("ascending", [None, True, False])
async def test_images_are_ordered_by_publication_when_nothing_is_asked_for(
    world: World, ascending: bool | None
) -> None:
    expected = oracle.ordered(oracle.found(world.groups, {}), "PubTime", ascending=bool(ascending))
    result = await search(world.client, sort_asc=ascending, limit=12)
    assert ids_of(result["images"]) == oracle.ids(expected)[:12]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "PubTime desc"),
        ({"sort_field": "Price"}, "Price asc"),
        ({"sort_field": "Price", "sort_asc": False}, "Price desc"),
        ({"sort_field": "Favor"}, "Favor desc"),
        ({"sort_field": "CreatedCount", "sort_asc": "true"}, "CreatedCount asc"),
        ({"query": "数字人"}, "relevance"),
        ({"query": "数字人", "sort_field": "Favor"}, "Favor desc"),
    ],
)
async def test_the_order_is_said(sandbox: World, given: Row, said: str) -> None:
    result = await call(sandbox.client, **given)
    assert structure_of(result)["sorted_by"] == said
    assert said in text_of(result).splitlines()[1]


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize(("field", "known"), [("Favor", "FavoritesCount"), ("PubTime", "PubTime"), ("Price", "Price")])
async def test_images_without_the_value_come_last_either_way(
    bench: Bench, field: str, known: str, ascending: bool
) -> None:
    held = [lone(1), lone(2), group(3, version(3, **{known: 1_760_000_000}), **{known: 1_760_000_000})]
    result = await search(bench.holding(*held), sort_field=field, sort_asc=ascending)
    assert ids_of(result["images"]) == [image_id(3), image_id(1), image_id(2)]


@pytest.mark.parametrize("ascending", [True, False])
async def test_ties_go_by_deployments_and_then_by_id(bench: Bench, ascending: bool) -> None:
    deployed = {4: 5, 3: 0, 2: None, 1: "12", 0: None}
    held = [group(n, version(n, Price=1), CreatedCount=count) for n, count in deployed.items()]
    result = await search(bench.holding(*held), sort_field="Price", sort_asc=ascending)
    assert ids_of(result["images"]) == [image_id(n) for n in (1, 4, 0, 2, 3)]


async def test_an_unknown_number_of_deployments_comes_after_zero_when_sorted_by_it(bench: Bench) -> None:
    held = [group(1, version(1)), group(2, version(2), CreatedCount=0), group(3, version(3), CreatedCount="7")]
    result = await search(bench.holding(*held), sort_field="CreatedCount")
    assert ids_of(result["images"]) == [image_id(3), image_id(2), image_id(1)]


# Pages.


@pytest.mark.parametrize("limit", [7, 20])
async def test_pages_neither_overlap_nor_skip(shaped: World, limit: int) -> None:
    expected = oracle.ordered(shaped.having("gpu_type", "V100S"), "Price")
    images = await read_all(shaped.client, limit=limit, gpu_type="V100S", sort_field="Price")
    assert len(expected) > 20
    assert ids_of(images) == oracle.ids(expected)


@pytest.mark.parametrize("limit", [1, 7, 20, 100])
async def test_pages_of_the_whole_catalogue_neither_overlap_nor_skip(sandbox: World, limit: int) -> None:
    expected = oracle.ordered(oracle.found(sandbox.groups, {}))
    assert ids_of(await read_all(sandbox.client, limit=limit)) == oracle.ids(expected)


async def test_a_page_holds_as_many_as_asked_for_and_says_where_the_next_begins(sandbox: World) -> None:
    page = await search(sandbox.client, offset=14, limit=7)
    assert (len(page["images"]), page["offset"], page["next_offset"]) == (7, 14, 21)
    assert "note" not in page


async def test_twenty_are_shown_by_default(sandbox: World) -> None:
    page = await search(sandbox.client)
    assert (len(page["images"]), page["offset"], page["next_offset"]) == (20, 0, 20)


async def test_the_last_page_names_no_next_one(sandbox: World) -> None:
    total = len(oracle.in_catalogue(sandbox.groups))
    for offset, limit in ((total - 1, 1), (total - 3, 20)):
        assert "next_offset" not in await search(sandbox.client, offset=offset, limit=limit)


@pytest.mark.parametrize("beyond", [0, 1, 100_000])
async def test_an_offset_past_the_end_shows_nothing_but_the_true_total_and_says_so(shaped: World, beyond: int) -> None:
    total = len(shaped.having("tag", "数字人"))
    page = await search(shaped.client, tag="数字人", offset=total + beyond)
    assert (page["images"], page["total_count"], page["offset"]) == ([], total, total + beyond)
    assert "next_offset" not in page
    assert f"offset {total + beyond}" in note_of(page)


# What is left out, and what would have matched.


async def test_what_fails_another_filter_on_a_stated_value_is_not_counted_as_left_out(bench: Bench) -> None:
    silent = lone(1, Price=0), lone(2, Price=5)
    stating = lone(3, Price=0, SupportedGpuTypes=["4090"]), lone(4, Price=0, SupportedGpuTypes=["5090"])
    result = await search(bench.holding(*silent, *stating), gpu_type="4090", max_price=1)
    assert ids_of(result["images"]) == [image_id(3)]
    assert left_out_of(result) == {"gpu_type": 1}


async def test_a_group_with_one_version_that_states_the_fact_is_not_left_out(bench: Bench) -> None:
    held = group(1, version(2), version(1, SupportedGpuTypes=["4090"]))
    client = bench.holding(held, lone(3))
    assert left_out_of(await search(client, gpu_type="5090")) == {"gpu_type": 1}
    assert left_out_of(await search(client, gpu_type="4090")) == {"gpu_type": 1}


async def test_a_version_that_is_not_available_states_nothing_for_its_group(bench: Bench) -> None:
    held = group(1, version(2), version(1, SupportedGpuTypes=["4090"], Status="Offline"))
    result = await search(bench.holding(held, lone(3, SupportedGpuTypes=["4090"])), gpu_type="4090")
    assert ids_of(result["images"]) == [image_id(3)]
    assert left_out_of(result) == {"gpu_type": 1}


async def test_nothing_is_said_of_left_out_images_when_there_are_none(bench: Bench) -> None:
    result = await search(bench.holding(lone(1, Price=0), lone(2, Price=3)), max_price=1)
    assert "note" not in result


@pytest.mark.parametrize(
    ("argument", "value", "near"),
    [
        ("tag", "数字", "数字人"),
        ("tag", "语音克龙", "语音克隆"),
        ("author", "阿橙", "阿橙搞ai"),
        ("framework", "torch", "pytorch"),
    ],
)
async def test_a_value_that_nothing_has_is_answered_with_the_nearest(
    shaped: World, argument: str, value: str, near: str
) -> None:
    result = await search(shaped.client, **{argument: value})
    suggested = suggested_in(note_of(result))
    assert (result["images"], result["total_count"]) == ([], 0)
    assert near in suggested
    assert len(suggested) <= 5
    assert suggested.items() <= oracle.having(shaped.groups, argument).items()


@pytest.mark.parametrize(
    ("argument", "value"), [("tag", "zzzz"), ("author", "ωωωω"), ("framework", "zzzz"), ("cuda_version", "3")]
)
async def test_a_value_like_no_other_is_answered_with_the_commonest(shaped: World, argument: str, value: str) -> None:
    result = await search(shaped.client, **{argument: value})
    suggested = suggested_in(note_of(result))
    counts = oracle.having(shaped.groups, argument)
    assert (result["images"], result["total_count"]) == ([], 0)
    assert suggested.items() <= counts.items()
    assert sorted(suggested.values()) == sorted(count for _, count in counts.most_common(5))


@pytest.mark.parametrize("value", ["V100", "A10", "9090", "4090 12G", "1G", "rtx"])
async def test_a_card_that_nothing_lists_is_answered_with_every_card(shaped: World, value: str) -> None:
    result = await search(shaped.client, gpu_type=value)
    assert (result["images"], result["total_count"]) == ([], 0)
    assert suggested_in(note_of(result)) == oracle.having(shaped.groups, "gpu_type")


async def test_a_suggested_value_finds_as_many_as_it_promised(sandbox: World) -> None:
    for argument, nobodys in (("tag", "zzzz"), ("author", "阿橙"), ("gpu_type", "9090"), ("cuda_version", "99")):
        suggested = suggested_in(note_of(await search(sandbox.client, **{argument: nobodys})))
        assert suggested
        for value, count in suggested.items():
            assert (await search(sandbox.client, limit=1, **{argument: value}))["total_count"] == count, value


async def test_a_name_that_nothing_has_is_answered_with_the_nearest_names(bench: Bench) -> None:
    named = ["数字人直播间", "数字人", "数字人", "whisper"]
    held = [group(number, version(number), ImageName=name) for number, name in enumerate(named)]
    note = note_of(await search(bench.holding(*held), name="数字人工厂"))
    assert suggested_in(note)["数字人"] == 2
    assert "whisper" not in suggested_in(note)


async def test_a_fee_that_nothing_is_as_low_as_is_answered_with_the_nearest_fees(bench: Bench) -> None:
    fees = [1, 10, 20, 30, 40, 50, 50]
    held = [lone(number, Price=fee) for number, fee in enumerate(fees)]
    result = await search(bench.holding(*held, lone(90)), max_price=0)
    suggested = suggested_in(note_of(result))
    assert result["images"] == []
    assert suggested["1"] == 1
    assert suggested.items() <= {"1": 1, "10": 1, "20": 1, "30": 1, "40": 1, "50": 2}.items()
    assert left_out_of(result) == {"max_price": 1}


# Values as authors and services write them.


@pytest.mark.parametrize(
    ("stated", "asked", "matches"),
    [
        ("12.4", "12.4", True),
        ("12.4.1", "12.4", True),
        ("12.40", "12.4", False),
        ("12.4", "12.40", False),
        ("CUDA 12.8", "12.8", True),
        ("12.4", "12", True),
        ("120.1", "12", False),
        ("2.12", "12", False),
        ("12.10", ">=12.8", True),
        ("12.8", ">=12.8", True),
        ("12.8.1", ">=12.8", True),
        ("12.6", ">=12.8", False),
        ("13.0", ">=12.8", True),
        ("11.8", ">= 11.8", True),
    ],
)
async def test_cuda_versions_are_compared_part_by_part(bench: Bench, stated: str, asked: str, matches: bool) -> None:
    held = lone(1, Softwares={"CUDAVersion": stated})
    assert (await search(bench.holding(held), cuda_version=asked))["total_count"] == matches


async def test_any_of_several_softwares_may_have_the_value(bench: Bench) -> None:
    softwares = [{"Framework": "PyTorch", "CUDAVersion": "12.4"}, {"Framework": "vLLM", "CUDAVersion": "12.8"}]
    client = bench.holding(lone(1, Softwares=softwares), lone(2, Softwares=None))
    for given in ({"framework": "pytorch"}, {"framework": "VLLM"}, {"cuda_version": "12.8"}):
        assert ids_of((await search(client, **given))["images"]) == [image_id(1)], given


@pytest.mark.parametrize(
    "tags", ["数字人，ComfyUI", ["数字人,ComfyUI"], ["数字人", "ComfyUI"], ["数字人，", "ComfyUI"]]
)
async def test_joined_tags_are_split(bench: Bench, tags: object) -> None:
    client = bench.holding(lone(1, Tags=tags), lone(2, Tags=["数字人ComfyUI"]))
    for wanted in ("数字人", "comfyui"):
        images = (await search(client, tag=wanted))["images"]
        assert [image["tags"] for image in images] == [["数字人", "ComfyUI"]]


async def test_a_card_listed_twice_is_shown_once_in_the_order_of_the_service(bench: Bench) -> None:
    held = lone(1, SupportedGpuTypes=["5090", "4090_48G", "5090", "4090"])
    assert (await search(bench.holding(held)))["images"][0]["supported_gpu_types"] == ["5090", "4090_48G", "4090"]


async def test_what_is_unknown_or_usual_is_left_out(bench: Bench) -> None:
    nothing = dict.fromkeys(("Tags", "SupportedGpuTypes", "Softwares", "Owner", "Price", "Size", "PubTime", "Cover"))
    held = lone(1, **nothing, Author="", Container="True", AutoStart=False)
    image = (await search(bench.holding(held)))["images"][0]
    assert image == {"compshare_image_id": image_id(1), "name": "group 1"}


async def test_what_is_known_is_shown_even_when_it_is_zero(bench: Bench) -> None:
    held = group(1, version(1, Price=0), CreatedCount=0, FavoritesCount="0")
    image = (await search(bench.holding(held)))["images"][0]
    assert (image["price"], image["created_count"], image["favorites_count"]) == (0, 0, 0)


@pytest.mark.parametrize("container", ["False", False])
async def test_a_virtual_machine_is_said_to_be_no_container(bench: Bench, container: object) -> None:
    assert (await search(bench.holding(lone(1, Container=container))))["images"][0]["container"] is False


@pytest.mark.parametrize(("megabytes", "gigabytes"), [(1, 1), (1024, 1), (1025, 2), (61_440, 60)])
async def test_a_size_is_rounded_up_to_gigabytes(bench: Bench, megabytes: int, gigabytes: int) -> None:
    assert (await search(bench.holding(lone(1, Size=megabytes))))["images"][0]["size_gb"] == gigabytes


@pytest.mark.parametrize("seconds", [1_769_990_399, "1769990399"])
async def test_a_date_is_the_day_in_utc(bench: Bench, seconds: object) -> None:
    assert (await search(bench.holding(lone(1, PubTime=seconds))))["images"][0]["pub_time"] == "2026-02-01"


async def test_counts_written_as_digits_are_numbers(bench: Bench) -> None:
    held = [group(n, version(n), CreatedCount=count, FavoritesCount=count) for n, count in ((1, "9"), (2, "18"))]
    for order, name in (("CreatedCount", "created_count"), ("Favor", "favorites_count")):
        images = (await search(bench.holding(*held), sort_field=order))["images"]
        assert [image[name] for image in images] == [18, 9]


async def test_a_missing_status_counts_as_available(bench: Bench) -> None:
    bare = {"CompShareImageId": image_id(1), "Name": "bare"}
    result = await search(bench.holding(group(1, bare, version(2)), lone(3, Status="Reviewing")))
    assert ids_of(result["images"]) == [image_id(1)]
    assert result["images"][0]["version_count"] == 2
    assert result["catalogue"]["image_count"] == 1


UNREADABLE: list[object] = [{}, None, "row", {"Data": [{}], "GroupId": "g"}, {"Data": [{"Name": "no id"}]}]


@pytest.mark.parametrize("unreadable", UNREADABLE)
async def test_an_unreadable_row_is_counted_and_hides_no_other(bench: Bench, unreadable: object) -> None:
    result = await search(bench.holding(cast("Row", unreadable), lone(1)))
    assert ids_of(result["images"]) == [image_id(1)]
    assert result["catalogue"]["dropped"] >= 1
    assert result["catalogue"]["complete"] is True


async def test_the_groups_description_is_preferred_to_the_versions(bench: Bench) -> None:
    own = group(1, version(1, Description="of the version"), ImageDesc="of the group")
    borrowed = group(2, version(2, Description="of the version"), ImageDesc="")
    images = (await search(bench.holding(own, borrowed), sort_field="Favor"))["images"]
    assert [image["description"] for image in images] == ["of the group", "of the version"]


# The catalogue.


async def test_the_catalogue_is_described(shaped: World) -> None:
    catalogue = (await search(shaped.client, limit=1))["catalogue"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", catalogue.pop("fetched_at"))
    count = len(oracle.in_catalogue(shaped.groups))
    assert catalogue == {"image_count": count, "source": "live", "stale": False, "complete": True}


async def test_another_place_is_said(samples: list[Row], sandbox: World) -> None:
    result = await call(sandbox.client, region="cn-sh2", zone="cn-sh2-02", limit=1)
    catalogue = structure_of(result)["catalogue"]
    held = oracle.in_catalogue(oracle.read(samples[::3]))
    assert (catalogue["region"], catalogue["zone"]) == ("cn-sh2", "cn-sh2-02")
    assert (catalogue["image_count"], structure_of(result)["total_count"]) == (len(held), len(held))
    assert "cn-sh2 cn-sh2-02" in text_of(result).splitlines()[1]


async def test_a_region_alone_is_said_without_a_zone(sandbox: World) -> None:
    catalogue = (await search(sandbox.client, region="cn-sh2"))["catalogue"]
    assert catalogue["region"] == "cn-sh2"
    assert "zone" not in catalogue


@pytest.fixture(scope="module")
def many(samples: list[Row]) -> list[Row]:
    groups = [copy.deepcopy(held) for held in (*samples, *samples)]
    for number, held in enumerate(groups):
        for place, image in enumerate(held["Data"]):
            image.pop("Readme", None)
            image["CompShareImageId"] = image_id(number * 10 + place)
        held["GroupId"] = f"many{number:08d}"
    return groups


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_long_list_is_read_to_its_end(many: list[Row], shape: Shape) -> None:
    expected = oracle.ordered(oracle.found(oracle.read(many, flat=shape == "documented"), {}), "CreatedCount")
    with loopback(sandboxed(Sandbox(groups=many, shape=shape))) as service:
        async with Client(build_server(load_settings(service.settings))) as client:
            last = await search(client, offset=len(expected) - 9, sort_field="CreatedCount")
        offsets = {int(form["Offset"]) for form in service.forms}
    assert ids_of(last["images"]) == oracle.ids(expected)[-9:]
    assert last["total_count"] == last["catalogue"]["image_count"] == len(expected) > 250
    assert offsets >= {0, 100, 200}


# The bound on size.


@pytest.fixture(scope="module")
def bulky() -> list[Row]:
    return [
        group(
            number,
            version(
                number,
                Author="作者" * 30,
                Tags=[f"标签{number}{letter}" * 5 for letter in "abc"],
                SupportedGpuTypes=["4090", "4090_48G", "5090", "A100", "H20"],
                PubTime=1_700_000_000 + number,
                Cover=f"https://covers.example/{number}.jpg",
            ),
            ImageName="长名字" * 40,
            ImageDesc="很长的描述。" * 200,
        )
        for number in range(130)
    ]


async def test_a_result_stays_within_its_bytes_by_leaving_whole_entries_to_the_next_page(
    bench: Bench, bulky: list[Row]
) -> None:
    page = await search(bench.holding(*bulky), limit=100, offset=5)
    shown = len(page["images"])
    expected = oracle.ids(oracle.ordered(oracle.found(oracle.read(bulky), {})))
    assert MOST_BYTES - 2 * size_of(page["images"][0]) < size_of(page) <= MOST_BYTES
    assert ids_of(page["images"]) == expected[5 : 5 + shown]
    assert (page["next_offset"], page["total_count"]) == (5 + shown, 130)
    assert f" {shown} " in page["note"]
    assert ids_of(await read_all(bench.client, limit=100)) == expected


async def test_the_text_and_the_covers_are_of_the_entries_that_were_kept(bench: Bench, bulky: list[Row]) -> None:
    result = await call(bench.holding(*bulky), limit=100)
    kept = ids_of(structure_of(result)["images"])
    assert len(kept) < 100
    assert ids_in(text_of(result)) == kept
    assert list(covers_of(result)) == kept
    assert len(text_of(result).encode()) <= MOST_BYTES
    assert f"offset={len(kept)}" in text_of(result).splitlines()[-1]


async def test_one_enormous_image_hides_no_other(bench: Bench) -> None:
    words = [f"{number:03d}" + "长" * 37 for number in range(100)]
    softwares = [{"Framework": word, "CUDAVersion": word} for word in words]
    enormous = lone(9, PubTime=1_790_000_000, Tags=words, SupportedGpuTypes=words, Softwares=softwares)
    client = bench.holding(lone(1), enormous, lone(2))
    sizes = [size_of(await search(client, limit=limit)) for limit in (1, 20)]
    assert max(sizes) <= MOST_BYTES
    assert ids_of(await read_all(client)) == [image_id(number) for number in (9, 1, 2)]


async def test_an_answer_stays_within_its_bytes_however_many_cards_there_are(bench: Bench) -> None:
    made_up = [[f"{number}-{place}-" + "长" * 30 for place in range(100)] for number in range(10)]
    held = [lone(number, SupportedGpuTypes=["4090", *cards]) for number, cards in enumerate(made_up)]
    result = await call(bench.holding(*held), gpu_type="9090")
    assert suggested_in(note_of(structure_of(result)))["4090"] == 10
    assert size_of(result.structured_content) <= MOST_BYTES
    assert len(text_of(result).encode()) <= MOST_BYTES


# Covers.


def covers_of(result: CallToolResult) -> dict[str, str]:
    return (result.meta or {}).get("compshare/covers", {})


async def test_covers_travel_beside_the_result_and_in_neither_form_of_it(shaped: World) -> None:
    result = await call(shaped.client, limit=20)
    shown = oracle.ordered(oracle.found(shaped.groups, {}))[:20]
    assert covers_of(result) == {one.image_id: one.cover for one in shown if one.cover}
    assert covers_of(result)
    assert "https://covers" not in text_of(result) + json.dumps(result.structured_content)


@pytest.mark.parametrize("cover", ["http://covers.example/a.jpg", "javascript:alert(1)", "//covers.example/a", "", 5])
async def test_a_cover_that_is_not_https_is_left_out(bench: Bench, cover: object) -> None:
    client = bench.holding(lone(1, Cover=cover), lone(2, Cover="https://covers.example/b.jpg"))
    assert covers_of(await call(client)) == {image_id(2): "https://covers.example/b.jpg"}


# The text.


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"limit": 100},
        {"tag": "数字人"},
        {"query": "语音"},
        {"offset": 100, "limit": 50},
        {"max_price": 0, "gpu_type": "8G", "sort_field": "Favor"},
        {"tag": "zzzz"},
        {"cuda_version": "12.8", "offset": 5000},
    ],
    ids=str,
)
async def test_both_forms_list_the_same_images_and_carry_the_same_words(sandbox: World, given: Row) -> None:
    result = await call(sandbox.client, **given)
    text, structure = text_of(result), structure_of(result)
    assert ids_in(text) == ids_of(structure["images"])
    assert note_of(structure) in text
    assert structure["notice"] in text
    assert text.splitlines()[0] == SANDBOX_LINE
    assert text.splitlines()[1].startswith(f"{len(structure['images'])} of {structure['total_count']} images")
    assert structure["catalogue"]["source"] == "sandbox"
    assert f"catalogue of {structure['catalogue']['image_count']}, {structure['catalogue']['fetched_at']}" in text
    assert ("next_offset" in structure) == (f"offset={structure.get('next_offset')}" in text)


async def test_the_sandbox_is_not_claimed_by_a_live_answer(shaped: World) -> None:
    assert "SANDBOX" not in text_of(await call(shaped.client))


async def test_both_forms_say_where_an_answer_comes_from(sandbox: World, bench: Bench) -> None:
    for client in (sandbox.client, bench.holding(lone(1))):
        result = await call(client, limit=1)
        head = "\n".join(text_of(result).splitlines()[:3]).casefold()
        assert structure_of(result)["catalogue"]["source"] in head


async def test_that_fees_come_on_top_of_rent_is_said_once(sandbox: World) -> None:
    assert text_of(await call(sandbox.client, sort_field="Price", sort_asc=False)).count("on top of GPU rent") == 1


async def test_the_first_line_says_how_many_of_how_many_by_which_filters(sandbox: World) -> None:
    total = len(oracle.found(sandbox.groups, {"tag": "数字人", "max_price": 0}))
    head = text_of(await call(sandbox.client, tag="数字人", max_price=0, limit=2)).splitlines()[1]
    assert head.startswith(f"2 of {total} images")
    assert "tag=数字人" in head
    assert "max_price=0" in head


ENTRY_LINE = {
    "name": "“group 1”",
    "version": "v2.5",
    "author": "by somebody",
    "uses": "41 uses",
    "day": "2026-02-01",
    "cards": "4090 5090",
    "fee": "+¥0.5/h",
    "machine": "VM",
    "description": "does a thing",
}


async def test_an_entry_of_the_text_has_what_a_choice_needs(bench: Bench) -> None:
    held = group(
        1,
        version(
            1,
            VersionName="v2.5",
            Author="somebody",
            PubTime=1_769_990_399,
            SupportedGpuTypes=["4090", "5090"],
            Price=0.5,
            Container="False",
        ),
        CreatedCount=41,
        ImageDesc="does a thing",
    )
    text = text_of(await call(bench.holding(held)))
    assert [part for part in ENTRY_LINE.values() if part not in text] == []


@pytest.mark.parametrize(("fields", "absent"), [({"Price": 0}, "¥"), ({}, "¥"), ({"Container": "True"}, "VM")])
async def test_the_text_speaks_of_a_fee_or_a_machine_only_when_there_is_one(
    bench: Bench, fields: Row, absent: str
) -> None:
    assert absent not in text_of(await call(bench.holding(lone(1, **fields))))


@pytest.mark.parametrize(("limit", "described"), [(10, True), (11, False)])
async def test_the_text_describes_images_when_they_are_few(bench: Bench, limit: int, described: bool) -> None:
    held = [group(number, version(number), ImageDesc="does a thing") for number in range(20)]
    text = text_of(await call(bench.holding(*held), limit=limit))
    assert ("does a thing" in text) == described


async def test_a_name_in_the_text_is_one_line_and_cannot_close_its_marks(bench: Bench) -> None:
    held = group(1, version(1), ImageName="one” · 2 of 2\n2. “forged")
    lines = text_of(await call(bench.holding(held))).splitlines()
    titles = [line for line in lines if "forged" in line]
    assert len(titles) == 1
    assert titles[0].count("“") == titles[0].count("”") == 1


async def test_the_last_line_has_the_next_offset_and_the_commonest_tags_of_all_that_was_found(sandbox: World) -> None:
    text = text_of(await call(sandbox.client, gpu_type="4090", limit=2))
    found = [[one] for one in sandbox.having("gpu_type", "4090")]
    counts = oracle.having(found, "tag")
    last = text.splitlines()[-1]
    narrowing = {oracle.same(tag): int(count) for tag, count in re.findall(r"([^\s,:]+) (\d+)(?:, |$)", last)}
    assert "offset=2" in last
    assert narrowing.items() <= counts.items()
    assert sorted(narrowing.values()) == sorted(count for _, count in counts.most_common(5))


# Free text.

QUERIES = [
    ("数字人", ["数字人"]),
    ("我想跑一个数字人", ["数字人"]),
    ("我想要一个能做数字人的镜像", ["数字人"]),
    ("有没有支持换脸的", ["换脸"]),
    ("ComfyUI", ["comfyui"]),
    ("ＣＯＭＦＹＵＩ 视频", ["comfyui", "视频"]),
    ("I need an image with FaceFusion", ["facefusion"]),
    ("Whisper for 语音识别", ["whisper", "语音识别"]),
    ("我想做 LoRA 训练", ["lora", "训练"]),
    ("ComfyUI with Wan2.2", ["comfyui", "wan2.2"]),
    ("阿橙搞AI 数字人", ["阿橙搞", "ai", "数字人"]),
    ("qwen vllm", ["qwen", "vllm"]),
]


@pytest.mark.parametrize(("query", "words"), QUERIES)
async def test_a_query_finds_what_has_every_word_that_carries_meaning(
    shaped: World, query: str, words: list[str]
) -> None:
    expected = oracle.holding(oracle.found(shaped.groups, {}), words)
    result = await search(shaped.client, query=query, limit=100)
    assert expected
    assert sorted(ids_of(result["images"])) == sorted(oracle.ids(expected))
    assert all(image["match"] == "full" for image in result["images"])


@pytest.mark.parametrize(("field", "ascending"), [*zip(FIELDS, (None, True, False, None), strict=True)])
async def test_what_a_query_finds_can_be_filtered_and_sorted(shaped: World, field: str, ascending: bool | None) -> None:
    given: Row = {"gpu_type": "4090", "max_price": 0.5}
    expected = oracle.holding(oracle.found(shaped.groups, given), ["语音"])
    result = await search(shaped.client, query="我想要语音", sort_field=field, sort_asc=ascending, **given)
    assert len(expected) > 5
    assert ids_of(result["images"]) == oracle.ids(oracle.ordered(expected, field, ascending=ascending))
    assert result["total_count"] == len(expected)


async def test_pages_of_a_query_neither_overlap_nor_skip(sandbox: World) -> None:
    expected = oracle.holding(oracle.found(sandbox.groups, {}), ["视频"])
    pages = [ids_of(await read_all(sandbox.client, query="视频", limit=limit)) for limit in (3, 20, 100)]
    assert sorted(pages[0]) == sorted(oracle.ids(expected))
    assert pages == [pages[0]] * 3


@pytest.mark.parametrize(
    "held",
    [
        group(1, version(1), ImageName="换脸 tool"),
        lone(1, Tags=["换脸"]),
        group(1, version(1), ImageDesc="for 换脸"),
        lone(1, Description="for 换脸"),
        lone(1, Author="换脸小王"),
        lone(1, Softwares={"Framework": "换脸框架"}),
        lone(1, Softwares={"Applications": ["换脸"]}),
    ],
    ids=["name", "tag", "group's description", "version's description", "author", "framework", "application"],
)
async def test_a_word_may_be_in_any_of_an_images_texts(bench: Bench, held: Row) -> None:
    other = lone(2, VersionDesc="nothing of the kind")
    assert ids_of((await search(bench.holding(held, other), query="换脸"))["images"]) == [image_id(1)]


async def test_words_may_be_in_different_texts_but_all_must_be_there(bench: Bench) -> None:
    spread = group(1, version(1, Tags=["换脸"], Author="小王"), ImageName="FaceFusion")
    partly = group(2, version(2, Author="小王"), ImageName="FaceFusion")
    result = await search(bench.holding(spread, partly), query="facefusion 换脸 小王", sort_field="Favor")
    assert ids_of(result["images"]) == [image_id(1)]
    assert result["total_count"] == 1


@pytest.mark.parametrize(
    "query", ["Wan 2.2", "wan2.2", "ＷＡＮ２．２", "index tts", "IndexTTS", "Index-TTS", "gpt sovits"]
)
async def test_case_width_spaces_and_punctuation_of_a_query_do_not_matter(bench: Bench, query: str) -> None:
    names = ["Wan2.2 视频", "IndexTTS2", "index-tts server", "GPT-SoVITS"]
    held = [group(number, version(number), ImageName=name) for number, name in enumerate(names)]
    wanted = [n for n, name in enumerate(names) if oracle.letters(query) in oracle.letters(name)]
    result = await search(bench.holding(*held), query=query)
    assert wanted
    assert sorted(ids_of(result["images"])) == [image_id(n) for n in wanted]


FILLED = [
    "我想 {}",
    "我想要一个{}",
    "一个 {}",
    "我需要一个能做{}的镜像",
    "请推荐一个{}的镜像",
    "帮我找{}",
    "有没有{}",
    "need {}",
    "I need an image for {}",
    "{} with",
    "what is the best image for {} please",
]


@pytest.mark.parametrize("wish", FILLED)
@pytest.mark.parametrize("purpose", ["换脸", "comfyui"])
async def test_words_that_wrap_a_wish_do_not_matter(sandbox: World, wish: str, purpose: str) -> None:
    plain, wrapped = [
        (await search(sandbox.client, query=query, sort_field="Favor"))["images"]
        for query in (purpose, wish.format(purpose))
    ]
    assert plain
    assert wrapped == plain


NEVER_EXCLUDE = [
    *("4090", "RTX 4090", "rtx4090", "4090_48G", "4090 48G", "2080Ti", "3080 Ti"),
    *("P40", "V100S", "A100", "A800", "H20", "Tesla P40", "A100 80G", "RTX 3070 Ti", "RTX 4070 Ti Super"),
    *("8G", "24G", "24 GB", "24G显存", "显存24G", "24GB VRAM", "24GB memory", "8G显卡"),
    *("免费", "免费的", "完全免费", "free", "for free"),
]


@pytest.mark.parametrize("wish", NEVER_EXCLUDE)
async def test_cards_memory_sizes_and_free_in_a_query_never_exclude(sandbox: World, wish: str) -> None:
    expected = oracle.holding(oracle.found(sandbox.groups, {}), ["数字人"])
    for query in (f"数字人 {wish}", f"{wish}数字人"):
        result = await search(sandbox.client, query=query, limit=100)
        assert sorted(ids_of(result["images"])) == sorted(oracle.ids(expected)), query


@pytest.mark.parametrize("query", ["zzzz", "数字人 zzzz", "一个 zzzz", "我想要一个", "with", "???", "，。", "的"])
async def test_a_query_that_matches_nothing_never_gives_an_unfiltered_list(sandbox: World, query: str) -> None:
    result = await search(sandbox.client, query=query)
    assert (result["images"], result["total_count"]) == ([], 0)
    assert note_of(result)


@pytest.mark.parametrize(
    ("query", "meant", "other"),
    [
        ("应用", "AI应用", "化学反应"),
        ("摘要", "新闻摘要", "采摘园"),
        ("和弦", "吉他和弦", "二胡琴弦"),
        ("用户", "用户画像", "门户网站"),
        ("在线", "在线课堂", "曲线拟合"),
        ("智能", "智能客服", "智商测验"),
    ],
)
async def test_a_word_is_not_cut_down_to_a_character_that_other_words_share(
    bench: Bench, query: str, meant: str, other: str
) -> None:
    held = [group(number, version(number), ImageName=name) for number, name in enumerate((meant, other))]
    assert ids_of((await search(bench.holding(*held), query=query))["images"]) == [image_id(0)]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("个人知识库", "知识库，个人也能搭"),
        ("文本摘要", "自动摘要：长文本"),
        ("在4090上跑视频生成", "视频生成"),
        ("4090上跑的数字人", "数字人"),
    ],
)
async def test_a_run_of_words_is_found_with_its_words_apart(bench: Bench, query: str, name: str) -> None:
    held = [group(1, version(1), ImageName=name), lone(2)]
    assert ids_of((await search(bench.holding(*held), query=query))["images"]) == [image_id(1)]


async def test_a_short_word_is_not_found_inside_another(bench: Bench) -> None:
    held = [group(n, version(n), ImageName=name) for n, name in enumerate(("LoRA trainer", "Exploration"))]
    assert ids_of((await search(bench.holding(*held), query="lora"))["images"]) == [image_id(0)]


async def test_what_a_query_does_not_match_is_not_counted_as_left_out(bench: Bench) -> None:
    held = [group(1, version(1), ImageName="换脸"), group(2, version(2), ImageName="翻译")]
    result = await search(bench.holding(*held), query="换脸", gpu_type="4090")
    assert left_out_of(result) == {"gpu_type": 1}


async def test_without_a_query_no_entry_is_marked_as_a_match(sandbox: World) -> None:
    result = await search(sandbox.client)
    assert not any("match" in image for image in result["images"])


# Arguments.

ARGUMENTS = (
    *("region", "zone", "project_id", "compshare_image_id", "name", "author", "tag", "offset", "limit", "sort_field"),
    *("sort_asc", "query", "gpu_type", "max_price", "framework", "cuda_version"),
)


@pytest.mark.parametrize("argument", ARGUMENTS)
async def test_null_and_blank_arguments_are_not_given(sandbox: World, argument: str) -> None:
    plain = await search(sandbox.client)
    for blank in (None, "", "\t \u3000"):
        assert await search(sandbox.client, **{argument: blank}) == plain


async def test_all_arguments_may_be_null_at_once(sandbox: World) -> None:
    assert await search(sandbox.client, **dict.fromkeys(ARGUMENTS)) == await search(sandbox.client)


@pytest.mark.parametrize("three", ["3", " 3 ", 3.0])
async def test_integers_may_be_written_as_digits(sandbox: World, three: object) -> None:
    assert await search(sandbox.client, limit=three, offset=three) == await search(sandbox.client, limit=3, offset=3)


async def test_a_string_is_never_decoded(sandbox: World) -> None:
    for value in ('["数字人"]', '{"a":1}', "null", "true", '"数字人"'):
        assert (await search(sandbox.client, tag=value))["images"] == []


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        *(("limit", value) for value in (0, 101, True, "many", 2.5, [20])),
        *(("offset", value) for value in (-1, False, "x")),
        *(("max_price", value) for value in (-0.5, True, "cheap", "nan", "inf")),
        *(("sort_field", value) for value in ("favor", "Popularity")),
        *(("cuda_version", value) for value in ("latest", "12.4beta")),
        ("sort_asc", "maybe"),
        ("query", "数" * 201),
        ("tag", 5),
    ],
)
async def test_a_wrong_argument_is_an_error_that_names_it(sandbox: World, argument: str, wrong: object) -> None:
    result = await sandbox.client.call_tool("search_community_images", {argument: wrong})
    assert result.is_error
    assert text_of(result).startswith(f"[invalid_argument] {argument}")
