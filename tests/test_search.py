"""`search_community_images`: what is found, of which version, in which order and pages."""

import random
from itertools import pairwise

import pytest

import oracle
from oracle import Group, Row
from worlds import (
    FIELDS,
    Bench,
    World,
    call,
    group,
    ids_of,
    image_id,
    left_out_of,
    lone,
    note_of,
    read_all,
    search,
    structure_of,
    text_of,
    version,
)

pytestmark = pytest.mark.anyio


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
