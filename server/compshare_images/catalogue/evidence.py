"""How strongly images have one part of a query: in its own words, in others, or by a product that is made for it."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from compshare_images.catalogue.index import DENIED, Index, Purpose, term_of
from compshare_images.catalogue.query import Part
from compshare_images.language.thesaurus import thesaurus
from compshare_images.language.tokens import read_text
from compshare_images.language.vocabulary import Concept, Meaning, Product, vocabulary

# What each kind of evidence is worth, beside the very word that was asked for.
SAME = 0.95  # another name of the same purpose or product
OTHER_VERSION = 0.7  # the product, where a version of it was asked for
NARROWER = 0.85  # a step down, to a purpose that the asked one holds
SERVES = 0.95  # a product whose main purpose it is
SERVES_ALSO = 0.06  # less for each purpose that the product has before this one
SERVES_AT_LEAST = 0.8
NEIGHBOUR = 0.45  # a purpose that is near, or that holds the asked one
KIN = 0.47  # a product that bears the name of the asked one, and more
MISSPELT = 0.7  # a product's name as an author mistyped it
INSIDE = 0.3  # the word as a piece of something longer that means something else
LONGER_WORD = 0.6  # a Latin word that goes on
SCATTERED = 0.7  # all of its pieces, but apart
NUMBER_ALONE = 0.6
SYNONYM = 0.5  # another everyday word for the same
APART = 0.97  # a Latin word without its neighbour in the query
ELSEWHERE = 0.6  # where the name states nothing but other purposes

_LONG_NAME = 6  # letters, from which on a mistyped product is looked for
_LONG_WORD = 5  # letters, that may be inside a word
_WORD = 4  # letters, with which a word may begin


@dataclass(slots=True)
class Evidence:
    """How strongly each document has something, and which ones say it: in its own words or in others for the same."""

    strength: dict[int, float] = field(default_factory=dict[int, float])
    saying: set[int] = field(default_factory=set[int])

    def add(self, found: Iterable[tuple[int, float]], worth: float, *, says: bool = True) -> None:
        strength, saying, known = self.strength, self.saying, self.strength.get
        for document, value in found:
            if value * worth > known(document, 0.0):
                strength[document] = value * worth
            if says:
                saying.add(document)


def evidence_of(part: Part, index: Index) -> Evidence:
    found = Evidence()
    if isinstance(part.meaning, Concept):
        purpose = purpose_of(part.meaning, index)
        found.strength.update(zip(purpose.documents, purpose.values, strict=True))
        found.saying.update(purpose.documents[: purpose.saying])
    elif isinstance(part.meaning, Product):
        _add_product(found, part, part.meaning, index)
    else:
        _add_word(found, part, index)
        return found
    for joined in part.joined:
        found.add(index.strengths(joined), 1.0)
    own = set(index.documents_with(term_of(part.meaning)))
    literal = index.literal(part.letters)
    for document in index.documents_with(f"{DENIED}{term_of(part.meaning)}"):
        if document not in own:
            literal.pop(document, None)
    inside = {document: value for document, value in literal.items() if document not in own}
    found.add(((document, value) for document, value in literal.items() if document in own), 1.0)
    found.add(inside.items(), INSIDE, says=False)
    found.saying.update(inside.keys() - _named_after(part.meaning, index))
    return found


def _named_after(meaning: Meaning, index: Index) -> set[int]:
    """Documents of products that bear a product's name and are of another field: `Qwen-Image` is no `Qwen`."""
    strangers: set[int] = set()
    if isinstance(meaning, Product):
        known = vocabulary()
        field = known.concepts[meaning.purposes[0]].category
        for kin in known.kin(meaning):
            if all(known.concepts[purpose].category != field for purpose in kin.purposes):
                strangers.update(index.documents_with(term_of(kin)))
    return strangers


def purpose_of(concept: Concept, index: Index) -> Purpose:
    """All that speaks for a purpose; less where the name of an image speaks for others."""
    if concept.name not in index.purposes:
        seen = Evidence()
        for term, worth in _said_by(concept.name):
            seen.add(index.strengths(term), worth)
        for neighbour in (*concept.related, *concept.broader):
            seen.add(index.strengths(f"#{neighbour}"), NEIGHBOUR, says=False)
        near, named, strength = near_to(concept.name), index.named, seen.strength
        for document, value in strength.items():
            purposes = named[document]
            if purposes:
                far = sum(purpose not in near for purpose in purposes)
                strength[document] = value * (1 - (1 - ELSEWHERE) * far / len(purposes))
        order = sorted(strength, key=seen.saying.__contains__, reverse=True)
        values = array("f", map(strength.__getitem__, order))
        index.purposes[concept.name] = Purpose(array("I", order), values, len(seen.saying))
    return index.purposes[concept.name]


def _add_product(found: Evidence, part: Part, product: Product, index: Index) -> None:
    numbered = any(map(str.isdigit, part.letters))
    found.add(index.strengths(term_of(product)), OTHER_VERSION if numbered else SAME)
    for kin in vocabulary().kin(product):
        found.add(index.strengths(term_of(kin)), KIN, says=False)
    for name in {part.letters, read_text(product.name).letters}:
        if name.isascii() and len(name) >= _LONG_NAME:
            for word in index.spelt_like(name):
                if word not in vocabulary().spellings:
                    found.add(index.strengths(word), MISSPELT)


def _add_word(found: Evidence, part: Part, index: Index) -> None:
    letters = part.letters
    number = letters.isdigit()
    for joined in part.joined:
        found.add(index.literal(joined).items(), 1.0)
    if found.strength and len(letters) == 1:
        return
    alone = NUMBER_ALONE if number else APART if part.joined else 1.0
    found.add(index.literal(letters).items(), alone)
    if letters.isascii() and not number and len(letters) >= _WORD:
        for word in index.beginning_with(letters):
            found.add(index.strengths(word), LONGER_WORD)
        if not found.strength and len(letters) >= _LONG_WORD:
            for word in index.containing(letters):
                found.add(index.strengths(word), LONGER_WORD)
    if len(part.pieces) > 1:
        _add_scattered(found, part.pieces, index)
    senses = list(thesaurus().senses(letters))
    if len(senses) == 1 and not senses[0].unknown:
        for term in senses[0].terms:
            found.add(index.strengths(term), SYNONYM)


def _add_scattered(found: Evidence, pieces: tuple[str, ...], index: Index) -> None:
    """Documents that have all pieces of a word say it; those that have half of them are near to it."""
    sums: dict[int, float] = {}
    counts: dict[int, int] = {}
    for piece in pieces:
        for document, value in index.strengths(piece):
            sums[document] = sums.get(document, 0.0) + value / len(pieces)
            counts[document] = counts.get(document, 0) + 1
    everything = {document: value for document, value in sums.items() if counts[document] == len(pieces)}
    found.add(everything.items(), SCATTERED)
    half = {document: value for document, value in sums.items() if 2 * counts[document] >= len(pieces)}
    found.add(half.items(), SCATTERED, says=False)


@cache
def _said_by(purpose: str) -> tuple[tuple[str, float], ...]:
    """The terms that say a purpose, and their worth: its own, those of narrower ones, of products made for it."""
    known, best = vocabulary(), dict[str, float]()

    def descend(name: str, worth: float) -> None:
        if best.get(f"#{name}", 0.0) >= worth:
            return
        best[f"#{name}"] = worth
        for product, place in known.serving[name]:
            serves = worth * max(SERVES_AT_LEAST, SERVES - SERVES_ALSO * place)
            best[f"@{product}"] = max(serves, best.get(f"@{product}", 0.0))
        for narrower in known.narrower[name]:
            descend(narrower, worth * NARROWER)

    descend(purpose, SAME)
    return tuple(best.items())


@cache
def near_to(purpose: str) -> frozenset[str]:
    """A purpose, all narrower ones, and its neighbours."""
    known = vocabulary()
    concept = known.concepts[purpose]
    near = {*concept.related, *concept.broader}
    near.update(name for name, other in known.concepts.items() if purpose in other.related)
    for broader in concept.broader:
        near.update(known.narrower[broader])
    held, waiting = set[str](), [purpose]
    while waiting:
        name = waiting.pop()
        if name not in held:
            held.add(name)
            waiting += known.narrower[name]
    return frozenset(near | held)
