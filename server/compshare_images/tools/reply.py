"""The outcome of a call, before a protocol or a terminal gives it its form."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`text` or `structure` alone is enough; a failed call has no structure. `covers` are addresses by image id."""

    text: str
    structure: dict[str, Any] | None = None
    covers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def failed(self) -> bool:
        return self.structure is None
