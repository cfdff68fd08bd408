"""What an answer says of images that it does not hold."""

import pytest

import oracle
from worlds import Bench, World, group, ids_of, image_id, left_out_of, lone, note_of, search, suggested_in, version

pytestmark = pytest.mark.anyio


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
    fees = [50, 50, 40, 40, 30, 30, 20, 20, 10, 10, 1]
    held = [lone(number, Price=fee) for number, fee in enumerate(fees)]
    result = await search(bench.holding(*held, lone(90)), max_price=0)
    assert result["images"] == []
    assert suggested_in(note_of(result)) == {"1": 1, "10": 2, "20": 2, "30": 2, "40": 2}
    assert left_out_of(result) == {"max_price": 1}
