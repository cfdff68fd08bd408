"""Whose turn it is to scan, among all processes on a folder."""

import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from anyio import to_thread

STALL = 12.0  # seconds without a beat, after which the process that has the turn counts as stopped
BEAT = 2.0  # seconds between beats
_MARK = b"."


class Turn:
    """A lock on a file, given back on leaving or dying. `file` is None where there can be none.

    While somebody has the turn the file holds a mark, which stays when the scan was cut off.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._held: int | None = None
        self._seen: tuple[float, float] | None = None
        self.handed_over = False
        """Whether it is ours, and the scan of whoever had it last came to an end."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go(ended=kind is None or issubclass(kind, Exception))

    async def may_scan(self) -> bool:
        """Whether the turn is ours now, or not worth waiting for: its holder is stopped, or there are no turns here."""
        return self._file is None or await to_thread.run_sync(self._try, self._file)

    def beat(self) -> None:
        """Show the others that we are not stopped."""
        if self._held is not None and self._file is not None:
            with suppress(OSError):
                os.utime(self._file)

    def give_back(self) -> None:
        self._let_go(ended=True)

    def _let_go(self, *, ended: bool) -> None:
        if self._held is not None:
            with suppress(OSError):
                os.ftruncate(self._held, 0 if ended else len(_MARK))
            os.close(self._held)
            self._held = None

    def _try(self, file: Path) -> bool:
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except (OSError, ValueError):
            return True
        try:
            if self._lock(descriptor):
                self._held = descriptor
                return True
            return self._stopped(os.fstat(descriptor).st_mtime)
        except OSError:
            return True  # a file system without locks
        finally:
            if self._held is None:
                os.close(descriptor)

    def _lock(self, descriptor: int) -> bool:
        from filelock import lock_descriptor  # noqa: PLC0415 - slow to import, and only a scan needs it

        if not lock_descriptor(descriptor, blocking=False):
            return False
        self.handed_over = os.fstat(descriptor).st_size == 0
        os.write(descriptor, _MARK)
        return True

    def _stopped(self, beat: float) -> bool:
        """Whether no beat came for long, by our own watch: clocks of file systems differ."""
        if self._seen is None or beat != self._seen[0]:
            self._seen = beat, time.monotonic()
        return time.monotonic() - self._seen[1] >= STALL
