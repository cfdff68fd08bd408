"""Both forms of a search: their bounds, covers and text."""

import json
import re

import pytest
from mcp.types import CallToolResult

import oracle
from oracle import Row
from worlds import (
    MOST_BYTES,
    SANDBOX_LINE,
    Bench,
    World,
    call,
    group,
    ids_in,
    ids_of,
    image_id,
    lone,
    note_of,
    read_all,
    search,
    size_of,
    structure_of,
    suggested_in,
    text_of,
    version,
)

pytestmark = pytest.mark.anyio


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
