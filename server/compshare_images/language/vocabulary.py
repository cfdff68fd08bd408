"""The field's vocabulary: what purposes are called in both languages, and what each product is for.

`concepts.json` and `products.json` beside this module hold it, made by hand.
"""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from compshare_images.language.tokens import Text

_HEAD = 3  # letters by which spellings are looked up
_GAPS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Concept:
    """A purpose. `spellings` name it; `examples` only sound like it.

    `broader` ones hold it, `related` ones are near it, `distinct` ones are only taken for it.
    """

    name: str
    category: str
    spellings: tuple[str, ...]
    examples: tuple[str, ...]
    broader: tuple[str, ...]
    related: tuple[str, ...]
    distinct: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """The first of its purposes is the main one. `whole` spellings are ordinary or short words: none may go on."""

    name: str
    spellings: tuple[str, ...]
    whole: tuple[str, ...]
    purposes: tuple[str, ...]


Meaning = Concept | Product


@dataclass(frozen=True, slots=True)
class Match:
    """A piece of `Text.letters`, and what it means."""

    start: int
    end: int
    meaning: Meaning


class Vocabulary:
    def __init__(self, concepts: Iterable[Mapping[str, Any]], products: Iterable[Mapping[str, Any]]) -> None:
        self.concepts = {
            row["id"]: Concept(
                name=row["id"],
                category=row["category"],
                spellings=(*row["zh"], *row["en"]),
                examples=tuple(row["examples"]),
                broader=tuple(row["broader"]),
                related=tuple(row["related"]),
                distinct=tuple(row["not"]),
            )
            for row in concepts
        }
        self.products = {
            row["name"]: Product(
                name=row["name"],
                spellings=(row["name"], *row["aliases"]),
                whole=tuple(row.get("whole", ())),
                purposes=tuple(row["purposes"]),
            )
            for row in products
        }
        self.narrower: dict[str, list[str]] = defaultdict(list)
        for concept in self.concepts.values():
            for broader in concept.broader:
                self.narrower[broader].append(concept.name)
        self.serving: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for product in self.products.values():
            for place, purpose in enumerate(product.purposes):
                self.serving[purpose].append((product.name, place))
        self.spellings: dict[str, tuple[Meaning, int | None]] = {}
        self._heads: dict[str, list[str]] = defaultdict(list)
        self._learn()

    def _learn(self) -> None:
        """File every spelling by its letters. All are read at once, for one by one would take a tenth of a second."""
        spelled: list[tuple[str, Meaning]] = []
        for meaning in (*self.concepts.values(), *self.products.values()):
            spelled += [(spelling, meaning) for spelling in meaning.spellings]
        lines = unicodedata.normalize("NFKC", "\n".join(spelling for spelling, _ in spelled)).casefold()
        for line, (spelling, meaning) in zip(lines.split("\n"), spelled, strict=True):
            whole = isinstance(meaning, Product) and spelling in meaning.whole
            self.spellings[_GAPS.sub("", line)] = meaning, spelling.count(" ") if whole else None
        for letters in sorted(self.spellings, key=len, reverse=True):
            self._heads[letters[:_HEAD]].append(letters)

    def kin(self, product: Product) -> Iterable[Product]:
        """Products whose names begin with the name of this one, as `Qwen-Image` does with `Qwen`."""
        name = product.name.casefold()
        return (
            other for other in self.products.values() if other != product and other.name.casefold().startswith(name)
        )

    def matches(self, text: Text) -> Iterator[Match]:
        """All that is spelled in a text, by where it starts, and the longest first.

        Spellings end where words end, but for the `s` of a plural. The names of products may go on, for `yolo` is in
        `yolov`; but not those that are ordinary words: they are as they are written, and `air flow` is not `Airflow`.
        """
        letters, ends, heads, spellings = text.letters, text.ends, self._heads, self.spellings
        for start in text.starts():
            for size in range(_HEAD, 0, -1):
                head = letters[start : start + size]
                for spelling in heads.get(head, ()) if len(head) == size else ():
                    if letters.startswith(spelling, start) and (size == _HEAD or len(spelling) == size):
                        end = start + len(spelling)
                        meaning, spaces = spellings[spelling]
                        if end in ends:
                            if spaces is None or text.spaces(start, end) == spaces:
                                yield Match(start, end, meaning)
                        elif letters.startswith("s", end) and end + 1 in ends:
                            yield Match(start, end + 1, meaning)
                        elif spaces is None and isinstance(meaning, Product) and not spelling[-1].isdigit():
                            yield Match(start, end, meaning)

    def longest(self, text: Text) -> Iterator[Match]:
        """What is spelled in a text from its beginning on, nothing inside anything longer."""
        read = 0
        for match in self.matches(text):
            if match.start >= read:
                read = match.end
                yield match


@cache
def vocabulary() -> Vocabulary:
    return Vocabulary(_rows("concepts.json"), _rows("products.json"))


def _rows(name: str) -> list[dict[str, Any]]:
    return json.loads((files("compshare_images.language") / name).read_text("utf-8"))
