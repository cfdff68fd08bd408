"""A catalogue as bytes that only a holder of the same keys can have written."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypedDict, cast

from compshare_images import __version__
from compshare_images.catalogue.catalogue import Catalogue
from compshare_images.place import Place
from compshare_images.settings import KeyPair
from compshare_images.upstream.wire import Group, Image, Owner, Software, SoftwarePort

_RECORDS = (Group, Image, Software, SoftwarePort, Owner)
_DEFAULTS = {record: {field.name: field.default for field in fields(record)} for record in _RECORDS}


class Header(TypedDict):
    """`name` says whose it is, and of which format: another's is not taken for one's own."""

    name: str
    fetched_at: float
    complete: bool
    dropped: int


_FORMAT = hashlib.sha256(
    json.dumps(
        [__version__, list(Header.__annotations__), *(list(record.items()) for record in _DEFAULTS.values())],
        default=lambda _: "required",
    ).encode()
).hexdigest()[:16]
"""Another release, or other fields, make another format: what it holds was cleaned by other rules."""


@dataclass(frozen=True, slots=True)
class SnapshotFormat:
    """The snapshots of one key pair at one base URL.

    Three lines each: a seal (HMAC-SHA-256 with the private key of all that follows), a header, the groups. The seal is
    why what was read needs no second validation.
    """

    keys: KeyPair
    base_url: str

    def name(self, place: Place) -> str:
        """What tells the snapshots of one user apart, in 32 hexadecimal digits. It gives nothing of the keys away."""
        return self._seal(json.dumps([_FORMAT, self.base_url.rstrip("/"), self.keys.public, *place]).encode())[:32]

    def dump(self, catalogue: Catalogue) -> bytes:
        header = Header(
            name=self.name(catalogue.place),
            fetched_at=catalogue.fetched_at,
            complete=catalogue.complete,
            dropped=catalogue.dropped,
        )
        content = b"%s\n%s" % (_json(header), _json([_plain(group) for group in catalogue.all_groups]))
        return b"%s\n%s" % (self._seal(content).encode(), content)

    def load(self, data: bytes, place: Place) -> Catalogue | None:
        """The catalogue of that place; None when the bytes are anything else, or not whole."""
        seal, _, content = data.partition(b"\n")
        if not hmac.compare_digest(seal, self._seal(content).encode()):
            return None
        head, _, groups = content.partition(b"\n")
        header: Header = json.loads(head)
        if header["name"] != self.name(place):
            return None
        return Catalogue(
            place=place,
            fetched_at=header["fetched_at"],
            complete=header["complete"],
            dropped=header["dropped"],
            all_groups=tuple(_group(group) for group in json.loads(groups)),
        )

    def _seal(self, content: bytes) -> str:
        return hmac.new(self.keys.private.get_secret_value().encode(), content, hashlib.sha256).hexdigest()


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(record: object) -> dict[str, object]:
    return dict(_stated(record))


def _stated(record: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - a record of any kind
    """The fields that say something."""
    for name, default in _DEFAULTS[type(record)].items():
        value = getattr(record, name)
        if default is MISSING or value != default:
            yield name, _value(value)


def _value(value: object) -> object:
    if isinstance(value, tuple):
        return [_value(item) for item in cast("tuple[object, ...]", value)]
    return _plain(value) if isinstance(value, _RECORDS) else value


def _group(given: dict[str, Any]) -> Group:
    return Group(**_read(given, images=_each(_image)))


def _image(given: dict[str, Any]) -> Image:
    return Image(
        **_read(
            given,
            tags=tuple,
            supported_gpu_types=tuple,
            firewall_ports=tuple,
            softwares=_each(lambda software: Software(**_read(software, applications=tuple))),
            software_ports=_each(lambda port: SoftwarePort(**port)),
            owner=lambda owner: Owner(**owner),
        )
    )


def _each(read: Callable[[dict[str, Any]], object]) -> Callable[[Any], object]:
    return lambda items: tuple(read(item) for item in items)


def _read(given: dict[str, Any], **readers: Callable[[Any], object]) -> dict[str, Any]:
    return given | {name: read(given[name]) for name, read in readers.items() if name in given}
