"""GPU names, as users and authors write them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from compshare_images.language.text import folded

# GB that a card has when its name does not say. The first two lines are those that CompShare was seen
# to offer, beside a 4090 of 48 GB.
MEMORY = {
    "2080": 8, "2080ti": 11, "3080ti": 12, "p40": 24, "3090": 24, "4090": 24, "5090": 32, "v100s": 32, "a100": 80,
    "a800": 80, "h20": 96,
    "t4": 16, "v100": 16, "p100": 16, "l4": 24, "a10": 24, "a30": 24, "a40": 48, "l20": 48, "l40": 48, "l40s": 48,
    "h100": 80, "h800": 80, "h200": 141, "b200": 192, "a4000": 16, "a5000": 24, "a6000": 48, "6000ada": 48,
    "pro6000": 96, "1080ti": 11, "2060": 6, "2070": 8, "2080super": 8, "3060": 12, "3070": 8, "3080": 10, "3090ti": 24,
    "4060": 8, "4060ti": 8, "4070": 12, "4070ti": 12, "4080": 16, "4080super": 16, "4090d": 24, "5060ti": 16,
    "5070": 12, "5070ti": 16, "5080": 16, "5090d": 32,
}  # fmt: skip

_MAKER = r"(?:nvidia|geforce|rtx|gtx|tesla|quadro)"
_MAKERS = re.compile(rf"^(?:{_MAKER}[\s_-]*)+")
_MEMORY = re.compile(r"(?<![a-z0-9.])(\d{1,3})\s*g(?:i?b)?(?![a-z0-9])")
_NOISE = re.compile(r"^\d{1,2}\s*[x×*]\s*(?=\S{3})|\s*[x×*]\s*\d{1,2}$|显卡|显存|vram|sxm\d?|pcie|nvlink")
_JOINTS = re.compile(r"[\s_\-/()+]+")


@dataclass(frozen=True, slots=True)
class Card:
    """`model` is empty when only a memory was given; `memory` (GB) is None when it is not known."""

    model: str
    memory: int | None

    def same_as(self, other: "Card") -> bool:
        return self.model == other.model and (self.memory == other.memory or None in (self.memory, other.memory))


def runs_on(listed: Iterable[str], wanted: Card) -> bool:
    """Whether the listed cards hold the wanted one, or, if it is a memory alone, one of at most that memory."""
    cards = map(read_card, listed)
    if wanted.model:
        return any(card.same_as(wanted) for card in cards)
    return any(card.memory is not None and card.memory <= (wanted.memory or 0) for card in cards)


@lru_cache(maxsize=4096)
def read_card(text: str) -> Card:
    """`4090`, `RTX 4090` and `4090 24G` are one card; `4090_48G` is another; `8G` is a memory alone."""
    name = _NOISE.sub(" ", folded(text).replace("_", " ")).strip()
    memory = _MEMORY.search(name)
    if memory:
        name = name[: memory.start()] + name[memory.end() :]
    model = _JOINTS.sub("", _MAKERS.sub("", name.strip()))
    return Card(model, int(memory[1]) if memory else MEMORY.get(model))


def _spelling(model: str) -> str:
    """A pattern for the model, which may be written with a gap: `3080 Ti`, `PRO 6000`."""
    return re.sub(r"(?<=\d)(?=[a-z]{2})|(?<=[a-z]{3})(?=\d)", r"[\\s_-]?", model)


_KNOWN = "|".join(sorted(map(_spelling, MEMORY), key=len, reverse=True))
MENTION = re.compile(
    rf"(?<![a-z0-9.])(?:(?:rtx|gtx)[\s_-]*\d{{3,4}}(?:[\s_-]*(?:ti|super|d))*|(?:{_MAKER}[\s_-]*)*(?:{_KNOWN}))"
    rf"(?:[\s_-]*\d{{1,3}}\s*g(?:i?b)?)?(?![a-z0-9])"
    rf"|(?:(?:显存|vram)\s*)?{_MEMORY.pattern}(?:\s*(?:显存|vram|gpu memory|memory))?",
    re.IGNORECASE,
)
"""A card or a memory size inside running text."""
