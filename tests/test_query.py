"""Free text."""

import pytest

import oracle
from oracle import Row
from worlds import FIELDS, Bench, World, group, ids_of, image_id, left_out_of, lone, note_of, read_all, search, version

pytestmark = pytest.mark.anyio


QUERIES = [
    ("数字人", ["数字人"]),
    ("我想跑一个数字人", ["数字人"]),
    ("我想要一个能做数字人的镜像", ["数字人"]),
    ("有没有支持换脸的", ["换脸"]),
    ("ＣＯＭＦＹＵＩ 视频", ["comfyui", "视频"]),
    ("I need an image with FaceFusion", ["facefusion"]),
    ("Whisper for 语音识别", ["whisper", "语音识别"]),
    ("我想做 LoRA 训练", ["lora", "训练"]),
    ("ComfyUI with Wan2.2", ["comfyui", "wan2.2"]),
    ("阿橙搞AI 数字人", ["阿橙搞", "ai", "数字人"]),
    ("qwen vllm", ["qwen", "vllm"]),
]


@pytest.mark.parametrize(("query", "words"), QUERIES)
async def test_what_has_every_word_that_carries_meaning_is_a_full_match(
    shaped: World, query: str, words: list[str]
) -> None:
    expected = oracle.ids(oracle.holding(oracle.found(shaped.groups, {}), words))
    images = await read_all(shaped.client, query=query, limit=100)
    full = {image["compshare_image_id"] for image in images if image["match"] == "full"}
    assert expected
    assert full >= set(expected)


@pytest.mark.parametrize(("field", "ascending"), [*zip(FIELDS, (None, True, False, None), strict=True)])
async def test_what_a_query_finds_can_be_filtered_and_sorted(shaped: World, field: str, ascending: bool | None) -> None:
    given: Row = {"gpu_type": "4090", "max_price": 0.5}
    images = await read_all(shaped.client, query="我想要语音", limit=100, **given)
    full = {image["compshare_image_id"] for image in images if image["match"] == "full"}
    expected = [version for version in oracle.found(shaped.groups, given) if version.image_id in full]
    result = await search(shaped.client, query="我想要语音", sort_field=field, sort_asc=ascending, limit=100, **given)
    assert len(expected) > 5
    assert ids_of(result["images"]) == oracle.ids(oracle.ordered(expected, field, ascending=ascending))
    assert result["total_count"] == len(expected)


@pytest.mark.parametrize("query", ["视频", "ComfyUI 换脸", "把歌里的人声单独拿出来"])
async def test_pages_of_a_query_neither_overlap_nor_skip(sandbox: World, query: str) -> None:
    whole = await search(sandbox.client, query=query, limit=100)
    pages = [ids_of(await read_all(sandbox.client, query=query, limit=limit)) for limit in (3, 20, 100)]
    assert pages == [ids_of(whole["images"])] * 3
    assert whole["total_count"] == len(pages[0]) > 3


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
    spread = group(1, version(1, Tags=["阿斯兰"], Author="小王"), ImageName="FaceFusion")
    partly = group(2, version(2, Author="小王"), ImageName="FaceFusion")
    images = (await search(bench.holding(spread, partly), query="facefusion 阿斯兰 小王"))["images"]
    assert {image["compshare_image_id"]: image["match"] for image in images} == {
        image_id(1): "full",
        image_id(2): "partial",
    }


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
    plain = ids_of((await search(sandbox.client, query="数字人", limit=100))["images"])
    assert plain
    for query in (f"数字人 {wish}", f"{wish}数字人"):
        result = await search(sandbox.client, query=query, limit=100)
        assert sorted(ids_of(result["images"])) == sorted(plain), query


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
