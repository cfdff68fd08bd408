"""Whose turn it is to scan, among all processes on a folder."""

import os
import random
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio import to_thread

BEAT = 2.0  # seconds between two signs of life
STALL = 12.0  # seconds without one, after which whoever has the turn counts as stopped
_DISK = 2.0  # seconds after which a disk counts as stuck


class Turn:
    """A lock on a file, given back on leaving or dying. `file` is None where there can be none.

    The size of the file is a random mark of whoever has the turn. It goes back to 0 when a scan comes to an end, and
    stays when it is cut off.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._held: int | None = None
        self._left = False
        self._began = time.monotonic()
        self._marks: set[int] = set()
        self._beat: tuple[float, float] | None = None
        self.last_scan_ended = False
        """When the turn is ours: whether the scan of whoever had it before came to its end."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left = True
        if self._held is not None:
            if kind is None or issubclass(kind, Exception):
                _mark(self._held, 0)
            os.close(self._held)

    async def may_scan(self) -> bool:
        """Whether the turn is ours, or there is no use in waiting for it.

        It is of no use when whoever has it is stopped, when it went round for long without a result, or when there are
        no turns to be had here.
        """
        with anyio.move_on_after(_DISK):
            return self._file is None or await to_thread.run_sync(self._try, self._file, abandon_on_cancel=True)
        return True

    async def beat(self) -> None:
        """Show the others that we are not stopped."""
        if self._held is not None and self._file is not None:
            await to_thread.run_sync(_touch, self._file, abandon_on_cancel=True)

    def _try(self, file: Path) -> bool:
        from filelock import lock_descriptor  # noqa: PLC0415 - slow to import, and only a scan needs it

        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except (OSError, ValueError):
            return True
        try:
            if not lock_descriptor(descriptor, blocking=False):
                return self._is_vain(os.fstat(descriptor))
            if not self._left:
                self.last_scan_ended = os.fstat(descriptor).st_size == 0
                _mark(descriptor, random.randrange(1, 1000))  # noqa: S311 - to tell it from another's
                self._held = descriptor
        except OSError:
            pass  # a file system without locks
        finally:
            if self._held is None:
                os.close(descriptor)
        return True

    def _is_vain(self, status: os.stat_result) -> bool:
        """Whether we wait in vain, by our own watch: the clocks of file systems differ."""
        now = time.monotonic()
        self._marks.add(status.st_size)
        if self._beat is None or status.st_mtime != self._beat[0]:
            self._beat = status.st_mtime, now
        went_round = len(self._marks - {0}) > 1 and now - self._began >= STALL
        return went_round or now - self._beat[1] >= STALL


def _mark(descriptor: int, size: int) -> None:
    with suppress(OSError):
        os.ftruncate(descriptor, size)


def _touch(file: Path) -> None:
    with suppress(OSError):
        os.utime(file)
