"""The service's request signature: https://docs.ucloud.cn/api/summary/signature."""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast


def encode(parameters: Mapping[str, object]) -> dict[str, str]:
    """Flatten to dotted keys and strings, which are then both signed and sent; None is left out.

    Raises:
        TypeError: a value of a type that the service has no form for.
    """
    encoded: dict[str, str] = {}
    for key, value in parameters.items():
        encoded.update(_encode(key, value))
    return encoded


def _encode(key: str, value: object) -> dict[str, str]:
    match value:
        case None:
            return {}
        case bool():
            return {key: "true" if value else "false"}
        case str():
            return {key: value}
        case int():
            return {key: str(value)}
        case float():
            return {key: _decimal(value)}
        case Mapping():
            named = cast("Mapping[str, object]", value)
            return encode({f"{key}.{name}": item for name, item in named.items()})
        case list() | tuple():
            items = cast("Sequence[object]", value)
            return encode({f"{key}.{index}": item for index, item in enumerate(items)})
        case _:
            raise TypeError(f"no form for a parameter of type {type(value).__name__}")


def _decimal(value: float) -> str:
    """No exponent, no trailing `.0`: 42.0 is `42`, 1e-07 is `0.0000001`."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def sign(encoded: Mapping[str, str], private_key: str) -> str:
    """The SHA-1, in lower-case hex, that belongs in `Signature`."""
    ordered = sorted(encoded.items(), key=lambda item: item[0].encode())
    text = "".join(key + value for key, value in ordered) + private_key
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
