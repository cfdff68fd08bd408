"""Everyday words of both languages that stand for one another: 照片, 相片, photo, picture.

`thesaurus.json` beside this module holds the sets, made by hand.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from compshare_images.language.fillers import fillers

_LONGEST = 5  # characters of a Chinese word
_MOST_WORDS = 3  # of an English phrase
_EMPTY = frozenset(
    "的了是在有和与及就都也还又很太更最得地着过吗呢吧啊呀嘛把被让给将使对从到向于以为因所其此这那哪么什怎谁几个些点下上里中内外前后时"
    "会能可要想请用来去出起不没别再只才并但或如若跟同比而且我你他她它们一两张种样成"
)
_WORD = re.compile(r"[a-z]+|[0-9]+|[^\W0-9a-z_]+")
_ENDINGS = ("ation", "ings", "ing", "ers", "ies", "ion", "er", "ed", "es", "e", "s", "y")
_STEM = 3  # letters, at least


@dataclass(frozen=True, slots=True)
class Sense:
    """What one word says. Its `terms` are other ways to say it: sets of the thesaurus, or the word itself.

    An `unknown` word is a run of Chinese that no set holds: its terms are its pairs of characters, and each is only a
    part of it.
    """

    terms: tuple[str, ...]
    unknown: bool = False


class Thesaurus:
    def __init__(self, sets: Mapping[str, Iterable[str]]) -> None:
        known = fillers()
        self._chinese: dict[str, tuple[str, ...]] = defaultdict(tuple)
        self._english: dict[tuple[str, ...], tuple[str, ...]] = defaultdict(tuple)
        self._empty = {_stem(word) for word in known.english}
        for name, words in sets.items():
            for word in words:
                pieces = _WORD.findall(word.casefold())
                letters = "".join(pieces)
                if known.holds(letters):
                    continue
                if letters.isascii():
                    stems = tuple(map(_stem, pieces))
                    if f"={name}" not in self._english[stems]:
                        self._english[stems] += (f"={name}",)
                else:
                    self._chinese[letters] += (f"={name}",)

    def knows(self, word: str) -> bool:
        """Whether a Latin word is an everyday one."""
        return (_stem(word),) in self._english

    def senses(self, plain: str) -> Iterator[Sense]:
        """What the words of a text say, each where it stands. The text has no case and width, as `Text.plain`."""
        words: list[str] = []
        for word in _WORD.findall(plain):
            if word.isascii():
                words.append(word)
            else:
                if words:
                    yield from self._english_in(words)
                    words = []
                yield from self._chinese_in(word)
        if words:
            yield from self._english_in(words)

    def _english_in(self, words: Sequence[str]) -> Iterator[Sense]:
        stems, place = list(map(_stem, words)), 0
        while place < len(words):
            for length in range(min(_MOST_WORDS, len(words) - place), 0, -1):
                terms = self._english.get(tuple(stems[place : place + length]))
                if terms:
                    yield Sense(terms)
                    place += length
                    break
            else:
                if len(words[place]) > 1 and stems[place] not in self._empty:
                    yield Sense((f"~{stems[place]}",))
                place += 1

    def _chinese_in(self, run: str) -> Iterator[Sense]:
        place = gap = 0
        known, fill = self._chinese, fillers()
        while place < len(run):
            word = run[place]
            for size in range(min(_LONGEST, len(run) - place), 1, -1):
                if run[place : place + size] in known or fill.holds(run[place : place + size]):
                    word = run[place : place + size]
                    break
            if len(word) == 1 and word not in _EMPTY:
                place += 1
                continue
            yield from self._rest(run[gap:place])
            if len(word) > 1 and word in known:
                yield Sense(known[word])
            place = gap = place + len(word)
        yield from self._rest(run[gap:])

    def _rest(self, run: str) -> Iterator[Sense]:
        """A run in which no word of several characters was found; a single character may be one."""
        if len(run) == 1 and run in self._chinese:
            yield Sense(self._chinese[run])
        elif len(run) > 1:
            yield Sense(tuple(map(str.__add__, run, run[1:])), unknown=True)
        elif run:
            yield Sense((run,), unknown=True)


@lru_cache(maxsize=1 << 15)
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            stem = word[: -len(ending)]
            doubled = len(stem) > _STEM and stem[-1] == stem[-2] and stem[-1] not in "ls"
            return stem[:-1] if doubled else stem
    return word


@cache
def thesaurus() -> Thesaurus:
    return Thesaurus(json.loads((files("compshare_images.language") / "thesaurus.json").read_text("utf-8")))
