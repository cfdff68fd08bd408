"""A text as letters and digits alone, which still knows where its words began and ended."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"[A-Z]{2,}(?=[a-z](?![a-z]))"  # the YOLO of YOLOv8
    r"|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"
    r"|[^\W0-9A-Za-z_]+"
)
_JOINT = re.compile(r"[._-]?")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of `Text.letters`: of a Latin word, a number, or a whole run of Chinese.

    `Wan2.2` has three, `IndexTTS` two. `glued` ones stand at most a point or a hyphen from the one before them.
    """

    start: int
    end: int
    latin: bool
    glued: bool


@dataclass(frozen=True, slots=True)
class Text:
    """`plain` has no differences of case and width, `letters` no space and punctuation either. Words end at `ends`."""

    plain: str
    letters: str
    tokens: tuple[Token, ...]
    ends: frozenset[int]

    def starts(self) -> Iterator[int]:
        """Where words can start: between any two Chinese characters, for one."""
        for token in self.tokens:
            if token.latin:
                yield token.start
            else:
                yield from range(token.start, token.end)

    def spaces(self, start: int, end: int) -> int:
        """How many stand between two places."""
        return sum(not token.glued for token in self.tokens if start < token.start < end)


def read_text(text: str) -> Text:
    text = unicodedata.normalize("NFKC", text)
    pieces: list[str] = []
    tokens: list[Token] = []
    ends: set[int] = set()
    start = read = 0
    for found in _TOKEN.finditer(text):
        glued = bool(tokens) and _JOINT.fullmatch(text, read, found.start()) is not None
        read = found.end()
        piece = found[0].casefold()
        latin = found[0][0].isascii()
        end = start + len(piece)
        tokens.append(Token(start, end, latin, glued))
        pieces.append(piece)
        if latin:
            ends.add(end)
        else:
            ends.update(range(start, end + 1))
        start = end
    return Text(text.casefold(), "".join(pieces), tuple(tokens), frozenset(ends))
