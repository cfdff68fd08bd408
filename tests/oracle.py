"""What a search must find, worked out from the service's raw rows and the contract alone."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

Row = dict[str, Any]

MEMORY = {
    "2080": 8, "2080ti": 11, "3080ti": 12, "p40": 24, "3090": 24, "4090": 24, "5090": 32, "v100s": 32, "a100": 80,
    "a800": 80, "h20": 96,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Version:
    image_id: str
    group_id: str
    name: str
    version_name: str
    author: str
    status: str
    description: str
    tags: tuple[str, ...]
    cards: tuple[str, ...]
    frameworks: tuple[str, ...]
    cudas: tuple[str, ...]
    applications: tuple[str, ...]
    price: float | None
    created: int | None
    favourites: int | None
    published: int | None
    megabytes: int | None
    machine: bool
    auto_start: bool
    cover: str | None

    @property
    def available(self) -> bool:
        return self.status == "Available"


Group = list[Version]


def read(groups: Iterable[Row], *, flat: bool = False) -> list[Group]:
    return [[_version(group, row, flat=flat) for row in group["Data"]] for group in groups]


def _version(group: Row, row: Row, *, flat: bool) -> Version:
    softwares = list(_listed(row.get("Softwares")))
    return Version(
        image_id=row["CompShareImageId"],
        group_id=group["GroupId"],
        name=plain(row["Name"] if flat else group["ImageName"]),
        version_name=plain(row.get("VersionName", "")),
        author=plain(row.get("Author", "")),
        status=row.get("Status", "Available"),
        description=plain(group.get("ImageDesc") or row.get("Description", "")),
        tags=_split(row.get("Tags")),
        cards=_split(row.get("SupportedGpuTypes")),
        frameworks=tuple(item["Framework"] for item in softwares if "Framework" in item),
        cudas=tuple(item["CUDAVersion"] for item in softwares if "CUDAVersion" in item),
        applications=tuple(name for item in softwares for name in item.get("Applications", ())),
        price=row.get("Price"),
        created=_whole(group.get("CreatedCount")),
        favourites=_whole(group.get("FavoritesCount")),
        published=_whole(row.get("PubTime")),
        megabytes=_whole(row.get("Size")),
        machine=str(row.get("Container")) == "False",
        auto_start=row.get("AutoStart", False),
        cover=row.get("Cover"),
    )


def _listed(value: Any) -> Iterator[Any]:  # noqa: ANN401 - a value of a raw row
    if value is not None:
        yield from value if isinstance(value, list) else [value]


def _split(value: object) -> tuple[str, ...]:
    parts = [plain(part) for item in _listed(value) for part in re.split("[,，]", item)]
    return tuple(dict.fromkeys(filter(None, parts)))


def _whole(value: str | int | None) -> int | None:
    return None if value is None else int(value)


def plain(text: str) -> str:
    return " ".join("".join(mark for mark in text if unicodedata.category(mark) != "Cf").split())


@cache
def same(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text).casefold())


@cache
def letters(text: str) -> str:
    return re.sub(r"[\W_]", "", same(text))


def passes(version: Version, argument: str, value: Any) -> bool:  # noqa: ANN401 - as typed as an argument is
    match argument:
        case "name":
            return letters(value) in letters(version.name)
        case "author":
            return same(value) == same(version.author)
        case "tag":
            return same(value) in map(same, version.tags)
        case "gpu_type":
            return any(_serves(card, value) for card in version.cards)
        case "max_price":
            return version.price is not None and version.price <= value
        case "framework":
            return same(value) in map(same, version.frameworks)
        case "cuda_version":
            return any(_suits(cuda, value) for cuda in version.cudas)
        case _:
            raise ValueError(argument)


@cache
def _card(text: str) -> tuple[str, int | None]:
    name = re.sub(r"nvidia|geforce|rtx|tesla", "", text.lower()).strip()
    memory = re.search(r"(?:^|[\s_])(\d+)\s?gb?$", name)
    model = re.sub(r"\s", "", name[: memory.start()] if memory else name)
    return model, int(memory[1]) if memory else MEMORY.get(model)


def _serves(card: str, wanted: str) -> bool:
    model, memory = _card(wanted)
    has, size = _card(card)
    return (has, size) == (model, memory) if model else (size or 0) <= (memory or 0)


def _suits(stated: str, wanted: str) -> bool:
    has, asked = stated.split("."), wanted.removeprefix(">=").strip().split(".")
    if wanted.startswith(">="):
        return list(map(int, has)) >= list(map(int, asked))
    return has[: len(asked)] == asked


def _stated(version: Version, argument: str) -> tuple[object, ...]:
    values: dict[str, tuple[object, ...]] = {
        "name": (version.name,),
        "author": (version.author,) if version.author else (),
        "tag": version.tags,
        "gpu_type": version.cards,
        "max_price": () if version.price is None else (version.price,),
        "framework": version.frameworks,
        "cuda_version": version.cudas,
    }
    return values[argument]


def available(group: Group) -> Group:
    return [version for version in group if version.available]


def in_catalogue(groups: Iterable[Group]) -> list[Group]:
    return [group for group in groups if available(group)]


def found(groups: Iterable[Group], filters: Mapping[str, object]) -> list[Version]:
    shown = (next((one for one in available(group) if _passes_all(one, filters)), None) for group in groups)
    return [version for version in shown if version]


def _passes_all(version: Version, filters: Mapping[str, object]) -> bool:
    return all(passes(version, argument, value) for argument, value in filters.items())


def left_out(groups: Iterable[Group], filters: Mapping[str, object]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for versions in map(available, groups):
        silent = [argument for argument in filters if not any(_stated(one, argument) for one in versions)]
        rest = {argument: value for argument, value in filters.items() if argument not in silent}
        if any(_passes_all(version, rest) for version in versions):
            counts.update(silent)
    return dict(counts)


def having(groups: Iterable[Group], argument: str) -> Counter[str]:
    stated = ({same(str(value)) for one in available(group) for value in _stated(one, argument)} for group in groups)
    return Counter(value for values in stated for value in values)


def holding(versions: Iterable[Version], words: Iterable[str]) -> list[Version]:
    words = list(map(letters, words))
    return [version for version in versions if all(_has(version, word) for word in words)]


def _has(version: Version, word: str) -> bool:
    software = (*version.frameworks, *version.applications)
    texts = (version.name, *version.tags, version.description, version.author, *software)
    return any(word in letters(text) for text in texts)


_SORT_VALUES: dict[str, Callable[[Version], float | None]] = {
    "Favor": lambda version: version.favourites,
    "PubTime": lambda version: version.published,
    "Price": lambda version: version.price,
    "CreatedCount": lambda version: version.created,
}


def ordered(versions: Iterable[Version], field: str = "PubTime", *, ascending: bool | None = None) -> list[Version]:
    if ascending is None:
        ascending = field == "Price"
    value_of = _SORT_VALUES[field]
    ranked = sorted(versions, key=lambda version: version.image_id)
    ranked.sort(key=lambda version: version.created or 0, reverse=True)
    ranked.sort(key=lambda version: value_of(version) or 0, reverse=not ascending)
    return sorted(ranked, key=lambda version: value_of(version) is None)


def ids(versions: Iterable[Version]) -> list[str]:
    return [version.image_id for version in versions]


def entry(version: Version, group: Group) -> Row:
    versions = len(available(group))
    published = version.published and datetime.fromtimestamp(version.published, UTC).date().isoformat()
    whole: Row = {
        "compshare_image_id": version.image_id,
        "name": version.name,
        "version_name": version.version_name or None,
        "author": version.author or None,
        "status": None if version.available else version.status,
        "price": version.price,
        "tags": list(version.tags) or None,
        "supported_gpu_types": list(version.cards) or None,
        "created_count": version.created,
        "favorites_count": version.favourites,
        "pub_time": published,
        "size_gb": version.megabytes and (version.megabytes + 1023) // 1024,
        "container": False if version.machine else None,
        "auto_start": version.auto_start or None,
        "framework": ", ".join(dict.fromkeys(version.frameworks)) or None,
        "cuda_version": ", ".join(dict.fromkeys(version.cudas)) or None,
        "version_count": None if versions == 1 else versions,
    }
    return {name: value for name, value in whole.items() if value is not None}


def shortens(shown: str | None, whole: str, most: int) -> bool:
    if len(whole) <= most:
        return (shown or "") == whole
    kept = (shown or "").removesuffix("…")
    return shown != kept and most - 20 < len(kept) < most and whole.startswith(kept)
