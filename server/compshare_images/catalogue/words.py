"""Whether a word is in a text, whatever its case, width, spacing and punctuation."""

import re
from collections.abc import Iterable

from compshare_images.catalogue.text import compact, folded

# What people wrap a wish in; none of it tells one image from another.
FILLERS = (
    "我们", "我", "想要", "想", "需要", "要", "帮我", "帮忙", "给我", "请问", "请", "麻烦", "推荐一下", "推荐",
    "有没有", "有什么", "有哪些", "哪些", "哪个", "哪一个", "什么", "怎么样", "怎么", "如何", "可以", "能够",
    "能不能", "能", "用来", "用于", "用", "一下", "一个", "一款", "一些", "一张", "一台", "一种", "个", "款",
    "适合", "支持", "进行", "做", "跑", "找", "搞", "弄", "的", "了", "吗", "呢", "吧", "啊", "和", "与",
    "或者", "或", "以及", "在", "上", "里", "把", "让", "给", "镜像", "显卡", "社区", "不超过", "不高于",
    "至少", "最少", "最多", "以内", "以下", "以上", "双卡", "单卡", "多卡", "两张", "张", "显存", "卡", "自己",
    "最", "便宜", "好用", "好",
)  # fmt: skip
"""Chinese has no spaces, so these may stand anywhere between words."""

_MANY_LETTERS = 5
_LONGEST_WORD = 6


class Words:
    """An image's texts, of which its name is one, ready to be looked for in."""

    def __init__(self, name: str, others: Iterable[str | None]) -> None:
        self._name = _both_forms([name])
        self._all = _both_forms([name, *filter(None, others)])

    def hold(self, word: str) -> bool:
        return _holds(self._all, word)

    def name_holds(self, word: str) -> bool:
        return _holds(self._name, word)


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
        for filler in FILLERS:
            if run.startswith(filler, start):
                end = start + len(filler)
                reach[end] = reach.get(end, False) or reach[start]
        for end in range(start + 2, min(start + _LONGEST_WORD, len(run)) + 1):
            if run[start:end] in text:
                reach[end] = True
    return reach.get(len(run), False)
