"""What the service answers, read with forgiveness.

The one place that knows the service's spelling. A value that cannot be read is unknown (None, or empty); a row without
an id is dropped and counted. Three shapes of one list are read: groups under `CompshareImageGroup` (observed) or
`ImageSetGroup` (a sibling action's page), and single versions under `ImageSet` (documented).
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar, cast

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from compshare_images.upstream.cleaning import clean_line, clean_markdown, clean_web_address

_LIST_KEYS = ("CompshareImageGroup", "ImageSetGroup", "ImageSet")
_Item = TypeVar("_Item")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MAX_COUNT = 2**53
_MOST_PORTS = 30
_MOST_VERSIONS = 500
_YEAR_10000 = 253_402_300_800


def _identifier(value: object) -> object:
    value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return value.strip() if isinstance(value, str) and _IDENTIFIER.fullmatch(value.strip()) else None


def _text(limit: int) -> BeforeValidator:
    def read(value: object) -> str | None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        return (clean_line(value, limit) or None) if isinstance(value, str) else None

    return BeforeValidator(read)


def _texts(limit: int, *, most: int) -> BeforeValidator:
    def read(value: object) -> tuple[str, ...]:
        found: dict[str, str] = {}
        for item in _as_list(value)[: 2 * most]:
            if isinstance(item, str):
                for part in re.split("[,，]", item[: limit * most])[: 2 * most]:
                    text = clean_line(part, limit)
                    found.setdefault(text.casefold(), text)
        found.pop("", None)
        return tuple(found.values())[:most]

    return BeforeValidator(read)


def _number(value: object) -> float | None:
    if isinstance(value, str) and len(value) <= len(str(_MAX_COUNT)):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= _MAX_COUNT and math.isfinite(value) else None


def _count(value: object) -> int | None:
    number = _number(value)
    return None if number is None or number < 0 else int(number)


def _positive(value: object) -> int | None:
    return _count(value) or None


def _moment(value: object) -> int | None:
    seconds = _positive(value)
    return seconds if seconds and seconds < _YEAR_10000 else None


def _money(value: object) -> float | None:
    number = _number(value)
    return None if number is None or number < 0 else number


def _flag(value: object) -> bool | None:
    match value:
        case bool():
            return value
        case int() | str():
            return {"true": True, "false": False, "1": True, "0": False}.get(str(value).strip().lower())
        case _:
            return None


def as_object(value: object) -> dict[str, object] | None:
    """A JSON object, or None."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def _as_list(value: object) -> list[object]:
    match value:
        case None:
            return []
        case list():
            return cast("list[object]", value)
        case _:
            return [value]


def _web_address(value: object) -> str | None:
    return clean_web_address(value) if isinstance(value, str) else None


def _ports(value: object) -> tuple[int, ...]:
    ports = (_port(item) for item in _as_list(value))
    return tuple(dict.fromkeys(port for port in ports if port))[:_MOST_PORTS]


def _port(value: object) -> int | None:
    port = _positive(value)
    return port if port and port < 2**16 else None


def _all(item_type: type[_Item], *, most: int) -> BeforeValidator:
    """Those of a list, or of a lone object, that can be read and say something."""
    adapter = TypeAdapter(item_type)
    return BeforeValidator(lambda value: tuple(_readable(adapter, _as_list(value)[:most])))


def _first(item_type: type[_Item]) -> BeforeValidator:
    adapter = TypeAdapter(item_type)
    return BeforeValidator(lambda value: next(_readable(adapter, _as_list(value)), None))


def _readable(adapter: TypeAdapter[_Item], values: list[object]) -> Iterator[_Item]:
    nothing = _read(adapter, {})
    items = (_read(adapter, value) for value in values)
    return (item for item in items if item is not None and item != nothing)


def _read(adapter: TypeAdapter[_Item], value: object) -> _Item | None:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


def _from(spelling: str) -> Any:  # noqa: ANN401 - pydantic's own return type for Field
    return Field(validation_alias=spelling)


_Name = _text(120)
_Word = _text(60)
_Sentence = _text(1000)
_Count = BeforeValidator(_count)
_Flag = BeforeValidator(_flag)
_Moment = BeforeValidator(_moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    framework: Annotated[str | None, _from("Framework"), _Word] = None
    framework_version: Annotated[str | None, _from("FrameworkVersion"), _Word] = None
    cuda_version: Annotated[str | None, _from("CUDAVersion"), _Word] = None
    os_version: Annotated[str | None, _from("OsVersion"), _Word] = None
    python_version: Annotated[str | None, _from("PythonVersion"), _Word] = None
    applications: Annotated[tuple[str, ...], _from("Applications"), _texts(60, most=20)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwarePort:
    port: Annotated[int, _from("Port"), BeforeValidator(_port)]
    software: Annotated[str | None, _from("Software"), _Word] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    account_name: Annotated[str | None, _from("AccountName"), _Word] = None
    account_id: Annotated[str | None, _from("AccountId"), _Word] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One version. `size` is in MB, `price` in 元 an hour, times in Unix seconds, `image_use_time` in hours."""

    compshare_image_id: Annotated[str, _from("CompShareImageId"), BeforeValidator(_identifier)]
    group_id: Annotated[str | None, _from("GroupId"), BeforeValidator(_identifier)] = None
    name: Annotated[str | None, _from("Name"), _Name] = None
    version_name: Annotated[str | None, _from("VersionName"), _text(40)] = None
    version_desc: Annotated[str | None, _from("VersionDesc"), _text(500)] = None
    description: Annotated[str | None, _from("Description"), _Sentence] = None
    author: Annotated[str | None, _from("Author"), _Word] = None
    auth_info: Annotated[int | None, _from("AuthInfo"), _Count] = None
    image_owner_alias: Annotated[str | None, _from("ImageOwnerAlias"), _Word] = None
    image_type: Annotated[str | None, _from("ImageType"), _Word] = None
    is_official: Annotated[bool | None, _from("IsOfficial"), _Flag] = None
    container: Annotated[bool | None, _from("Container"), _Flag] = None
    status: Annotated[str | None, _from("Status"), _text(40)] = None
    visibility: Annotated[int | None, _from("Visibility"), _Count] = None
    size: Annotated[int | None, _from("Size"), BeforeValidator(_positive)] = None
    tags: Annotated[tuple[str, ...], _from("Tags"), _texts(40, most=10)] = ()
    price: Annotated[float | None, _from("Price"), BeforeValidator(_money)] = None
    image_charge: Annotated[bool | None, _from("ImageCharge"), _Flag] = None
    auto_start: Annotated[bool | None, _from("AutoStart"), _Flag] = None
    cover: Annotated[str | None, _from("Cover"), BeforeValidator(_web_address)] = None
    softwares: Annotated[tuple[Software, ...], _from("Softwares"), _all(Software, most=8)] = ()
    source_gpu_type: Annotated[str | None, _from("SourceGpuType"), _text(40)] = None
    supported_gpu_types: Annotated[tuple[str, ...], _from("SupportedGpuTypes"), _texts(40, most=40)] = ()
    software_ports: Annotated[
        tuple[SoftwarePort, ...], _from("SoftwarePorts"), _all(SoftwarePort, most=_MOST_PORTS)
    ] = ()
    firewall_ports: Annotated[tuple[int, ...], _from("FirewallPorts"), BeforeValidator(_ports)] = ()
    created_count: Annotated[int | None, _from("CreatedCount"), _Count] = None
    favorites_count: Annotated[int | None, _from("FavoritesCount"), _Count] = None
    image_use_time: Annotated[int | None, _from("ImageUseTime"), _Count] = None
    failed_reason: Annotated[str | None, _from("FailedReason"), _text(500)] = None
    owner: Annotated[Owner | None, _from("Owner"), _first(Owner)] = None
    create_time: Annotated[int | None, _from("CreateTime"), _Moment] = None
    pub_time: Annotated[int | None, _from("PubTime"), _Moment] = None

    @property
    def available(self) -> bool:
        return self.status in (None, "Available")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The versions of one image, newest first as the service gives them.

    A `flat` one was made of rows of single versions: it has no name of its own, and its order is not the service's.
    """

    group_id: Annotated[str, _from("GroupId"), BeforeValidator(_identifier)]
    name: Annotated[str | None, _from("ImageName"), _Name] = None
    description: Annotated[str | None, _from("ImageDesc"), _Sentence] = None
    created_count: Annotated[int | None, _from("CreatedCount"), _Count] = None
    favorites_count: Annotated[int | None, _from("FavoritesCount"), _Count] = None
    image_use_time: Annotated[int | None, _from("ImageUseTime"), _Count] = None
    images: tuple[Image, ...] = ()
    flat: bool = False

    @property
    def available(self) -> tuple[Image, ...]:
        return tuple(image for image in self.images if image.available)


_IMAGE = TypeAdapter(Image)
_GROUP = TypeAdapter(Group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer. `row_count` is what the service sent, unreadable rows included; `dropped` counts those."""

    groups: tuple[Group, ...] = ()
    row_count: int = 0
    total_count: int | None = None
    dropped: int = 0
    readme: str | None = None


def read_page(answer: Mapping[str, object], *, readme_of: str | None = None) -> Page | None:
    """Read a successful answer, with the cleaned Readme of one image if asked; None when it holds no list."""
    lists = [answer[key] for key in _LIST_KEYS if key in answer]
    if any(not isinstance(rows, list | None) for rows in lists):
        return None
    total_count = _count(answer.get("TotalCount"))
    if not lists and total_count != 0:
        return None
    rows: list[object] = next((_as_list(rows) for rows in lists if rows), _as_list(None))
    reader = _PageReader(readme_of)
    groups = tuple(reader.read(rows))
    return Page(
        groups=groups,
        row_count=len(rows),
        total_count=total_count,
        dropped=reader.dropped,
        readme=reader.readme,
    )


class _PageReader:
    def __init__(self, readme_of: str | None) -> None:
        self.readme_of = readme_of
        self.readme: str | None = None
        self.dropped = 0

    def read(self, rows: list[object]) -> Iterator[Group]:
        for row in rows:
            fields = as_object(row) or {}
            group = self._group(fields) if "Data" in fields else self._lone_image(fields)
            if group is None:
                self.dropped += 1
            else:
                yield group

    def _group(self, row: Mapping[str, object]) -> Group | None:
        images = tuple(self._images(row["Data"]))
        if _identifier(row.get("GroupId")) is None and images:
            row = {**row, "GroupId": images[0].group_id or images[0].compshare_image_id}
        group = _read(_GROUP, {name: value for name, value in row.items() if name not in ("images", "flat")})
        return group and replace(group, images=tuple(replace(image, group_id=group.group_id) for image in images))

    def _images(self, data: object) -> Iterator[Image]:
        rows = _as_list(data)
        self.dropped += max(0, len(rows) - _MOST_VERSIONS)
        for row in rows[:_MOST_VERSIONS]:
            image = self._image(as_object(row) or {})
            if image is None:
                self.dropped += 1
            else:
                yield image

    def _lone_image(self, row: Mapping[str, object]) -> Group | None:
        image = self._image(row)
        if image is None:
            return None
        group_id = image.group_id or image.compshare_image_id
        return Group(
            group_id=group_id,
            created_count=image.created_count,
            favorites_count=image.favorites_count,
            image_use_time=image.image_use_time,
            images=(replace(image, group_id=group_id),),
            flat=True,
        )

    def _image(self, row: Mapping[str, object]) -> Image | None:
        if _identifier(row.get("CompShareImageId")) is None:
            row = {**row, "CompShareImageId": row.get("ImageId")}
        image = _read(_IMAGE, row)
        readme = row.get("Readme")
        if image and image.compshare_image_id == self.readme_of and isinstance(readme, str):
            self.readme = clean_markdown(readme)
        return image
