"""Where words, purposes and products stand in the images of a catalogue."""

import math
import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from compshare_images.catalogue.entry import Entry
from compshare_images.language.spelling import Spelling
from compshare_images.language.thesaurus import thesaurus
from compshare_images.language.tokens import Text, read_text
from compshare_images.language.vocabulary import Concept, Meaning, Product, vocabulary

WEIGHTS = {"name": 1.0, "tags": 0.72, "software": 0.5, "description": 0.5, "author": 0.2}
"""How much it says of an image that something stands in one of its texts."""

POPULAR = 0.05  # more at most, for the image with the most deployments
ABANDONED = 0.35  # left, where the author says that it is

_LENGTH_MATTERS = 0.35  # BM25's b: from 0, not at all, to 1
_SATURATION = 0.35  # BM25's k1: the smaller, the less a second text adds to the first
_CHARACTERS_A_WORD = 12
_JOINED = 4  # tokens of one Latin word, at most
_ALIKE_KEPT = 4096  # names of products, and what goes on after one
_BEFORE = 12  # letters in which a denial of what follows is looked for
DENIED = "!"  # before the term of what an image says that it is not, or does not do

_NOT = re.compile(
    r"(?:不是|并非|非|不提供|不支持|不包含|不含|不带|不能|不会|不做|无法|没有|移除了?)$|(?:no|not|without|never|cannot)[a-z]{0,7}$"
)
_NOT_WORDS = frozenset(("no", "not", "without", "never", "cannot"))
_BETWEEN = frozenset(("a", "an", "any", "the", "for", "support", "include"))
_ABANDONED = re.compile(
    r"(?<!不会)(?<!不)停止(?:维护|更新)|不再(?:维护|更新)|(?<!不)停更(?!新)|已过期|已废弃|已弃用|已下架|请(?:使用|用|移步|改用|换用?|转用|前往).{0,12}新|"
    r"deprecated|no longer maintained|discontinued|obsolete|outdated",
    re.IGNORECASE,
)


def term_of(meaning: Meaning) -> str:
    """How a meaning is filed among words, none of which begins so."""
    return f"#{meaning.name}" if isinstance(meaning, Concept) else f"@{meaning.name}"


@dataclass(frozen=True, slots=True)
class Purpose:
    """The documents that serve a purpose, and how well. The first `saying` of them say so; others are near to it."""

    documents: Sequence[int]
    values: Sequence[float]
    saying: int


class Index:
    """An inverted index. A document is the texts of one version, or of several of a group that say the same.

    `groups[document]` is the place of its group; `document_of` goes from the ids of versions to documents.
    What is found out about a term or a purpose is kept for the next query.
    """

    def __init__(self, entries: Sequence[Sequence[Entry]]) -> None:
        self.groups: list[int] = []
        self.document_of: dict[str, int] = {}
        self.examples: list[Entry] = []
        self._letters: list[list[str]] = [[] for _ in WEIGHTS]
        self._postings: list[dict[str, array[int]]] = [{} for _ in WEIGHTS]
        self._lengths: list[list[float]] = [[] for _ in WEIGHTS]
        self._remembered: dict[tuple[str, ...], tuple[str, float, set[str]]] = {}
        for group, versions in enumerate(entries):
            known: dict[tuple[tuple[str, ...], ...], int] = {}
            for entry in versions:
                self.document_of[entry.image.compshare_image_id] = self._document(group, entry, known)
        self._remembered.clear()
        self._strengths: dict[str, tuple[array[int], array[float]]] = {}
        self._alike: dict[str, list[str]] = {}
        self.purposes: dict[str, Purpose] = {}
        self._weights = [
            list(_weights(weight, lengths)) for weight, lengths in zip(WEIGHTS.values(), self._lengths, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.groups)

    def _document(self, group: int, entry: Entry, known: dict[tuple[tuple[str, ...], ...], int]) -> int:
        texts = _texts(entry)
        if texts in known:
            return known[texts]
        document = known[texts] = len(self.groups)
        self.groups.append(group)
        self.examples.append(entry)
        for field, (of_field, postings) in enumerate(zip(texts, self._postings, strict=True)):
            letters, length, terms = self._read(of_field)
            self._letters[field].append(letters)
            self._lengths[field].append(length)
            for term in terms:
                if term in postings:
                    postings[term].append(document)
                else:
                    postings[term] = array("I", (document,))
        return document

    def _read(self, texts: tuple[str, ...]) -> tuple[str, float, set[str]]:
        """Their letters, their length in words and purposes, and all that is to be found in them."""
        if texts not in self._remembered:
            terms: set[str] = set()
            letters: list[str] = []
            said, known = 0, thesaurus()
            for text in map(read_text, texts):
                letters.append(text.letters)
                terms.update(_words(text))
                terms.update(term for sense in known.senses(text.plain) for term in sense.terms if not sense.unknown)
                for match in vocabulary().longest(text):
                    if _denied(text, match.start):
                        terms.add(f"{DENIED}{term_of(match.meaning)}")
                    else:
                        terms.add(term_of(match.meaning))
                        said += 1
            joined = "\n".join(letters)
            self._remembered[texts] = joined, said + len(joined) / _CHARACTERS_A_WORD, terms
        return self._remembered[texts]

    def holds(self, word: str) -> bool:
        return any(word in postings for postings in self._postings)

    def strengths(self, term: str) -> Iterable[tuple[int, float]]:
        """How strongly each document that has a term says it: 1 for once in a name of the usual length."""
        return zip(*self._strengths_of(term), strict=True)

    def documents_with(self, term: str) -> Sequence[int]:
        return self._strengths_of(term)[0]

    def _strengths_of(self, term: str) -> tuple[Sequence[int], Sequence[float]]:
        """Kept for terms that there are, of which there is an end; not for whatever else is asked for."""
        if term not in self._strengths:
            sums: dict[int, float] = {}
            for postings, weights in zip(self._postings, self._weights, strict=True):
                for document in postings.get(term, ()):
                    sums[document] = sums.get(document, 0.0) + weights[document]
            if not sums:
                return (), ()
            self._strengths[term] = array("I", sums), array("f", map(_saturated, sums.values()))
        return self._strengths[term]

    def literal(self, letters: str) -> dict[int, float]:
        """As `strengths`, of letters as they stand: from word to word if Latin, anywhere if Chinese."""
        if letters.isascii():
            return dict(self.strengths(letters))
        sums: dict[int, float] = {}
        pairs = [pair for pair in map(str.__add__, letters, letters[1:]) if not _half_latin(pair)]
        pairs = pairs or [letter for letter in letters if not letter.isascii()]
        for postings, weights, texts in zip(self._postings, self._weights, self._letters, strict=True):
            for document in min((postings.get(pair, ()) for pair in pairs), key=len):
                if letters in texts[document]:
                    sums[document] = sums.get(document, 0.0) + weights[document]
        return {document: _saturated(total) for document, total in sums.items()}

    def documents_saying(self, words: Iterable[str]) -> set[int]:
        """Those that have any of the words, or a Latin word that begins with it."""
        saying: set[int] = set()
        for word in words:
            saying.update(self.literal(word))
            if word.isascii():
                for longer in self.beginning_with(word):
                    saying.update(self.documents_with(longer))
        return saying

    def beginning_with(self, letters: str) -> Iterable[str]:
        """Latin words that go on after these letters."""
        return self._latin_around(f"\n{letters}")

    def containing(self, letters: str) -> Iterable[str]:
        return self._latin_around(letters)

    def _latin_around(self, letters: str) -> Iterable[str]:
        words, at = self._latin, 0
        while (at := words.find(letters, at)) >= 0:
            start, end = words.rfind("\n", 0, at + 1) + 1, words.find("\n", at + 1)
            yield words[start:end]
            at = end

    @cached_property
    def _latin(self) -> str:
        """All Latin words, a line each."""
        return "\n".join(["", *sorted(self.latin_words()), ""])

    def spelt_like(self, name: str) -> list[str]:
        """Words of names and tags that are one slip away from a product's name."""
        if name not in self._alike:
            if len(self._alike) >= _ALIKE_KEPT:
                self._alike.clear()
            self._alike[name] = self._names.alike(name, slips=1)
        return self._alike[name]

    def meant_by(self, word: str) -> list[str]:
        """Words of names and tags, and products, that a word may be a slip of."""
        return self._products.alike(word)

    @cached_property
    def _names(self) -> Spelling:
        return Spelling(self.latin_words("name", "tags"))

    @cached_property
    def _products(self) -> Spelling:
        known = vocabulary().spellings.items()
        products = {letters for letters, (meaning, _) in known if isinstance(meaning, Product) and letters.isascii()}
        return Spelling(products | self.latin_words("name", "tags"))

    def latin_words(self, *fields: str) -> set[str]:
        """Those of some fields, or of all."""
        chosen = [
            postings for field, postings in zip(WEIGHTS, self._postings, strict=True) if field in (fields or WEIGHTS)
        ]
        return {term for postings in chosen for term in postings if term.isascii() and term.isalnum()}

    @cached_property
    def standing(self) -> Sequence[float]:
        """Above 1 for what many people deployed, far below it for what its author no longer cares for."""
        counts = [math.log1p(entry.group.created_count or 0) for entry in self.examples]
        most = max(counts, default=0.0) or 1.0
        texts = (f"{entry.name}\n{entry.description or ''}" for entry in self.examples)
        return [
            (1 + POPULAR * count / most) * (ABANDONED if _ABANDONED.search(text) else 1.0)
            for count, text in zip(counts, texts, strict=True)
        ]

    @cached_property
    def named(self) -> Sequence[tuple[str, ...]]:
        """The purposes that each document's name states, itself or by a product that is made for one."""
        named: list[list[str]] = [[] for _ in self.groups]
        products = vocabulary().products
        for term, documents in self._postings[0].items():
            purpose = term[1:] if term[0] == "#" else products[term[1:]].purposes[0] if term[0] == "@" else None
            if purpose:
                for document in documents:
                    named[document].append(purpose)
        return [tuple(purposes) for purposes in named]


def _denied(text: Text, start: int) -> bool:
    """Whether what stands there is said not to be: 不是换脸, `not a face swap`."""
    denial = _NOT.search(text.letters, max(0, start - _BEFORE), start)
    if denial is None or not denial[0].isascii():
        return denial is not None
    words = [text.letters[token.start : token.end] for token in text.tokens if token.end <= start]
    while words and words[-1] in _BETWEEN:
        words.pop()
    return bool(words) and words[-1] in _NOT_WORDS


def _texts(entry: Entry) -> tuple[tuple[str, ...], ...]:
    image = entry.image
    software = (text for item in image.softwares for text in (item.framework, *item.applications) if text)
    return (
        (entry.name,),
        image.tags,
        tuple(dict.fromkeys(software)),
        (entry.description,) if entry.description else (),
        (image.author,) if image.author else (),
    )


def _words(text: Text) -> Iterable[str]:
    """Latin words, also several as one; Chinese characters and pairs of them."""
    tokens, letters = text.tokens, text.letters
    for place, token in enumerate(tokens):
        if token.latin:
            for last in tokens[place : place + _JOINED]:
                if not last.latin:
                    break
                yield letters[token.start : last.end]
        else:
            run = letters[token.start : token.end]
            yield from run
            yield from map(str.__add__, run, run[1:])
            if place and not tokens[place - 1].latin:
                yield letters[token.start - 1 : token.start + 1]


def _half_latin(pair: str) -> bool:
    return pair[0].isascii() or pair[1].isascii()


def _weights(weight: float, lengths: Sequence[float]) -> Iterable[float]:
    """BM25's length normalisation: the same word says less of an image in a long text; in a short one no more."""
    used = [length for length in lengths if length]
    mean = sum(used) / len(used) if used else 1.0
    return (weight / max(1.0, 1 - _LENGTH_MATTERS + _LENGTH_MATTERS * length / mean) for length in lengths)


def _saturated(total: float) -> float:
    return total * (1 + _SATURATION) / (total + _SATURATION)
