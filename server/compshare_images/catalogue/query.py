"""Free text: which of its words carry meaning, and which images hold them all."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from compshare_images.catalogue.catalogue import Entry
from compshare_images.catalogue.gpus import MENTION, read_card, runs_on
from compshare_images.catalogue.text import folded
from compshare_images.catalogue.words import FILLERS

_FREE = re.compile(r"(?<![a-z])(?:for free|free of charge|free)(?![a-z])|完全免费|免费的?|不收费|不要钱")
_WORD = re.compile(r"[a-z0-9]+(?:[.][0-9]+)*|[^\W\d_a-z]+")

# What people wrap a wish in; none of it tells one image from another.
_FILLER_WORD = re.compile(
    r"(?:a|about|all|an|and|any|are|as|at|be|best|can|cards?|compshare|could|do|does|find|for|from|gb|get|give|good|"
    r"gpus?|have|help|how|i|images?|in|into|is|it|least|less|let|like|looking|make|me|memory|min|more|most|my|"
    r"needs?|of|on|one|or|out|over|please|recommend|run|running|set|should|show|some|something|start|suggest|than|"
    r"that|the|there|this|to|under|up|us|use|using|vram|wanted|wants?|we|what|when|where|which|who|will|with|work|"
    r"would|you|your)"
)
_ONLY_FILLERS = re.compile(f"(?:{'|'.join(FILLERS)})+")


@dataclass(frozen=True, slots=True)
class Query:
    """`words` decide what matches; cards, memories and `free` only rank, for hard limits are arguments of their own."""

    words: tuple[str, ...]
    cards: tuple[str, ...]
    free: bool

    @property
    def empty(self) -> bool:
        return not (self.words or self.cards or self.free)


def read_query(text: str) -> Query:
    text = folded(text)
    cards = tuple(dict.fromkeys(mention[0] for mention in MENTION.finditer(text)))
    text = MENTION.sub(" ", text)
    free = bool(_FREE.search(text))
    return Query(tuple(dict.fromkeys(_words(_FREE.sub(" ", text)))), cards, free)


def _words(text: str) -> Iterable[str]:
    for run in _WORD.findall(text):
        if run[0].isascii():
            if not _FILLER_WORD.fullmatch(run):
                yield run
        elif not _ONLY_FILLERS.fullmatch(run):
            yield run


def matches(entry: Entry, query: Query) -> bool:
    return not query.empty and all(entry.words.hold(word) for word in query.words)


def wishes_met(entry: Entry, query: Query) -> int:
    """How many of the query's wishes beside its words an entry fulfils."""
    cards = sum(runs_on(entry.image.supported_gpu_types, read_card(text)) for text in query.cards)
    return cards + (query.free and entry.image.price == 0)
