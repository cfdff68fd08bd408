"""Which images answer a query, how well, and whether fully."""

import math
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain

from compshare_images.catalogue.evidence import Evidence, evidence_of, purpose_of
from compshare_images.catalogue.gpus import read_card, runs_on
from compshare_images.catalogue.index import Index
from compshare_images.catalogue.query import Part, Query
from compshare_images.language.resemblance import examples
from compshare_images.language.thesaurus import Sense, thesaurus
from compshare_images.upstream.wire import Image

USUAL_WORD = 0.3  # what the most usual word weighs, beside the rarest
NUMBER = 0.5  # what a number weighs, beside a word
MEANT = 4.0  # what the meaning of a whole wish weighs, beside its rarest word
MEANT_AT_LEAST = 0.3  # of that, where nearly all of the query is phrases of the vocabulary
SPEAKS = 0.45  # of a purpose; a document that has it at least so strongly is held to speak of all that goes with it
SPOKEN = 1.0  # what it is worth to speak of the same things, beside having the purpose
SPOKEN_ENOUGH = 0.38  # of the query, for a document that has none of the purposes
SPOKEN_RAREST = 6.5  # what a word weighs at most there, in the logarithm by which rarity is measured
NAMED = 2.0  # what a phrase of the vocabulary weighs, where a share of the query is reckoned
ENOUGH = 0.58  # the share of the query that a partial match must have
ENOUGH_OF_KNOWN = 0.3  # the same, where every part of the query is somewhere
CLEAR = 0.8  # how strongly a partial match must have what a wish of few words means,
CLEAR_OF_MANY = 0.35  # or of more words, not all of which are of use
FEW_WORDS = 2
FALLEN_BEHIND = 0.25  # of the best score: a partial match below it is no help
SAID_ENOUGH = 0.4  # of the query in its own words: with so much, a match need be neither clear nor near to the best
WISH = 0.1  # more for each wish beside the words that an image fulfils
CHEAP = 0.5  # 元 an hour


@dataclass(frozen=True, slots=True)
class Ranked:
    """How well each document answers, and which do so `full`y.

    Those have every part of the query that carries meaning, or say the same in other words.
    """

    scores: Mapping[int, float]
    full: AbstractSet[int]


def rank(index: Index, query: Query) -> Ranked:
    if query.parts:
        scores, full = _Ranking(index, query).scores()
    elif query.wishes or query.excluded:
        scores, full = dict.fromkeys(range(len(index)), 1.0), set(range(len(index)))
    else:
        scores, full = dict[int, float](), set[int]()
    for document in index.documents_saying(query.excluded):
        scores.pop(document, None)
    standing = index.standing
    scores = {document: score * standing[document] for document, score in scores.items()}
    if query.wishes:
        for document in scores:
            scores[document] *= 1 + WISH * _wishes_met(index.examples[document].image, query)
    return Ranked(scores, full)


def _wishes_met(image: Image, query: Query) -> int:
    met = sum(runs_on(image.supported_gpu_types, read_card(card)) for card in query.cards)
    met += query.free and image.price == 0
    return met + (query.cheap and image.price is not None and image.price <= CHEAP)


class _Ranking:
    def __init__(self, index: Index, query: Query) -> None:
        self._index = index
        self._query = query
        self._rarest = self._rarity(1)
        self._parts = [evidence_of(part, index) for part in query.parts]
        self._weights = list(map(self._weight, query.parts, self._parts))
        self._meant = Evidence()
        self._unnamed: list[float] = []
        self._told: dict[int, float] = {}
        self._clear = 0.0
        if not all(part.meaning for part in query.parts):
            self._read_as_a_wish()

    def _rarity(self, documents: int) -> float:
        """BM25's inverse document frequency."""
        return math.log(1 + (len(self._index) - documents + 0.5) / (documents + 0.5))

    def _weight(self, part: Part, found: Evidence) -> float:
        among = len(found.saying)
        weight = USUAL_WORD * self._rarest + self._rarity(among) if among else self._rarest
        return weight * NUMBER if part.letters.isdigit() else weight

    def _read_as_a_wish(self) -> None:
        """Find what has the purposes that the whole query sounds like, and what speaks of the same things.

        What was said beside the phrases of the vocabulary is told by a document if it speaks of it, or has a purpose
        of which people usually say it.
        """
        known, meant = examples(), self._meant
        senses = tuple(thesaurus().senses(self._query.text.plain))
        if all(sense.unknown and len(sense.terms[0]) == 1 for sense in senses):
            return
        self._clear = CLEAR if len(senses) <= FEW_WORDS else CLEAR_OF_MANY
        unnamed = tuple(thesaurus().senses(self._query.unnamed.plain))
        self._unnamed = list(map(known.weight, unnamed))
        told: dict[int, list[float]] = {}
        for likeness in known.likenesses(senses):
            purpose = purpose_of(likeness.concept, self._index)
            served = list(zip(purpose.documents, purpose.values, strict=True))
            meant.add(served, likeness.confidence, says=False)
            usual = [known.explains(likeness.concept, sense) for sense in unnamed]
            for document, value in served:
                if value >= SPEAKS:
                    before = told.get(document)
                    told[document] = list(map(max, usual, before)) if before else usual
        for document, value in self._speaking_of(senses).items():
            if document in meant.strength or value > SPOKEN_ENOUGH:
                meant.strength[document] = meant.strength.get(document, 0.0) + SPOKEN * value
        silent = [0.0] * len(unnamed)
        for place, sense in enumerate(unnamed):
            for document, value in self._documents_with(sense).items():
                if document in meant.strength:
                    before = told.get(document, silent)
                    told[document] = [*before[:place], max(before[place], value), *before[place + 1 :]]
        self._told = {document: sum(map(float.__mul__, values, self._unnamed)) for document, values in told.items()}

    def _documents_with(self, sense: Sense) -> dict[int, float]:
        """How much of a sense each document speaks of, from 0 to 1."""
        found: dict[int, float] = {}
        for term in sense.terms:
            for document in self._index.documents_with(term):
                if sense.unknown:
                    found[document] = found.get(document, 0.0) + 1 / len(sense.terms)
                else:
                    found[document] = 1.0
        return found

    def _speaking_of(self, senses: Sequence[Sense]) -> dict[int, float]:
        """How much of the query, rare things before usual ones, each document speaks of in any words."""
        sums: dict[int, float] = {}
        total = 0.0
        for sense in senses:
            found: dict[int, float] = {}
            for term in sense.terms:
                for document, value in self._index.strengths(term):
                    if sense.unknown:
                        found[document] = found.get(document, 0.0) + min(1.0, value) / len(sense.terms)
                    else:
                        found[document] = max(found.get(document, 0.0), min(1.0, value))
            rarity = min(SPOKEN_RAREST, self._rarity(len(found)))
            weight = examples().weight(sense) if sense.unknown else rarity
            total += weight
            for document, value in found.items():
                sums[document] = sums.get(document, 0.0) + weight * value
        return {document: value / total for document, value in sums.items()}

    def scores(self) -> tuple[dict[int, float], set[int]]:
        meant = MEANT * self._rarest * self._unsaid() if self._meant.strength else 0.0
        total = sum(self._weights) + meant
        scores: dict[int, float] = {}
        for evidence, weight in zip([*self._parts, self._meant], [*self._weights, meant], strict=True):
            share = weight / total
            for document, value in evidence.strength.items():
                scores[document] = scores.get(document, 0.0) + share * value
        full = self._parts[0].saying.intersection(*(part.saying for part in self._parts))
        enough = ENOUGH_OF_KNOWN if all(part.saying for part in self._parts) else ENOUGH
        meant_by, clear = self._meant.strength, self._clear
        partial = {
            document: said
            for document, said, share in self._shares(full)
            if share >= enough and (said >= SAID_ENOUGH or meant_by.get(document, 0.0) >= clear)
        }
        least = FALLEN_BEHIND * max((scores[document] for document in chain(full, partial)), default=0.0)
        kept = {
            document: score
            for document, score in scores.items()
            if document in full or (document in partial and (score >= least or partial[document] >= SAID_ENOUGH))
        }
        return kept, full

    def _unsaid(self) -> float:
        """From 1, where no phrase of the query is in the vocabulary, to little, where nearly all is."""
        pairs = zip(self._query.parts, self._weights, strict=True)
        unnamed = sum(weight for part, weight in pairs if not part.meaning) / sum(self._weights)
        return MEANT_AT_LEAST + (1 - MEANT_AT_LEAST) * unnamed

    def _shares(self, full: AbstractSet[int]) -> Iterator[tuple[int, float, float]]:
        """How much of the query a document has: by its words, and by its words or what they mean.

        One phrase of the vocabulary counts as enough of the words.
        """
        said: dict[int, float] = {}
        told = {document: value for document, value in self._told.items() if document not in full}
        asked, named, naming = sum(self._weights), 0, set[int]()
        for part, evidence, weight in zip(self._query.parts, self._parts, self._weights, strict=True):
            named += bool(part.meaning)
            for document, value in evidence.strength.items():
                if document not in full:
                    has = 1.0 if document in evidence.saying else min(1.0, value)
                    if has == 1.0 or not part.meaning:
                        said[document] = said.get(document, 0.0) + has * weight / asked
                    if part.meaning:
                        told[document] = told.get(document, 0.0) + NAMED * has
                        if has == 1.0:
                            naming.add(document)
        weighed = NAMED * named + sum(self._unnamed)
        for document in said.keys() | told.keys():
            meant = told.get(document, 0.0) / weighed if weighed else 0.0
            by_words = said.get(document, 0.0)
            yield document, max(by_words, SAID_ENOUGH * (document in naming)), max(by_words, meant)
