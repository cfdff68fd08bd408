"""Which images a query finds in a small catalogue, in which order, and what is said when it finds few."""

import re

import pytest

from oracle import Row
from worlds import (
    Bench,
    call,
    group,
    ids_in,
    ids_of,
    image_id,
    note_of,
    read_all,
    search,
    suggested_in,
    text_of,
    version,
)

pytestmark = pytest.mark.anyio

WEAKER = "-- weaker: match part of the query --"
NEUTRAL = "晨光"
ORDINARY = [
    ("Riverbank 工坊", "看风景", ["风景"], "小河"),
    ("Meadow 小屋 v2", "一座小屋，春天住", ["小屋", "春天"], "张三"),
    ("山间小路 Walker", "走路用，附地图，随走随看", ["地图"], "walker"),
    ("Lantern 灯会整合包", "赏灯，上元节专用，开机即看", ["灯会", "节日"], "灯笼君"),
]


def image(number: int, name: str = NEUTRAL, description: str = "", uses: int = 0, **fields: object) -> Row:
    return group(number, version(number, **fields), ImageName=name, ImageDesc=description, CreatedCount=uses)


def called(*names: str) -> list[Row]:
    return [image(number, name) for number, name in enumerate(names)]


BESIDE = [
    image(50 + number, name, description, Tags=tags, Author=author)
    for number, (name, description, tags, author) in enumerate(ORDINARY)
]


async def found(bench: Bench, query: str, *held: Row) -> list[str]:
    return [entry["name"] for entry in (await search(bench.holding(*held), query=query))["images"]]


async def full(bench: Bench, query: str, *held: Row) -> list[str]:
    images = (await search(bench.holding(*held), query=query))["images"]
    return [entry["name"] for entry in images if entry["match"] == "full"]


async def order(bench: Bench, query: str, *held: Row) -> list[int]:
    """The numbers of the images, the best first. A tie would show the least number first."""
    images = (await search(bench.holding(*held), query=query))["images"]
    return [int(found_id.removeprefix("compshareImage-")) for found_id in ids_of(images)]


@pytest.mark.parametrize(
    "spellings",
    [
        ("ComfyUI", "comfy ui", "COMFY-UI", "ＣｏｍｆｙＵＩ", "comfy_ui", "comfyui"),
        ("InfiniteTalk", "infinite talk", "INFINITETALK", "infinite-talk"),
        ("Wan2.2", "wan 2.2", "WAN-2.2", "wan２．２", "Wan 2-2"),
        ("GPT-SoVITS", "gptsovits", "gpt sovits", "GPT SoVITS", "GPT_SoVits"),
        ("LoRA 训练", "lora训练", "LORA-训练", "lora　训练", "ＬｏＲＡ・训练"),
        ("语音克隆", "语音 克隆", "语音-克隆", "《语音克隆》"),
        ("Zorblax Studio", "zorblaxstudio", "ZorblaxStudio", "ZORBLAX-STUDIO", "ｚｏｒｂｌａｘ　ｓｔｕｄｉｏ"),
        ("Kvothe3D", "kvothe 3d", "KVOTHE-3D", "kvothe3d"),
        ("MiravoxTTS 2.5", "miravox tts 2.5", "miravoxtts2.5", "Miravox-TTS-2.5"),
        ("Zorblax 盖饭", "zorblax盖饭", "ZORBLAX-盖饭", "ｚｏｒｂｌａｘ，盖饭"),
        ("青椒肉丝", "青椒 肉丝", "青椒-肉丝", "“青椒”肉丝"),
    ],
    ids=lambda spellings: spellings[0],
)
async def test_width_case_spaces_and_punctuation_do_not_tell_spellings_apart(
    bench: Bench, spellings: tuple[str, ...]
) -> None:
    client = bench.holding(*called(*spellings), image(90, "晚霞"))
    wanted = {(image_id(number), "full") for number in range(len(spellings))}
    for query in spellings:
        images = (await search(client, query=query))["images"]
        assert {(entry["compshare_image_id"], entry["match"]) for entry in images} == wanted, query


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("zorblaxstudio", "Zorblax Studio"),
        ("zorblax studio", "zorblaxstudio"),
        ("zorblax studio", "ZorblaxStudio"),
        ("Zorblax-Studio", "zorblaxstudio"),
    ],
)
async def test_an_invented_name_spelled_otherwise_is_found_and_its_pieces_are_not(
    bench: Bench, query: str, name: str
) -> None:
    assert await full(bench, query, *called("Zorblax", name, "Studio")) == [name]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("猫", "橘猫日记"),
        ("狗", "狗"),
        ("椒", "青椒肉丝"),
        ("青椒", "青椒肉丝"),
        ("肉丝", "青椒肉丝"),
        ("盖饭", "牛肉盖饭店"),
        ("换脸", "直播换脸"),
        ("抠图", "商品抠图"),
    ],
)
async def test_one_or_two_chinese_characters_are_a_word(bench: Bench, query: str, name: str) -> None:
    assert await full(bench, query, *called(NEUTRAL, name, "晚霞")) == [name]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("青丝", "青椒肉丝"),
        ("盖饭", "盖好了的米饭"),
        ("花猫", "猫与花"),
        ("换脸", "换一张笑脸"),
        ("丝绸路", "路边的绸丝"),
    ],
)
async def test_characters_that_stand_apart_are_not_the_word(bench: Bench, query: str, name: str) -> None:
    assert await found(bench, query, *called(NEUTRAL, name)) == []


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("facefuson", "FaceFusion"),
        ("cosyvocie", "CosyVoice"),
        ("qwne", "Qwen"),
        ("olama", "Ollama"),
        ("zorblxa", "Zorblax"),
        ("zorbblax", "Zorblax"),
        ("quuxfiy", "Quuxify"),
        ("facefuson 教程", "FaceFusion 教程"),
    ],
)
async def test_a_slip_in_a_name_is_forgiven_where_nothing_is_spelled_so(bench: Bench, slip: str, meant: str) -> None:
    assert await full(bench, slip, *called(NEUTRAL, meant, "晚霞")) == [meant]


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("facefuson", "FaceFusion"),
        ("qwne", "Qwen"),
        ("olama", "Ollama"),
        ("zorblex", "Zorblax"),
        ("quuxifi", "Quuxify"),
    ],
)
async def test_a_name_that_is_there_as_written_is_not_taken_for_a_slip(bench: Bench, word: str, other: str) -> None:
    assert await found(bench, word, *called(other, word)) == [word]


@pytest.mark.parametrize(
    ("query", "meant"),
    [("图声视频", "图生视频"), ("换连", "换脸"), ("数子人", "数字人"), ("语音克龙", "语音克隆"), ("文声图", "文生图")],
)
async def test_chinese_of_the_same_sound_is_forgiven(bench: Bench, query: str, meant: str) -> None:
    assert await full(bench, query, *called(NEUTRAL, meant, "晚霞")) == [meant]


FACES = ("换脸工坊", "换脸直播", "换脸 FaceFusion", "换脸 blue forest", "换脸 forest blue")


@pytest.mark.parametrize(
    ("query", "gone"),
    [
        ("换脸 -直播", {1}),
        ("-直播 换脸", {1}),
        ("换脸 －直播", {1}),
        ("换脸 -FaceFusion", {2}),
        ("换脸 -facefusion -直播", {1, 2}),
        ("换脸 -forest", {3, 4}),
        ('换脸 -"blue forest"', {3}),
        ('换脸 -"blue forest" -直播', {1, 3}),
        ("换脸 -没有的", set[int]()),
        ("换脸 -", set[int]()),
        ("- 换脸", set[int]()),
        ("换脸 - 直播", set[int]()),
        ("换脸 - FaceFusion", set[int]()),
    ],
)
async def test_a_word_after_a_hyphen_is_left_out(bench: Bench, query: str, gone: set[int]) -> None:
    kept = {name for number, name in enumerate(FACES) if number not in gone}
    assert set(await found(bench, query, *called(*FACES, "晚霞"))) == kept


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("GPT-SoVITS", "GPT-SoVITS"),
        ("wan-2.2", "Wan2.2"),
        ("zorblax-studio", "Zorblax Studio"),
        ("换脸-直播", "换脸直播"),
    ],
)
async def test_a_hyphen_inside_a_word_leaves_nothing_out(bench: Bench, query: str, name: str) -> None:
    assert await full(bench, query, *called(NEUTRAL, name)) == [name]


@pytest.mark.parametrize(
    ("query", "rest"),
    [
        ("-换脸", ["ComfyUI", "晚霞"]),
        ("-comfyui", ["换脸", "晚霞"]),
        ("-换脸 -comfyui", ["晚霞"]),
        ('-"comfy ui"', ["换脸", "晚霞"]),
    ],
)
async def test_a_query_of_nothing_but_what_to_leave_out_lists_the_rest(
    bench: Bench, query: str, rest: list[str]
) -> None:
    assert sorted(await found(bench, query, *called("换脸", "ComfyUI", "晚霞"))) == sorted(rest)


@pytest.mark.parametrize("place", ["tag", "description", "author"])
async def test_what_is_to_be_left_out_may_be_in_any_text(bench: Bench, place: str) -> None:
    fields: dict[str, Row] = {
        "tag": {"Tags": ["直播"]},
        "description": {"description": "用于直播"},
        "author": {"Author": "直播君"},
    }
    held = [image(0, "换脸甲", **fields[place]), image(1, "换脸乙")]
    assert await found(bench, "换脸 -直播", *held) == ["换脸乙"]


WORDS = ["换脸", "FaceFusion", "Zorblax", "青椒", "猫"]


@pytest.mark.parametrize("uses", [0, 900_000], ids=["alike in use", "the weaker ones more used"])
@pytest.mark.parametrize("word", WORDS)
async def test_a_name_goes_before_a_tag_a_tag_before_a_description_and_that_before_an_author(
    bench: Bench, word: str, uses: int
) -> None:
    held = [
        image(1, "Harbour 工坊", Author=word, uses=uses),
        image(2, "Harbour 工坊", word, uses=uses),
        image(3, "Harbour 工坊", Tags=[word], uses=uses),
        image(4, f"{word} 工坊"),
    ]
    assert await order(bench, word, *held, *BESIDE) == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "worse", "better"),
    [
        pytest.param("青椒肉丝", "肉丝炒青椒", "青椒肉丝", id="scattered"),
        pytest.param("青椒肉丝", "肉丝、椒肉和青椒", "青椒肉丝、晚霞晚", id="scattered pairs"),
        pytest.param("个人知识库", "知识库，个人", "个人知识库", id="scattered known words"),
        pytest.param("zorblax studio", "Studio Zorblax", "Zorblax Studio", id="scattered Latin words"),
        pytest.param("换脸", "人脸替换", "换脸", id="another name of the purpose"),
        pytest.param("人脸替换", "换脸", "人脸替换", id="another name, the other way round"),
        pytest.param("face swap", "换脸", "face swap", id="the other language"),
        pytest.param("换脸", "face swap", "换脸", id="the other language, the other way round"),
        pytest.param("换脸", "FaceFusion", "换脸", id="a product for the purpose"),
        pytest.param("换脸", "换头", "换脸", id="a purpose that is near"),
        pytest.param("Wan2.1", "Wan2.2", "Wan2.1", id="another version"),
        pytest.param("Qwen", "Qwen-Image", "Qwen", id="a product with a longer name"),
        pytest.param("zorblax", "Zorblaxian", "Zorblax", id="a longer word"),
    ],
)
async def test_the_nearer_of_two_names_goes_first(bench: Bench, query: str, worse: str, better: str) -> None:
    assert (await found(bench, query, *called(worse, better), *BESIDE))[:2] == [better, worse]


@pytest.mark.parametrize("words", ["青椒 盖饭 猫", "Zorblax Quuxify Fnordal", "换脸 翻译 抠图"])
async def test_the_more_of_the_query_an_image_has_the_sooner_it_comes(bench: Bench, words: str) -> None:
    one, *others = words.split()
    held = [image(1, one, uses=9000), image(2, " ".join(others)), image(3, words)]
    assert (await order(bench, words, *held, *BESIDE))[:2] == [3, 2]


@pytest.mark.parametrize(("first", "second"), [("换脸工坊", "换脸工作坊"), ("Zorblax 工坊", "Zorblax 工作坊")])
async def test_the_more_used_of_two_that_are_much_alike_goes_first(bench: Bench, first: str, second: str) -> None:
    query = first.removesuffix("工坊")
    assert await order(bench, query, image(1, first), image(2, second, uses=9000)) == [2, 1]
    assert await order(bench, query, image(1, second), image(2, first, uses=9000)) == [2, 1]


@pytest.mark.parametrize("word", WORDS)
async def test_use_does_not_bring_in_what_does_not_match(bench: Bench, word: str) -> None:
    assert await found(bench, word, image(1, "晚霞", uses=900_000), image(2, word), *BESIDE) == [word]


@pytest.mark.parametrize(("query", "worse"), [("换脸", "FaceFusion"), ("Wan2.1", "Wan2.2"), ("青椒 盖饭", "青椒")])
async def test_use_does_not_lift_a_name_that_is_less_near(bench: Bench, query: str, worse: str) -> None:
    held = [image(1, worse, uses=900_000), image(2, query)]
    assert (await order(bench, query, *held))[0] == 2


@pytest.mark.parametrize(
    "said",
    [
        "本镜像已停止维护",
        "不再维护",
        "已过期，勿用",
        "请用新版",
        "请使用最新版本",
        "Deprecated",
        "no longer maintained",
        "停更了",
    ],
)
async def test_what_its_author_gave_up_goes_behind_its_equal(bench: Bench, said: str) -> None:
    held = [image(1, "换脸工坊", said, uses=9000), image(2, "换脸工坊", "每天都有人照看")]
    assert await order(bench, "换脸", *held) == [2, 1]


async def test_an_author_may_give_an_image_up_in_its_name(bench: Bench) -> None:
    held = [image(1, "换脸（停止维护）", uses=9000), image(2, "换脸（天天照看）")]
    assert await order(bench, "换脸", *held) == [2, 1]


@pytest.mark.parametrize("said", ["不停更新中", "永不停更"])
async def test_what_is_kept_up_is_not_taken_for_given_up(bench: Bench, said: str) -> None:
    held = [image(1, "换脸工坊", "每天都有人照看"), image(2, "换脸工坊", said, uses=9000)]
    assert await order(bench, "换脸", *held) == [2, 1]


@pytest.mark.parametrize(
    ("query", "denial"),
    [
        ("换脸", "不是换脸"),
        ("换脸", "不支持换脸"),
        ("face swap", "not face swap"),
        ("face swap", "This is not a face swap"),
        ("face swap", "不是换脸"),
        ("换脸", "not face swap"),
        ("数字人", "并非数字人"),
        ("ComfyUI", "不含 ComfyUI"),
    ],
)
async def test_what_denies_a_purpose_does_not_say_it(bench: Bench, query: str, denial: str) -> None:
    held = [image(1, "晚霞", denial, uses=9000), image(2, "朝露", query)]
    assert await full(bench, query, *held) == ["朝露"]


async def test_what_is_said_in_one_text_is_not_taken_back_by_another(bench: Bench) -> None:
    assert await full(bench, "人脸替换", image(1, "换脸大师", "这不是换脸玩具")) == ["换脸大师"]


@pytest.mark.parametrize("name", ["Kazno 换脸", "Knot 换脸", "不只是换脸", "不仅换脸", "Nano Face Swap"])
async def test_what_only_looks_like_a_denial_says_the_purpose(bench: Bench, name: str) -> None:
    assert await full(bench, "人脸替换", *called("晚霞", name)) == [name]


MENTIONS = (
    "一个什么都能试试的合集，含文生图、图生视频、翻译、换脸、抠图、语音识别、补帧、去水印、作曲、写小说等，附教程"
)


@pytest.mark.parametrize("named", ["换脸", "AI换脸工坊", "FaceFusion", "face swap", "人脸替换"])
async def test_what_mentions_a_purpose_goes_behind_what_is_named_for_it(bench: Bench, named: str) -> None:
    held = [image(1, "百宝箱", MENTIONS, uses=9000), image(2, named)]
    assert await order(bench, "换脸", *held, *BESIDE) == [2, 1]


HALVES = [
    image(1, "换脸", "换脸", uses=900_000, Tags=["换脸"], SupportedGpuTypes=["4090"], Price=0),
    image(2, "青椒", "青椒", uses=900_000, Tags=["青椒"], SupportedGpuTypes=["4090"], Price=0),
]
WHOLE = image(3, "晚霞", "青椒，停止维护", Author="换脸君", Price=9)


@pytest.mark.parametrize("query", ["换脸 青椒", "青椒换脸", "换脸 青椒 4090", "换脸 青椒 免费", "便宜的 换脸 青椒 24G"])
async def test_full_matches_go_before_partial_ones_whatever_else_speaks_for_those(bench: Bench, query: str) -> None:
    images = (await search(bench.holding(*HALVES, WHOLE), query=query))["images"]
    assert [entry["match"] for entry in images] == ["full", "partial", "partial"]
    assert ids_of(images)[0] == image_id(3)


SOME_OF_EACH = [
    *(image(n, f"晚霞{n}", "换脸和青椒", uses=n) for n in (1, 2, 3)),
    *(image(n, "换脸", uses=100 - n) for n in (4, 5)),
    *(image(n, "青椒", uses=100 - n) for n in (6, 7)),
    image(8, "朝露", uses=999),
]


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_pages_neither_overlap_nor_skip_over_full_and_partial_matches(bench: Bench, limit: int) -> None:
    client = bench.holding(*SOME_OF_EACH)
    whole = await search(client, query="换脸 青椒")
    paged = await read_all(client, query="换脸 青椒", limit=limit)
    assert [entry["match"] for entry in paged] == ["full"] * 3 + ["partial"] * 4
    assert paged == whole["images"]
    assert whole["total_count"] == 7


@pytest.mark.parametrize(("ascending", "numbers"), [(True, [1, 2, 3]), (False, [3, 2, 1])])
async def test_in_another_order_partial_matches_take_no_part_beside_full_ones(
    bench: Bench, ascending: bool, numbers: list[int]
) -> None:
    client = bench.holding(*SOME_OF_EACH)
    result = await search(client, query="换脸 青椒", sort_field="CreatedCount", sort_asc=ascending, limit=2)
    paged = await read_all(client, query="换脸 青椒", sort_field="CreatedCount", sort_asc=ascending, limit=2)
    assert ids_of(paged) == [image_id(number) for number in numbers]
    assert all(entry["match"] == "full" for entry in paged)
    assert result["total_count"] == 3


async def test_in_another_order_partial_matches_are_shown_where_there_are_no_full_ones(bench: Bench) -> None:
    client = bench.holding(*SOME_OF_EACH[3:])
    result = await search(client, query="换脸 青椒", sort_field="CreatedCount")
    assert ids_of(result["images"]) == [image_id(number) for number in (4, 5, 6, 7)]
    assert all(entry["match"] == "partial" for entry in result["images"])
    assert result["total_count"] == 4


async def test_full_matches_that_a_filter_keeps_out_do_not_keep_out_partial_ones(bench: Bench) -> None:
    dear, partial = image(1, "换脸 青椒", Price=9), [image(n, "换脸", Price=0) for n in (2, 3)]
    result = await search(bench.holding(dear, *partial), query="换脸 青椒", sort_field="CreatedCount", max_price=1)
    assert ids_of(result["images"]) == [image_id(2), image_id(3)]


FITTING = [
    ("4090", {"SupportedGpuTypes": ["4090"]}, {"SupportedGpuTypes": ["5090"]}),
    ("RTX 4090", {"SupportedGpuTypes": ["5090", "4090"]}, {"SupportedGpuTypes": ["4090_48G"]}),
    ("24G", {"SupportedGpuTypes": ["3090"]}, {"SupportedGpuTypes": ["A100"]}),
    ("24G显存", {"SupportedGpuTypes": ["3080Ti"]}, {"SupportedGpuTypes": ["5090"]}),
    ("free", {"Price": 0}, {"Price": 3}),
    ("免费", {"Price": 0}, {"Price": 3}),
    ("便宜", {"Price": 0.2}, {"Price": 5}),
    ("cheap", {"Price": 0.2}, {"Price": 5}),
]


@pytest.mark.parametrize(("wish", "fits", "differs"), FITTING, ids=[wish for wish, _, _ in FITTING])
async def test_a_card_a_memory_size_or_a_fee_in_a_query_ranks_and_keeps_nothing_out(
    bench: Bench, wish: str, fits: Row, differs: Row
) -> None:
    held = [image(1, "换脸", **differs), image(2, "换脸"), image(3, "换脸", **fits), image(4, "晚霞", **fits)]
    for query in (f"换脸 {wish}", f"{wish} 换脸"):
        assert await order(bench, query, *held) == [3, 1, 2], query
    assert await full(bench, f"换脸 {wish}", *held) == ["换脸"] * 3


@pytest.mark.parametrize(("wish", "fits", "differs"), FITTING, ids=[wish for wish, _, _ in FITTING])
async def test_a_wish_alone_lists_all_with_those_that_fit_first_and_says_that_it_only_ranks(
    bench: Bench, wish: str, fits: Row, differs: Row
) -> None:
    held = [image(1, **differs), image(2), image(3, **fits)]
    result = await search(bench.holding(*held), query=wish)
    assert ids_of(result["images"])[0] == image_id(3)
    assert result["total_count"] == 3
    assert "only rank" in note_of(result)


USUAL = [
    image(1, "ComfyUI 视频", "文生视频、图生视频", uses=5000, Tags=["视频生成"]),
    image(2, "数字人口播", "照片开口说话", uses=4000, Tags=["数字人"]),
    image(3, "FaceFusion", "换脸", uses=3000, Tags=["换脸"]),
    image(4, "Qwen 对话", "大模型推理 vLLM", uses=2000, Tags=["大模型"]),
    image(5, "GPT-SoVITS", "语音克隆", uses=1000, Tags=["语音克隆"]),
    image(6, "AI 工具箱 server", "the best tool, a media library", uses=900, Author="jelly"),
]


@pytest.mark.parametrize(
    "query",
    [
        *("Jellyfin", "jellyfin media server", "我想装 Jellyfin", "Minecraft", "Minecraft server", "Nextcloud"),
        *(
            "量子化学计算",
            "股票量化交易",
            "蛋白质结构预测",
            "weather forecast",
            "无人机测绘",
            "青椒肉丝盖饭",
            "Zorblax",
        ),
    ],
)
async def test_what_is_not_there_is_answered_with_nothing_and_a_note(bench: Bench, query: str) -> None:
    result = await search(bench.holding(*USUAL), query=query)
    assert [entry["name"] for entry in result["images"]] == []
    assert result["total_count"] == 0
    assert note_of(result)


async def test_a_partial_match_far_behind_the_best_is_cut(bench: Bench) -> None:
    words = ["Zorblax", "Quuxify", "Fnordal"]
    named = [image(1, " ".join(words)), image(2, "Zorblax Quuxify"), image(3, "Quuxify Fnordal")]
    signed = [image(number, Author=word) for number, word in enumerate(words, 10)]
    assert sorted(await order(bench, " ".join(words), *named, *signed, *BESIDE)) == [1, 2, 3]


TAGGED = [
    image(1, "换脸", Tags=["换头"]),
    image(2, "晚霞", Tags=["换头"]),
    image(3, "朝露", Tags=["换头", "抠图"]),
    *(image(n, f"雨声{n}", Tags=["作曲"]) for n in (4, 5, 6, 7)),
]


def sentences_about_near_ones(result: Row) -> list[str]:
    return re.findall(r"[^.:]*(?:tags: [^.]*|keeps out [^.]*)\.", note_of(result))


@pytest.mark.parametrize("query", ["换脸", "视频换脸 青椒", "I need face swap for Zorblax"])
async def test_where_nothing_matches_the_nearest_tags_are_named_with_their_counts(bench: Bench, query: str) -> None:
    result = await search(bench.holding(*TAGGED[1:]), query=query)
    assert result["images"] == []
    assert suggested_in(note_of(result)) == {"换头": 2}
    assert len(sentences_about_near_ones(result)) == 1


async def test_where_few_match_the_nearest_tags_are_named_with_their_counts(bench: Bench) -> None:
    result = await search(bench.holding(*TAGGED), query="换脸 -朝露 -晚霞")
    assert ids_of(result["images"]) == [image_id(1)]
    assert suggested_in(note_of(result)) == {"换头": 3}
    assert len(sentences_about_near_ones(result)) == 1


async def test_where_enough_match_nothing_more_is_said(bench: Bench) -> None:
    held = [image(n, "换脸", Tags=["换头"]) for n in range(3)]
    assert "note" not in await search(bench.holding(*held), query="换脸")


async def test_where_no_image_has_a_tag_none_is_promised(bench: Bench) -> None:
    for query in ("换脸", "zorblax"):
        assert "tags" not in note_of(await search(bench.holding(image(1, "换脸")), query=query)), query


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"gpu_type": "4090", "max_price": 1}, ("gpu_type", 4)),
        ({"gpu_type": "24G", "max_price": 0.1}, ("max_price", 3)),
        ({"gpu_type": "4090"}, ("gpu_type", 4)),
        ({"max_price": 0.1}, ("max_price", 3)),
    ],
)
async def test_the_filter_that_keeps_most_matches_out_is_named_with_their_number(
    bench: Bench, given: Row, expected: tuple[str, int]
) -> None:
    cards = [["4090"], ["3090"], ["5090"], ["3090"], ["A100"]]
    fees = [0, 3, 3, 3, 0]
    held = [
        image(n, "换脸", Tags=["换头"], SupportedGpuTypes=listed, Price=fee)
        for n, (listed, fee) in enumerate(zip(cards, fees, strict=True))
    ]
    others = [image(n, "晚霞", SupportedGpuTypes=["P40"], Price=9) for n in (10, 11, 12)]
    result = await search(bench.holding(*held, *others), query="换脸", **given)
    argument, number = expected
    assert len(result["images"]) < 3
    assert len(sentences_about_near_ones(result)) == 1
    assert re.search(rf"{argument}\D* {number}\b", sentences_about_near_ones(result)[0])


async def test_a_line_parts_partial_matches_from_full_ones_once(bench: Bench) -> None:
    result = await call(bench.holding(*SOME_OF_EACH), query="换脸 青椒")
    before, after = text_of(result).split(f"\n{WEAKER}\n")
    assert {*ids_in(before)} == {image_id(number) for number in (1, 2, 3)}
    assert {*ids_in(after)} == {image_id(number) for number in (4, 5, 6, 7)}


@pytest.mark.parametrize(
    ("held", "offset"),
    [(SOME_OF_EACH[3:], 0), (SOME_OF_EACH, 3), (SOME_OF_EACH, 5)],
    ids=["none is full", "the page begins with them", "the page begins amid them"],
)
async def test_the_line_stands_before_the_first_entry_where_all_are_partial(
    bench: Bench, held: list[Row], offset: int
) -> None:
    result = await call(bench.holding(*held), query="换脸 青椒", offset=offset)
    before, after = text_of(result).split(f"\n{WEAKER}\n")
    assert ids_in(before) == []
    assert after.startswith(f"{offset + 1}. ")


@pytest.mark.parametrize("given", [{"query": "换脸"}, {"query": "换脸 青椒", "limit": 3}, {}])
async def test_there_is_no_such_line_where_no_entry_is_partial(bench: Bench, given: Row) -> None:
    result = await call(bench.holding(*SOME_OF_EACH[:5]), **given)
    assert ids_in(text_of(result))
    assert WEAKER not in text_of(result)
