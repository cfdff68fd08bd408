"""Time, as a number that a test sets."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Called, it gives Unix seconds."""

    now: float = 1_790_000_000

    def __call__(self) -> float:
        return self.now
