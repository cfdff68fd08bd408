"""Facts of an image in the units and words of an answer."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from compshare_images.catalogue.keeper import Served
from compshare_images.place import Place
from compshare_images.tools.results import CatalogueState
from compshare_images.upstream.wire import Image

_WORD = re.compile(r"[\w.+#&/'-]+")

SANDBOX_LINE = "SANDBOX: sample data; these ids do not exist on CompShare."


def size_gb(image: Image) -> int | None:
    """The least system disk, in GB."""
    return None if image.size is None else -(-image.size // 1024)


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(image: Image) -> str | None:
    return moment(image.pub_time)[:10] if image.pub_time else None


def framework(image: Image) -> str | None:
    return _joined(software.framework for software in image.softwares)


def cuda_version(image: Image) -> str | None:
    return _joined(software.cuda_version for software in image.softwares)


def _joined(values: Iterable[str | None]) -> str | None:
    return ", ".join(dict.fromkeys(filter(None, values))) or None


def state_of(served: Served | None, place: Place, default: Place, *, sandbox: bool) -> CatalogueState:
    """What an answer says of the catalogue behind it; `served` is None when there is none."""
    catalogue = served.catalogue if served else None
    return CatalogueState(
        image_count=len(catalogue.groups) if catalogue else 0,
        fetched_at=moment(catalogue.fetched_at) if catalogue else None,
        source="sandbox" if sandbox else "live",
        stale=served.stale if served else False,
        complete=catalogue.complete if catalogue else False,
        dropped=(catalogue.dropped if catalogue else 0) or None,
        region=place.region if place.region != default.region else None,
        zone=place.zone if place.zone != default.zone else None,
    )


def state_line(state: CatalogueState) -> str:
    """The same for the text form."""
    if state.fetched_at is None:
        return " · ".join(filter(None, [f"{state.source} catalogue not read yet", _where(state)]))
    parts = [
        f"{state.source} catalogue of {state.image_count}, {state.fetched_at}",
        _where(state),
        "stale" if state.stale else None,
        None if state.complete else "incomplete",
        f"{state.dropped} unreadable rows left out" if state.dropped else None,
    ]
    return " · ".join(filter(None, parts))


def _where(state: CatalogueState) -> str | None:
    named = " ".join(filter(None, [state.region, state.zone]))
    return f"in {named}" if named else None


def fee(price: float) -> str:
    return f"+¥{price:.4f}".rstrip("0").rstrip(".") + "/h"


def quoted(text: str) -> str:
    """A stranger's words between marks that they cannot close."""
    return f"“{text.replace('“', '‘').replace('”', '’')}”"


def word(text: str) -> str:
    """A stranger's word, bare if it is no more than a word, for then it cannot pass for anything of ours."""
    return text if _WORD.fullmatch(text) else quoted(text)
