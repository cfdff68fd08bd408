"""Which purposes a wish sounds like, in whatever words: by comparison with how others have put them."""

import math
import unicodedata
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from threading import Lock

from compshare_images.language.thesaurus import Sense, thesaurus
from compshare_images.language.vocabulary import Concept, vocabulary

RAREST = 2.6  # what a word weighs at most, in the logarithm by which rarity is measured
UNKNOWN = 1.6  # what a run of Chinese weighs that no set holds
UNKNOWN_CHARACTER = 0.5
WISH_LENGTH, EXAMPLE_LENGTH = 0.56, 0.44  # how much what they do not share counts against a likeness; together 1
OTHERS = 0.27  # what a second and a third example add
CLOSEST = 0.35  # how much the likest examples count, beside all words that are ever said of a purpose
FEW = 0.5  # examples that a word must be in to say half of what it can
LIKELY = 0.18
NOT_FAR_BEHIND = 0.54
MOST = 6
LIKELIEST = 2.6  # how much less the others count


@dataclass(frozen=True, slots=True)
class Likeness:
    """`confidence` goes from 0 to 1."""

    concept: Concept
    confidence: float


class Examples:
    """What is said of every purpose, numbered so that those of one purpose follow one another."""

    def __init__(self, concepts: Mapping[str, Concept]) -> None:
        self._concepts = concepts
        self._owners: list[str] = []
        self._numbers: dict[str, tuple[int, int]] = {}
        self._postings: dict[str, array[int]] = {}
        known, all_said = thesaurus(), list[tuple[Sense, ...]]()
        for name, concept in concepts.items():
            first = len(all_said)
            phrases = "\n".join((*concept.spellings, *concept.examples))
            for phrase in unicodedata.normalize("NFKC", phrases).casefold().split("\n"):
                said = tuple(known.senses(phrase))
                for term in {term for sense in said for term in sense.terms}:
                    self._postings.setdefault(term, array("H")).append(len(all_said))
                all_said.append(said)
            self._owners += [name] * (len(all_said) - first)
            self._numbers[name] = first, len(all_said)
        self._rarity = {
            term: math.log(1 + len(concepts) / len(set(map(self._owners.__getitem__, numbers))))
            for term, numbers in self._postings.items()
        }
        self._lengths = [max(0.5, sum(map(self.weight, said))) ** EXAMPLE_LENGTH for said in all_said]

    def weight(self, sense: Sense) -> float:
        """How much a sense tells one purpose from another."""
        if sense.unknown:
            return UNKNOWN if len(sense.terms[0]) > 1 else UNKNOWN_CHARACTER
        return min(RAREST, *(self._rarity.get(term, RAREST) for term in sense.terms))

    def explains(self, concept: Concept, sense: Sense) -> float:
        """How usual it is to speak of a sense where a purpose is meant: from 0, never, to nearly 1."""
        first, last = self._numbers[concept.name]
        count = 0
        for term in sense.terms:
            numbers = self._postings.get(term)
            if numbers:
                count += bisect_left(numbers, last) - bisect_left(numbers, first)
        return count / (count + FEW * (len(sense.terms) if sense.unknown else 1))

    def likenesses(self, senses: Sequence[Sense]) -> list[Likeness]:
        """The likeliest first."""
        weights = list(map(self.weight, senses))
        total = sum(weights)
        shared: dict[int, float] = defaultdict(float)
        for sense, weight in zip(senses, weights, strict=True):
            known = [self._postings.get(term, ()) for term in sense.terms]
            if sense.unknown:
                for number in chain(*known):
                    shared[number] += weight / len(known)
            else:
                for number in known[0] if len(known) == 1 else set(chain(*known)):
                    shared[number] += weight
        reach = total**WISH_LENGTH
        likes: dict[str, list[float]] = defaultdict(list)
        for number, weight in shared.items():
            likes[self._owners[number]].append(weight / (reach * self._lengths[number]))
        found: list[Likeness] = []
        for name, of_one in likes.items():
            closest = sorted(of_one, reverse=True)
            like = closest[0] + OTHERS * sum(closest[1:3])
            if CLOSEST * like + 1 - CLOSEST >= LIKELY:
                concept = self._concepts[name]
                told = sum(
                    weight * self.explains(concept, sense) for weight, sense in zip(weights, senses, strict=True)
                )
                confidence = CLOSEST * like + (1 - CLOSEST) * told / total
                if confidence >= LIKELY:
                    found.append(Likeness(concept, confidence))
        found.sort(key=lambda likeness: (-likeness.confidence, likeness.concept.name))
        best = found[0].confidence if found else 1.0
        return [
            Likeness(one.concept, min(1.0, one.confidence) * (one.confidence / best) ** LIKELIEST)
            for one in found[:MOST]
            if one.confidence >= NOT_FAR_BEHIND * best
        ]


_READING = Lock()


def examples() -> Examples:
    """Read once, in half a second; a thread may do so beforehand."""
    with _READING:
        return _read_examples()


@cache
def _read_examples() -> Examples:
    return Examples(vocabulary().concepts)
