"""Free text: which of its parts carry meaning, what it wishes besides, and what it wants left out."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from compshare_images.catalogue.gpus import MENTION
from compshare_images.language.fillers import fillers
from compshare_images.language.tokens import Text, read_text
from compshare_images.language.vocabulary import Meaning, vocabulary

_FREE = re.compile(r"(?<![a-z])(?:for free|free of charge|free)(?![a-z])|完全免费|免费的?|不收费|不要钱", re.IGNORECASE)
_CHEAP = re.compile(
    r"(?<![a-z])(?:cheap(?:est)?|inexpensive|low[- ]cost)(?![a-z])|最?便宜一?点?的?|低价的?|实惠的?", re.IGNORECASE
)
_EXCLUDED = re.compile(r'(?<!\S)[-－−]("[^"]+"|[^\s-]\S*)')


@dataclass(frozen=True, slots=True)
class Part:
    """A word, or a phrase that the vocabulary knows the `meaning` of.

    `letters`, from `start` on, are as in the query's `Text`. `pieces` are what an image may hold apart from one another
    and still be near to it: the tokens of a Latin word, the pairs of characters of a run of Chinese. `joined` are the
    letters of it and a Latin neighbour together, for `infinite talk` is `InfiniteTalk`.
    """

    letters: str
    start: int
    meaning: Meaning | None = None
    pieces: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """`parts` decide what matches. The wishes beside them only rank, for hard limits are arguments of their own."""

    text: Text
    parts: tuple[Part, ...]
    cards: tuple[str, ...] = ()
    free: bool = False
    cheap: bool = False
    excluded: tuple[str, ...] = ()

    @property
    def wishes(self) -> bool:
        return bool(self.cards or self.free or self.cheap)

    @property
    def says_something(self) -> bool:
        return bool(self.parts or self.wishes or self.excluded)

    @property
    def unnamed(self) -> Text:
        """What the vocabulary has no meaning for."""
        named = [range(part.start, part.start + len(part.letters)) for part in self.parts if part.meaning]
        pieces: list[str] = []
        for token in self.text.tokens:
            pieces.append("" if token.glued else " ")
            pieces += (
                " " if any(place in span for span in named) else self.text.letters[place]
                for place in range(token.start, token.end)
            )
        return read_text("".join(pieces))

    def reworded(self, text: str) -> "Query":
        """The same wishes with other words."""
        content = read_text(text)
        return replace(self, text=content, parts=_parts(content))


def read_query(text: str) -> Query:
    text = unicodedata.normalize("NFKC", text)
    excluded = tuple(letters for word in _EXCLUDED.findall(text) if (letters := read_text(word).letters))
    text = _EXCLUDED.sub(" ", text)
    text, cards = _cut(text, MENTION)
    text, free = _cut(text, _FREE)
    text, cheap = _cut(text, _CHEAP)
    content = read_text(text)
    return Query(content, _parts(content), tuple(dict.fromkeys(cards)), bool(free), bool(cheap), excluded)


def _cut(text: str, wish: re.Pattern[str]) -> tuple[str, list[str]]:
    """The text without its wishes of one kind, and those; but `free energy` and 5G仿真 are phrases, and no wishes."""
    wishes: list[str] = []
    pieces: list[str] = []
    read = 0
    for found in wish.finditer(text):
        begun = len(read_text(text[: found.start()]).letters)
        ended = len(read_text(text[: found.end()]).letters)
        known = vocabulary().matches(read_text(text))
        if not any(match.start <= begun and match.end > ended for match in known):
            wishes.append(found[0].casefold())
            pieces += [text[read : found.start()], " "]
            read = found.end()
    return "".join([*pieces, text[read:]]), wishes


@dataclass(slots=True)
class _Piece:
    start: int
    end: int
    meaning: Meaning | None = None
    filler: bool = False


def _parts(text: Text) -> tuple[Part, ...]:
    pieces = list(_joined_up(text, _pieces(text)))
    known = fillers()
    bare = [piece for piece in pieces if not piece.filler]
    if not bare:
        # Nothing but words for things in general: then those are what is looked for.
        bare = [piece for piece in pieces if known.general(text.letters[piece.start : piece.end])]
    return tuple(
        Part(
            letters=text.letters[piece.start : piece.end],
            start=piece.start,
            meaning=piece.meaning,
            pieces=tuple(_small(text, piece)),
            joined=tuple(_with_neighbours(text, piece, pieces)),
        )
        for piece in bare
    )


def _with_neighbours(text: Text, piece: _Piece, pieces: list[_Piece]) -> Iterator[str]:
    """Latin words that may be one word, and single characters of which one seemed a filler: the 要 of 摘要."""
    alone = piece.meaning is None and piece.end - piece.start == 1
    for other in pieces:
        if other.end == piece.start or other.start == piece.end:
            joint = text.letters[min(piece.end, other.end) - 1 : max(piece.start, other.start) + 1]
            together = text.letters[min(piece.start, other.start) : max(piece.end, other.end)]
            if joint.isascii() if not other.filler else alone and len(together) == 2 and not joint.isascii():  # noqa: PLR2004
                yield together


def _latin(letters: str) -> bool:
    return letters.isascii()


def _small(text: Text, piece: _Piece) -> Iterator[str]:
    for token in text.tokens:
        start, end = max(token.start, piece.start), min(token.end, piece.end)
        if start < end:
            letters = text.letters[start:end]
            if token.latin or len(letters) == 1:
                yield letters
            else:
                yield from map(str.__add__, letters, letters[1:])


def _joined_up(text: Text, pieces: list[_Piece]) -> Iterator[_Piece]:
    """Unknown words whole: the tokens of a Latin one, and Chinese in which a single character seemed a filler."""
    glued = {token.start for token in text.tokens if token.glued and token.latin}
    runs = [(token.start, token.end) for token in text.tokens if not token.latin]
    waiting: list[_Piece] = []
    for piece in pieces:
        last = waiting[-1] if waiting else None
        unknown = piece.meaning is None and not piece.filler
        small = piece.filler and piece.end - piece.start == 1
        if last and last.end == piece.start and (unknown or small):
            if piece.start in glued and unknown and _latin(text.letters[last.start : piece.end]):
                waiting = [_Piece(last.start, piece.end)]
                continue
            if any(start < piece.start and piece.end <= end for start, end in runs):
                waiting.append(piece)
                continue
        yield from _settled(waiting)
        waiting = [piece] if unknown else []
        if not unknown:
            yield piece
    yield from _settled(waiting)


def _settled(waiting: list[_Piece]) -> Iterator[_Piece]:
    """What waited as one piece, but for fillers at its end."""
    trailing: list[_Piece] = []
    while waiting and waiting[-1].filler:
        trailing.insert(0, waiting.pop())
    if waiting:
        yield _Piece(waiting[0].start, waiting[-1].end)
    yield from trailing


def _pieces(text: Text) -> list[_Piece]:
    """The text cut up so that long phrases of the vocabulary cover the most of it, and fillers the most of the rest."""
    begun: dict[int, list[tuple[float, _Piece]]] = defaultdict(list)
    for token in text.tokens:
        gaps = [(token.start, token.end)] if token.latin else [(at, at + 1) for at in range(token.start, token.end)]
        for start, end in gaps:
            begun[start].append((0.0, _Piece(start, end)))
    for start, end in fillers().matches(text):
        begun[start].append((0.1 * (end - start), _Piece(start, end, filler=True)))
    for match in vocabulary().matches(text):
        worth = _worth(text.letters[match.start : match.end])
        end = match.end
        while end not in text.ends:
            end += 1  # the rest of a Latin word that goes on after a product's name
        begun[match.start].append((worth, _Piece(match.start, end, match.meaning)))
    best: dict[int, tuple[float, tuple[_Piece, ...]]] = {0: (0.0, ())}
    for start in sorted(begun):
        if start in best:
            total, pieces = best[start]
            for worth, piece in begun[start]:
                if piece.end not in best or total + worth > best[piece.end][0]:
                    best[piece.end] = total + worth, (*pieces, piece)
    return list(best[len(text.letters)][1])


def _worth(letters: str) -> float:
    """More for one long phrase than for two short ones; a Chinese character counts as two Latin letters."""
    return sum(0.5 if letter.isascii() else 1.0 for letter in letters) ** 1.5 + 0.5
