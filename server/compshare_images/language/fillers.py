"""Words that tell no image from another.

`fillers.json` beside this module holds them: those of grammar and of wishing, which mean nothing here, and those for
things in general (`tool`, `整合包`), which are looked for only where there is nothing else.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from compshare_images.language.tokens import Text, read_text


class Fillers:
    def __init__(self, rows: dict[str, list[str]]) -> None:
        self._general = {read_text(word).letters for word in (*rows["general_en"], *rows["general_zh"])}
        self._grammar = {read_text(word).letters for word in (*rows["grammar_en"], *rows["grammar_zh"])}
        self.english = {word for word in self._general | self._grammar if word.isascii()}
        self._by_head: dict[str, list[str]] = defaultdict(list)
        for word in self._general | self._grammar:
            self._by_head[word[0]].append(word)

    def holds(self, letters: str) -> bool:
        return letters in self._general or letters in self._grammar

    def general(self, letters: str) -> bool:
        return letters in self._general

    def matches(self, text: Text) -> Iterator[tuple[int, int]]:
        """Where fillers stand in a text, from word's edge to word's edge."""
        for start in text.starts():
            for word in self._by_head.get(text.letters[start : start + 1], ()):
                end = start + len(word)
                if end in text.ends and text.letters.startswith(word, start):
                    yield start, end


@cache
def fillers() -> Fillers:
    return Fillers(json.loads((files("compshare_images.language") / "fillers.json").read_text("utf-8")))
