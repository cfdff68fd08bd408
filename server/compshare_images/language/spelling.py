"""Words that were nearly written: a letter off, or Chinese of the same sound."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from compshare_images.language.text import distance
from compshare_images.language.vocabulary import vocabulary

_SHORTEST = 4  # letters
_SHORT = 4  # letters, of which two may only have changed places
_LONG = 9  # letters, in which two slips are forgiven
_DIGITS = re.compile(r"\d+")
_LONGEST_HEARD = 6  # characters


class Spelling:
    """Latin words, to be found by others that are a slip away from them."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[tuple[str, int], list[str]] = defaultdict(list)
        for word in words:
            if len(word) >= _SHORTEST:
                self._words[word[0], len(word)].append(word)

    def alike(self, word: str, *, slips: int | None = None) -> list[str]:
        """The nearest first. A slip changes no number, and no first letter but by swapping it with the second."""
        if len(word) < _SHORTEST:
            return []
        most = slips or (2 if len(word) >= _LONG else 1)
        digits = _DIGITS.findall(word)
        kept = _kept_by(word, most)
        alike = [
            (apart, known[0] != word[0], known)
            for first in {word[0], word[1]}
            for length in range(len(word) - most, len(word) + most + 1)
            for known in self._words.get((first, length), ())
            if any(piece in known for piece in kept)
            if 0 < (apart := distance(word, known, most)) <= most and _DIGITS.findall(known) == digits
            if len(word) > _SHORT or sorted(word) == sorted(known)
        ]
        return [known for _, _, known in sorted(alike)]


def _kept_by(word: str, slips: int) -> list[str]:
    """Pieces of a word of which, unless slips fall where they meet, one is in whatever it may be a slip of."""
    size = len(word) // (slips + 1) if slips > 1 else (len(word) - 2) // 2
    return [word[:size], word[size:-size], word[-size:]] if slips > 1 else [word[:size], word[len(word) - size :]]


def heard(letters: str) -> list[tuple[int, int, str]]:
    """Chinese that the vocabulary does not know, but something that sounds the same: where, and what it knows.

    Two characters alone must be all there is, for many sound like two others.
    """
    found: list[tuple[int, int, str]] = []
    known, start = _by_sound(), 0
    while start < len(letters):
        end = start + 1
        for length in range(min(_LONGEST_HEARD, len(letters) - start), 1, -1):
            spelling = known.get(_sound(letters[start : start + length]))
            if spelling and (length > 2 or length == len(letters)):  # noqa: PLR2004 - see above
                end = start + length
                found.append((start, end, spelling))
                break
        start = end
    return found


@cache
def _by_sound() -> dict[tuple[str, ...], str]:
    """Spellings that are Chinese throughout, by what they sound like."""
    return {_sound(spelling): spelling for spelling in vocabulary().spellings if not re.search(r"[ -~]", spelling)}


def _sound(letters: str) -> tuple[str, ...]:
    sounds = _sounds()
    return tuple(sounds.get(letter, letter) for letter in letters)


@cache
def _sounds() -> dict[str, str]:
    """Pinyin of common characters, without tones, and without what many do not tell apart: zh is z, and -ng is -n."""
    rows: dict[str, str] = json.loads((files("compshare_images.language") / "sounds.json").read_text("utf-8"))
    merged = {sound: re.sub(r"ng$", "n", re.sub(r"^([zcs])h", r"\1", sound)) for sound in rows}
    return {letter: merged[sound] for sound, letters in rows.items() for letter in letters}
