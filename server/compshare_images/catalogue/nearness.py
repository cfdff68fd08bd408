"""Which tags are near to what a query asks for, where nothing matches it."""

from functools import lru_cache

from compshare_images.catalogue.evidence import near_to
from compshare_images.catalogue.query import Query
from compshare_images.language.resemblance import examples
from compshare_images.language.thesaurus import thesaurus
from compshare_images.language.tokens import read_text
from compshare_images.language.vocabulary import Concept, Meaning, vocabulary

_LIKELIEST = 2


def tag_is_near(tag: str, query: Query) -> bool:
    """Whether a tag names a purpose that is the asked one, or near to it."""
    return not _purposes_of(tag).isdisjoint(_around(query))


@lru_cache(maxsize=1)
def _around(query: Query) -> frozenset[str]:
    asked = [purpose for part in query.parts if part.meaning for purpose in _purposes(part.meaning)]
    likely = examples().likenesses(tuple(thesaurus().senses(query.text.plain)))[:_LIKELIEST]
    asked += [likeness.concept.name for likeness in likely]
    return frozenset[str]().union(*map(near_to, asked))


@lru_cache(maxsize=1024)
def _purposes_of(tag: str) -> frozenset[str]:
    return frozenset(purpose for match in vocabulary().longest(read_text(tag)) for purpose in _purposes(match.meaning))


def _purposes(meaning: Meaning) -> tuple[str, ...]:
    return (meaning.name,) if isinstance(meaning, Concept) else meaning.purposes[:1]
