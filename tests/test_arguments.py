"""Arguments, as models send them."""

import pytest

from worlds import World, search, text_of

pytestmark = pytest.mark.anyio


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
