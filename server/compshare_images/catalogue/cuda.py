"""CUDA versions, stated and asked for."""

import re
from collections.abc import Callable

from compshare_images.errors import InvalidArgument
from compshare_images.language.text import folded

_ASKED = re.compile(r"(>=)?(?:cuda|v)?((?:\d{1,4}\.){0,3}\d{1,4})(?:\.[x*])?")
_STATED = re.compile(r"(?:\d{1,4}\.){0,3}\d{1,4}")
_WHEEL = re.compile(r"cu(\d{2})(\d)(?!\d)")  # cu128, as in the names of PyTorch builds

Version = tuple[int, ...]


def read_version(text: str) -> Version | None:
    """The version in an author's words (`12.8`, `CUDA 12.8.1`, `cu128`), or None."""
    text = folded(text)
    wheel = _WHEEL.search(text)
    if wheel:
        return int(wheel[1]), int(wheel[2])
    number = _STATED.search(text)
    return _parts(number[0]) if number else None


def read_requirement(text: str) -> Callable[[Version], bool]:
    """`12.4` asks for that version and its patches, `12` for any 12.x, `>=12.8` for that or newer.

    Raises:
        InvalidArgument: anything else.
    """
    asked = _ASKED.fullmatch("".join(folded(text).replace("≥", ">=").split()))
    if not asked:
        raise InvalidArgument(
            "cuda_version: use a version such as 12.4, a series such as 12, or a minimum such as >=12.8, "
            "e.g. cuda_version=12.4."
        )
    wanted = _parts(asked[2])
    if asked[1]:
        return lambda version: version + (0,) * (len(wanted) - len(version)) >= wanted
    return lambda version: version[: len(wanted)] == wanted


def _parts(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))
