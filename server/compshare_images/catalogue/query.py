"""Free text: which of its words carry meaning, and which images hold them all."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from compshare_images.catalogue.catalogue import Entry
from compshare_images.catalogue.gpus import MENTION, read_card, runs_on
from compshare_images.catalogue.text import compact, folded

_FREE = re.compile(r"(?<![a-z])(?:for free|free of charge|free)(?![a-z])|完全免费|免费的?|不收费|不要钱")
_WORD = re.compile(r"[a-z0-9]+(?:[.][0-9]+)*|[^\W\d_a-z]+")

# What people wrap a wish in; none of it tells one image from another.
_FILLER_WORD = re.compile(
    r"(?:a|about|all|an|and|any|are|as|at|be|best|can|cards?|compshare|could|do|does|find|for|from|gb|get|give|good|"
    r"gpus?|have|help|how|i|images?|in|into|is|it|least|less|let|like|looking|make|me|memory|min|more|most|my|"
    r"needs?|of|on|one|or|out|over|please|recommend|run|running|set|should|show|some|something|start|suggest|than|"
    r"that|the|there|this|to|under|up|us|use|using|vram|wanted|wants?|we|what|when|where|which|who|will|with|work|"
    r"would|you|your)"
)
_FILLERS = (
    "我们", "我", "想要", "想", "需要", "要", "帮我", "帮忙", "给我", "请问", "请", "麻烦", "推荐一下", "推荐",
    "有没有", "有什么", "有哪些", "哪些", "哪个", "哪一个", "什么", "怎么样", "怎么", "如何", "可以", "能够",
    "能不能", "能", "用来", "用于", "用", "一下", "一个", "一款", "一些", "一张", "一台", "一种", "个", "款",
    "适合", "支持", "进行", "做", "跑", "找", "搞", "弄", "的", "了", "吗", "呢", "吧", "啊", "和", "与",
    "或者", "或", "以及", "在", "上", "里", "把", "让", "给", "镜像", "显卡", "社区", "不超过", "不高于",
    "至少", "最少", "最多", "以内", "以下", "以上", "双卡", "单卡", "多卡", "两张", "张", "显存", "卡",
)  # fmt: skip
_ONLY_FILLERS = re.compile(f"(?:{'|'.join(_FILLERS)})+")
_MANY_LETTERS = 5
_WORDS: "WeakKeyDictionary[Entry, Words]" = WeakKeyDictionary()
_LONGEST_WORD = 6


@dataclass(frozen=True, slots=True)
class Query:
    """`words` decide what matches; cards, memories and `free` only rank, for hard limits are arguments of their own."""

    words: tuple[str, ...]
    cards: tuple[str, ...]
    free: bool

    @property
    def empty(self) -> bool:
        return not (self.words or self.cards or self.free)


def read_query(text: str) -> Query:
    text = folded(text)
    cards = tuple(dict.fromkeys(mention[0] for mention in MENTION.finditer(text)))
    text = MENTION.sub(" ", text)
    free = bool(_FREE.search(text))
    return Query(tuple(dict.fromkeys(_words(_FREE.sub(" ", text)))), cards, free)


def _words(text: str) -> Iterable[str]:
    for run in _WORD.findall(text):
        if run[0].isascii():
            if not _FILLER_WORD.fullmatch(run):
                yield run
        elif not _ONLY_FILLERS.fullmatch(run):
            yield run


def words_of(entry: Entry) -> "Words":
    """An entry's words, made once."""
    words = _WORDS.get(entry)
    if words is None:
        words = _WORDS[entry] = Words(entry)
    return words


class Words:
    """An entry's texts, ready to be looked for in."""

    def __init__(self, entry: Entry) -> None:
        image = entry.image
        software = (text for item in image.softwares for text in (item.framework, *item.applications))
        texts = [entry.name, *image.tags, entry.description, image.author, *software]
        self.name = _both_forms([entry.name])
        self.all = _both_forms([text for text in texts if text])

    def hold(self, query: Query) -> bool:
        return all(_holds(self.all, word) for word in query.words)

    def named(self, query: Query) -> int:
        """How many of the words the name alone holds."""
        return sum(_holds(self.name, word) for word in query.words)


def _both_forms(texts: Iterable[str]) -> tuple[str, str]:
    """With edges between words, and compacted, one text a line, where words have none."""
    texts = list(texts)
    return "\n".join(map(_with_edges, texts)), "\n".join(map(compact, texts))


def _with_edges(text: str) -> str:
    """As written, and once more with `IndexTTS` as two words."""
    return folded(f"{text}\n{re.sub('(?<=[a-z])(?=[A-Z])', ' ', text)}")


def _holds(forms: tuple[str, str], word: str) -> bool:
    with_edges, joined = forms
    sought = compact(word)
    if not sought.isascii():
        return _covered(sought, joined)
    if len(sought) >= _MANY_LETTERS:
        return sought in joined
    # Few letters are in many words: `lora` is no part of `exploration`.
    edge = re.escape(word)
    return bool(re.search(rf"(?<![a-z]){edge}|{edge}(?![a-z])", with_edges))


def _covered(run: str, text: str) -> bool:
    """Whether a run of Chinese is in the text: whole, or as words of two to six characters with filler between."""
    if run in text:
        return True
    reach = {0: False}  # how far the run is accounted for, and whether by a word at least
    for start in range(len(run)):
        if start not in reach:
            continue
        for filler in _FILLERS:
            if run.startswith(filler, start):
                end = start + len(filler)
                reach[end] = reach.get(end, False) or reach[start]
        for end in range(start + 2, min(start + _LONGEST_WORD, len(run)) + 1):
            if run[start:end] in text:
                reach[end] = True
    return reach.get(len(run), False)


def wishes_met(entry: Entry, query: Query) -> int:
    """How many of the query's wishes beside its words an entry fulfils."""
    cards = sum(runs_on(entry.image.supported_gpu_types, read_card(text)) for text in query.cards)
    return cards + (query.free and entry.image.price == 0)
