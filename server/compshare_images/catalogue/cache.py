"""The snapshots that all of a user's processes share: a folder of files, and whose turn it is to scan.

A file is written aside and swapped in, so a reader needs no lock and never sees half of one. What cannot be read is as
good as not there; what cannot be written costs only speed.
"""

import logging
import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Self

from anyio import to_thread

from compshare_images.catalogue.catalogue import Catalogue
from compshare_images.catalogue.snapshot import SnapshotFormat, fetched_at
from compshare_images.place import Place
from compshare_images.settings import Settings

STALL = 12.0  # seconds without a page, after which a scan of another process counts as stuck
_KEPT = 8  # snapshots
_BEGINNING = 512  # bytes; they hold the header
_LARGEST = 2**30  # bytes, some thousand times a catalogue
_OURS = re.compile(r"images-([0-9a-f]{32})\.(?:snapshot|lock|.*\.tmp)")

logger = logging.getLogger(__name__)


class Turn:
    """The turn to scan one place, which one process has at a time. Leaving gives it back, and so does dying."""

    def __init__(self, cache: "Cache", place: Place) -> None:
        self._cache = cache
        self._place = place
        self._held: int | None = None
        self._seen: tuple[float, float] = (0.0, 0.0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            os.close(self._held)

    async def take(self) -> bool:
        """Whether to go ahead: the turn is ours, the one who has it is stuck, or turns cannot be taken here."""
        try:
            return await to_thread.run_sync(self._take)
        except (OSError, ValueError):
            return True

    def beat(self) -> None:
        """Show the others that the scan is getting on."""
        if self._held is not None:
            with suppress(OSError):
                os.utime(self._cache.file(self._place, "lock"))

    def _take(self) -> bool:
        from filelock import lock_descriptor  # noqa: PLC0415 - slow to import, and only a scan needs it

        self._cache.make_folder()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._cache.file(self._place, "lock"), flags, 0o600)
        try:
            if lock_descriptor(descriptor, blocking=False):
                self._held = descriptor
                self._cache.sweep(self._place)
                return True
            beat = os.fstat(descriptor).st_mtime
        finally:
            if self._held is None:
                os.close(descriptor)
        if beat != self._seen[0]:
            self._seen = beat, time.monotonic()
        return time.monotonic() - self._seen[1] >= STALL


class Cache:
    """`folder` None is the platform's own."""

    def __init__(self, snapshot_format: SnapshotFormat, folder: Path | None = None) -> None:
        self._format = snapshot_format
        self._given = folder
        self._complained = False

    async def load(self, place: Place, *, unless: float | None = None) -> Catalogue | None:
        """The catalogue that is kept, if any, and it is not the one that was fetched at `unless`."""
        return await to_thread.run_sync(self._load, place, unless)

    async def save(self, catalogue: Catalogue) -> None:
        await to_thread.run_sync(self._save, catalogue)

    def turn(self, place: Place) -> Turn:
        return Turn(self, place)

    def file(self, place: Place, kind: str) -> Path:
        return self._folder / f"images-{self._format.name(place)}.{kind}"

    def make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def sweep(self, place: Place) -> None:
        """Remove what a process that was killed while it wrote has left; for whoever has the turn."""
        _remove(self._folder.glob(f"{self.file(place, '*.tmp').name}"))

    @cached_property
    def _folder(self) -> Path:
        if self._given is not None:
            return self._given
        from platformdirs import user_cache_path  # noqa: PLC0415 - not before it is needed

        folder = user_cache_path("compshare-images-mcp", appauthor=False)
        if not folder.is_absolute():
            raise FileNotFoundError(None, "there is no home folder")
        return folder

    def _load(self, place: Place, unless: float | None) -> Catalogue | None:
        try:
            file = self.file(place, "snapshot")
            with open(file, "rb", opener=_open_at_once) as opened:
                beginning = opened.read(_BEGINNING)
                if unless is not None and fetched_at(beginning) == unless:
                    return None
                data = beginning + opened.read(_LARGEST)
            with suppress(OSError):
                os.utime(file)  # the least recently used goes first
        except (OSError, ValueError) as error:
            logger.debug("no snapshot was read: %s", error)
            return None
        return self._format.load(data, place)

    def _save(self, catalogue: Catalogue) -> None:
        aside: Path | None = None
        try:
            self.make_folder()
            file = self.file(catalogue.place, "snapshot")
            # Such a file is its owner's alone.
            with NamedTemporaryFile(dir=file.parent, prefix=f"{file.stem}.", suffix=".tmp", delete=False) as opened:
                aside = Path(opened.name)
                opened.write(self._format.dump(catalogue))
            aside.replace(file)
            self._remove_least_used()
        except (OSError, ValueError) as error:
            if aside:
                _remove([aside])
            self._complain(error)

    def _remove_least_used(self) -> None:
        used: dict[str, float] = {}
        files = {file: found[1] for file in self._folder.iterdir() if (found := _OURS.fullmatch(file.name))}
        for file, name in files.items():
            with suppress(OSError):  # another process has removed it
                used[name] = max(used.get(name, 0.0), file.stat().st_mtime)
        spared = sorted(used, key=lambda name: used[name], reverse=True)[:_KEPT]
        _remove(file for file, name in files.items() if name not in spared)

    def _complain(self, error: Exception) -> None:
        if self._complained:
            return
        self._complained = True
        reason = error.strerror if isinstance(error, OSError) else error
        logger.warning(
            "The catalogue cannot be kept on disk (%s), so each process reads it from CompShare anew; "
            "let COMPSHARE_CACHE_DIR name a folder that can be written.",
            reason,
        )


def open_cache(settings: Settings) -> Cache | None:
    """None when there is nothing to keep: the sandbox is quick by itself, and without keys nothing is read."""
    if settings.sandbox or settings.problems or settings.keys is None:
        return None
    return Cache(SnapshotFormat(settings.keys, settings.base_url), settings.cache_dir)


def _open_at_once(path: str, flags: int) -> int:
    """Without waiting, should a pipe stand where a file belongs."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        with suppress(OSError):
            file.unlink()
