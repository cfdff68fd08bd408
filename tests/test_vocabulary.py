"""The field's vocabulary: its files hold together, and a word says what it means and none of its neighbours."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.resources import files
from itertools import chain, permutations
from typing import Any

import pytest

from compshare_images.catalogue.catalogue import Catalogue
from compshare_images.catalogue.filters import Criteria
from compshare_images.catalogue.query import read_query
from compshare_images.catalogue.selection import find
from compshare_images.language.fillers import fillers
from compshare_images.language.spelling import heard
from compshare_images.language.thesaurus import thesaurus
from compshare_images.language.tokens import read_text
from compshare_images.language.vocabulary import Match, Meaning, vocabulary
from compshare_images.place import Place
from compshare_images.upstream.wire import Group, Image

CATEGORIES = {"AIGC热门", "图像/视频生成", "语音/TTS生成", "LLM", "计算机视觉", "科学计算", "其他"}
BYSTANDER = "PostgreSQL 数据库"


def read(name: str) -> Any:  # noqa: ANN401 - the files have shapes of their own
    return json.loads((files("compshare_images.language") / name).read_text("utf-8"))


def meanings() -> Iterator[Meaning]:
    return chain(vocabulary().concepts.values(), vocabulary().products.values())


def letters(phrase: str) -> str:
    return read_text(phrase).letters


def words(phrase: str) -> tuple[str, ...]:
    text = read_text(phrase)
    return tuple(text.letters[token.start : token.end] for token in text.tokens)


def terms(phrase: str) -> set[str]:
    return {term for sense in thesaurus().senses(read_text(phrase).plain) for term in sense.terms}


def chinese(phrase: str) -> bool:
    return any(ideograph(character) for character in phrase)


def ideograph(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def ancestors(name: str) -> set[str]:
    """All that holds a purpose, however many steps up; itself among them where the steps go round."""
    found, waiting = set[str](), [name]
    while waiting:
        for broader in vocabulary().concepts[waiting.pop()].broader:
            if broader not in found:
                found.add(broader)
                waiting.append(broader)
    return found


def repeated(items: Iterator[object]) -> list[object]:
    return [item for item, count in Counter(items).items() if count > 1]


def found_fully(asked: str, *names: str) -> set[str]:
    """Those images that match fully, of some that have nothing but a name."""
    groups = (Group(group_id=name, name=name, images=(Image(compshare_image_id=name, name=name),)) for name in names)
    catalogue = Catalogue(place=Place("", "", ""), fetched_at=0, all_groups=tuple(groups))
    return set(find(catalogue, Criteria(query=asked)).full)


def test_there_are_purposes_of_every_category() -> None:
    assert len(vocabulary().concepts) >= 200
    assert {concept.category for concept in vocabulary().concepts.values()} == CATEGORIES


def test_every_purpose_has_names_in_both_languages() -> None:
    lacking = [
        row["id"]
        for row in read("concepts.json")
        if not any(map(chinese, row["zh"])) or not any(map(str.isascii, row["en"]))
    ]
    assert lacking == []


@pytest.mark.parametrize(("name", "key"), [("concepts.json", "id"), ("products.json", "name")])
def test_no_entry_of_a_file_stands_there_twice(name: str, key: str) -> None:
    assert repeated(row[key] for row in read(name)) == []


def test_every_product_is_for_purposes_that_exist() -> None:
    concepts = vocabulary().concepts
    products = vocabulary().products.values()
    assert [product.name for product in products if not product.purposes] == []
    assert [(product.name, one) for product in products for one in product.purposes if one not in concepts] == []
    assert [product.name for product in products if repeated(iter(product.purposes))] == []


def test_what_is_only_meant_whole_is_a_spelling_of_the_product() -> None:
    products = vocabulary().products.values()
    assert [(one.name, whole) for one in products for whole in one.whole if whole not in one.spellings] == []


def test_no_spelling_stands_for_two_meanings() -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for meaning in meanings():
        for spelling in meaning.spellings:
            owners[letters(spelling)].add(f"{type(meaning).__name__} {meaning.name}")
    assert {spelling: names for spelling, names in owners.items() if len(names) > 1} == {}


def test_every_spelling_is_read_as_what_it_means_over_its_whole_length() -> None:
    amiss = [
        (meaning.name, spelling)
        for meaning in meanings()
        for spelling, text in zip(meaning.spellings, map(read_text, meaning.spellings), strict=True)
        if not text.letters or next(vocabulary().matches(text), None) != Match(0, len(text.letters), meaning)
    ]
    assert amiss == []


@pytest.mark.parametrize("phrase", ["free energy calculation", "free energy perturbation", "5G仿真", "6G research"])
def test_what_looks_like_a_wish_inside_a_phrase_is_a_part_of_the_phrase(phrase: str) -> None:
    meaning, _ = vocabulary().spellings[letters(phrase)]
    query = read_query(phrase)
    assert [part.meaning for part in query.parts] == [meaning]
    assert not query.wishes


def test_neighbours_of_a_purpose_exist_and_are_others() -> None:
    concepts = vocabulary().concepts
    amiss = [
        (name, other)
        for name, concept in concepts.items()
        for other in (*concept.broader, *concept.related, *concept.distinct)
        if other not in concepts or other == name
    ]
    assert amiss == []


def test_no_neighbour_of_a_purpose_is_named_twice() -> None:
    amiss = {
        name: repeated(chain(concept.broader, concept.related, concept.distinct))
        for name, concept in vocabulary().concepts.items()
    }
    assert {name: twice for name, twice in amiss.items() if twice} == {}


def test_no_purpose_holds_itself() -> None:
    assert [name for name in vocabulary().concepts if name in ancestors(name)] == []


def test_nothing_that_holds_a_purpose_is_told_apart_from_it() -> None:
    concepts = vocabulary().concepts.items()
    assert [(name, one) for name, concept in concepts for one in ancestors(name) & {*concept.distinct}] == []


def test_no_example_is_the_name_of_something_else() -> None:
    known = vocabulary().spellings
    amiss = [
        (name, example, known[letters(example)][0].name)
        for name, concept in vocabulary().concepts.items()
        for example in concept.examples
        if letters(example) in known and known[letters(example)][0] != concept
    ]
    assert amiss == []


def test_fillers_are_of_one_kind() -> None:
    rows = read("fillers.json")
    general = {*map(letters, rows["general_en"] + rows["general_zh"])}
    grammar = {*map(letters, rows["grammar_en"] + rows["grammar_zh"])}
    assert general & grammar == set()
    assert all(map(fillers().general, general))
    assert not any(map(fillers().general, grammar))


def test_no_filler_has_a_meaning() -> None:
    every = {*chain.from_iterable(read("fillers.json").values())}
    assert all(fillers().holds(letters(word)) for word in every)
    assert [word for word in every if letters(word) in vocabulary().spellings] == []


def test_every_set_of_the_thesaurus_has_words_of_both_languages() -> None:
    sets: dict[str, list[str]] = read("thesaurus.json")
    assert [name for name, synonyms in sets.items() if {*map(chinese, synonyms)} != {True, False}] == []


def test_every_set_of_the_thesaurus_is_found_by_words_of_it() -> None:
    sets: dict[str, list[str]] = read("thesaurus.json")
    said = {name: {term for word in synonyms for term in terms(word)} for name, synonyms in sets.items()}
    assert [name for name in sets if f"={name}" not in said[name]] == []


def test_no_word_is_twice_in_a_set_of_the_thesaurus() -> None:
    sets: dict[str, list[str]] = read("thesaurus.json")
    amiss = {name: repeated(map(words, synonyms)) for name, synonyms in sets.items()}
    assert {name: twice for name, twice in amiss.items() if twice} == {}


def test_every_sound_is_of_single_characters_that_have_no_other() -> None:
    sounds: dict[str, str] = read("sounds.json")
    assert [sound for sound in sounds if not (sound.isascii() and sound.isalpha() and sound.islower())] == []
    assert [character for character in "".join(sounds.values()) if not ideograph(character)] == []
    assert repeated(chain.from_iterable(sounds.values())) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [("数子人", "数字人"), ("对口形", "对口型"), ("身音克隆", "声音克隆"), ("文身图", "文生图"), ("扣图", "抠图")],
)
def test_what_sounds_like_a_phrase_is_heard_as_it(written: str, meant: str) -> None:
    assert heard(written) == [(0, len(written), meant)]


BOTH_WAYS = [
    ("千问", "Qwen-Image"),
    ("语音识别", "语音合成"),
    ("数字人", "虚拟试衣"),
    ("换脸", "修脸"),
    ("换脸", "人脸修复"),
    ("抠图", "修图"),
    ("视频超分", "图片放大"),
    ("微调", "文生图"),
    ("face swap", "face recognition"),
    ("lip sync", "lip reading"),
    ("3D生成", "3D渲染"),
    ("文生图", "图生图"),
    ("文生视频", "图生视频"),
    ("text to image", "image to text"),
    ("text to speech", "speech to text"),
    ("语音克隆", "变声"),
    ("换头", "换脸"),
    ("去水印", "去字幕"),
    ("漫画上色", "线稿上色"),
    ("老照片修复", "老照片上色"),
    ("量化交易", "模型量化"),
    ("虚拟主播", "直播推流"),
    ("机器人仿真", "聊天机器人"),
    ("background removal", "background music"),
    ("object detection", "object removal"),
    ("高斯泼溅", "神经辐射场"),
    ("分子对接", "分子动力学"),
    ("蛋白质设计", "蛋白质结构预测"),
    ("自动驾驶", "自动剪辑"),
    ("HunyuanVideo", "Hunyuan3D"),
    ("Stable Diffusion", "Stable Audio"),
    ("FaceFusion", "roop"),
]
ONE_WAY = [
    ("Qwen", "Qwen-Image"),
    ("Qwen-Image", "Qwen"),
    ("WhisperX", "Whisper"),
    ("Ollama", "Llama"),
    ("DeepFace", "Deepfake"),
    ("AutoGPT", "AutoGPTQ"),
    ("Mixtral", "Mistral"),
    ("OpenMM", "OpenMC"),
    ("SmolVLA", "SmolVLM"),
    ("DeepSeek-OCR", "DeepSeek"),
    ("视频去水印", "图片去水印"),
]


@pytest.mark.parametrize(("asked", "other"), [*chain.from_iterable(map(permutations, BOTH_WAYS)), *ONE_WAY])
def test_a_word_is_not_said_by_its_neighbour(asked: str, other: str) -> None:
    assert found_fully(asked, asked, other) == {asked}


SYNONYMS = [
    ("换脸", "face swap", "faceswap", "deepfake"),
    ("数字人", "digital human", "talking avatar", "talking head"),
    ("对口型", "lip sync"),
    ("语音克隆", "voice cloning"),
    ("抠图", "background removal"),
    ("微调", "fine-tuning", "finetune"),
    ("文生图", "text to image", "txt2img"),
    ("图生图", "image to image", "img2img"),
    ("文生视频", "text to video", "T2V"),
    ("图生视频", "image to video", "I2V"),
    ("语音合成", "TTS", "text to speech", "文字转语音"),
    ("语音识别", "ASR", "speech to text"),
    ("人声分离", "vocal separation"),
    ("虚拟试衣", "virtual try-on", "VTON"),
    ("去水印", "watermark removal"),
    ("补帧", "插帧", "frame interpolation"),
    ("超分", "super resolution", "upscaling"),
    ("证件照", "id photo", "passport photo"),
    ("老照片修复", "old photo restoration"),
    ("局部重绘", "inpainting"),
    ("文字识别", "OCR"),
    ("知识库", "RAG", "retrieval augmented generation"),
    ("智能体", "AI agent"),
    ("目标检测", "object detection"),
    ("三维重建", "3D reconstruction"),
    ("高斯泼溅", "gaussian splatting", "3DGS"),
    ("计算流体力学", "CFD"),
    ("蛋白质结构预测", "protein folding"),
    ("量化交易", "quantitative trading"),
    ("远程桌面", "remote desktop"),
    ("通义千问", "千问", "Qwen"),
]


@pytest.mark.parametrize(("asked", "other"), [pair for same in SYNONYMS for pair in permutations(same, 2)])
def test_a_word_is_said_by_its_synonym(asked: str, other: str) -> None:
    assert found_fully(asked, other, BYSTANDER) == {other}


MADE_FOR = [
    ("语音克隆", "GPT-SoVITS"),
    ("voice cloning", "GPT-SoVITS"),
    ("换脸", "FaceFusion"),
    ("digital human", "HeyGem"),
    ("OCR", "PaddleOCR"),
    ("补帧", "RIFE"),
    ("大模型部署", "vLLM"),
    ("文生视频", "Wan2.2"),
    ("speech recognition", "Whisper"),
    ("分子动力学", "GROMACS"),
]


@pytest.mark.parametrize(("purpose", "product"), MADE_FOR)
def test_a_purpose_is_said_by_what_is_made_for_it_and_not_the_other_way_round(purpose: str, product: str) -> None:
    assert found_fully(purpose, product, BYSTANDER) == {product}
    assert found_fully(product, product, purpose) == {product}
