"""Values as authors and services write them, and the catalogue that is made of them."""

import copy
import re
from typing import cast

import pytest
from mcp import Client

import oracle
from compshare_images.sandbox.service import Sandbox, Shape
from compshare_images.settings import load_settings
from compshare_images.tools.server import build_server
from loopback import loopback, sandboxed
from oracle import Row
from worlds import (
    SHAPES,
    Bench,
    World,
    call,
    group,
    ids_of,
    image_id,
    lone,
    search,
    structure_of,
    text_of,
    version,
)

pytestmark = pytest.mark.anyio


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
