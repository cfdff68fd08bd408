"""The filters of a search, each true to its word whatever the service would have done."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from compshare_images.catalogue.cuda import read_requirement, read_version
from compshare_images.catalogue.entry import Entry
from compshare_images.catalogue.gpus import read_card, runs_on
from compshare_images.language.text import compact, spaceless
from compshare_images.upstream.wire import Image


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """What a search asks for. None is not asked for. `max_price` is in 元 an hour."""

    compshare_image_id: str | None = None
    name: str | None = None
    author: str | None = None
    tag: str | None = None
    gpu_type: str | None = None
    max_price: float | None = None
    framework: str | None = None
    cuda_version: str | None = None
    query: str | None = None
    sort_field: str | None = None
    sort_asc: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One argument. `stated` are an image's values for it; with none, the image fails, for it does not say."""

    argument: str
    value: str
    passes: Callable[[Entry], bool]
    stated: Callable[[Entry], Iterable[str]]


def filters_of(criteria: Criteria) -> tuple[Filter, ...]:
    """The filters that were asked for.

    Raises:
        InvalidArgument: `cuda_version` is not a version.
    """
    makers: dict[str, Callable[..., Filter]] = {
        "name": _name,
        "author": _author,
        "tag": _tag,
        "gpu_type": _gpu_type,
        "max_price": _max_price,
        "framework": _framework,
        "cuda_version": _cuda_version,
    }
    asked = ((make, getattr(criteria, argument)) for argument, make in makers.items())
    return tuple(make(value) for make, value in asked if value is not None)


def _name(value: str) -> Filter:
    # A name that is nothing but punctuation is looked for as it stands.
    form = compact if compact(value) else spaceless
    wanted = form(value)
    return Filter(
        argument="name",
        value=value,
        passes=lambda entry: wanted in form(entry.name),
        stated=lambda entry: (entry.name,),
    )


def _author(value: str) -> Filter:
    return _whole("author", value, lambda entry: (entry.image.author,) if entry.image.author else ())


def _tag(value: str) -> Filter:
    return _whole("tag", value, lambda entry: entry.image.tags)


def _framework(value: str) -> Filter:
    return _whole("framework", value, lambda entry: _frameworks(entry.image))


def _whole(argument: str, value: str, stated: Callable[[Entry], Iterable[str]]) -> Filter:
    wanted = spaceless(value)
    return Filter(
        argument=argument,
        value=value,
        passes=lambda entry: any(spaceless(one) == wanted for one in stated(entry)),
        stated=stated,
    )


def _gpu_type(value: str) -> Filter:
    wanted = read_card(value)
    return Filter(
        argument="gpu_type",
        value=value,
        passes=lambda entry: runs_on(entry.image.supported_gpu_types, wanted),
        stated=lambda entry: entry.image.supported_gpu_types,
    )


def _max_price(value: float) -> Filter:
    def prices(entry: Entry) -> Iterator[str]:
        if entry.image.price is not None:
            yield f"{entry.image.price:g}"

    return Filter(
        argument="max_price",
        value=f"{value:g}",
        passes=lambda entry: entry.image.price is not None and entry.image.price <= value,
        stated=prices,
    )


def _cuda_version(value: str) -> Filter:
    meets = read_requirement(value)
    return Filter(
        argument="cuda_version",
        value=value,
        passes=lambda entry: any(meets(version) for _, version in _cuda_versions(entry.image)),
        stated=lambda entry: [text for text, _ in _cuda_versions(entry.image)],
    )


def _frameworks(image: Image) -> list[str]:
    return [software.framework for software in image.softwares if software.framework]


def _cuda_versions(image: Image) -> Iterator[tuple[str, tuple[int, ...]]]:
    for software in image.softwares:
        version = read_version(software.cuda_version or "")
        if software.cuda_version and version:
            yield software.cuda_version, version
