"""The snapshots that all of a user's processes share: files in one folder.

A file is written aside and swapped in, so a reader needs no lock and never sees half of one. What cannot be read is as
good as not there; what cannot be written costs only speed.
"""

import logging
import os
import re
import stat
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile

from anyio import to_thread

from compshare_images.catalogue.catalogue import Catalogue
from compshare_images.catalogue.snapshot import SnapshotFormat
from compshare_images.catalogue.turn import Turn
from compshare_images.place import Place
from compshare_images.settings import Settings

_KEPT = 8  # snapshots
_SEAL = 64  # bytes at the beginning, which no two snapshots share
_LARGEST = 2**28  # bytes, some hundred times a catalogue
_MINUTE = 60.0  # seconds, far more than a file takes to be written
_HOUR = 3600.0  # seconds, far more than a scan takes
_OURS = re.compile(r"images-[0-9a-f]{32}\.(?:snapshot|lock|.+\.tmp)")

logger = logging.getLogger(__name__)


class Cache:
    """`folder` None is the platform's own."""

    def __init__(self, snapshot_format: SnapshotFormat, folder: Path | None = None) -> None:
        self._format = snapshot_format
        self._given = folder
        self._seen: dict[Place, bytes] = {}
        self._complained = False

    async def load(self, place: Place, *, again: bool = False) -> Catalogue | None:
        """The catalogue that is kept; only `again` when it is one that was loaded or saved here before."""
        seen = None if again else self._seen.get(place)
        seal, catalogue = await to_thread.run_sync(self._load, place, seen, abandon_on_cancel=True)
        if seal:
            self._seen[place] = seal
        return catalogue

    async def save(self, catalogue: Catalogue) -> None:
        """Keep a catalogue, but half a one never in the place of a whole one."""
        await to_thread.run_sync(self._save, catalogue, abandon_on_cancel=True)

    def turn(self, place: Place) -> Turn:
        try:
            return Turn(self._file(place, "lock"))
        except OSError:
            return Turn(None)

    def _file(self, place: Place, kind: str) -> Path:
        return self._folder / f"images-{self._format.name(place)}.{kind}"

    @cached_property
    def _folder(self) -> Path:
        from platformdirs import user_cache_path  # noqa: PLC0415 - not before it is needed

        try:
            if self._given:
                return self._given.expanduser()
            folder = user_cache_path("compshare-images-mcp", appauthor=False)
        except RuntimeError as error:
            raise FileNotFoundError(None, "no such home folder") from error
        if not folder.is_absolute():
            raise FileNotFoundError(None, "no home folder")
        return folder

    def _load(self, place: Place, seen: bytes | None) -> tuple[bytes, Catalogue | None]:
        seal = b""
        try:
            file = self._file(place, "snapshot")
            with open(file, "rb", opener=_open_at_once) as opened:
                status = os.fstat(opened.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                    return seal, None
                with suppress(OSError):
                    os.utime(file)  # the least recently used goes first
                seal = opened.read(_SEAL)
                return seal, None if seal == seen else self._format.load(seal + opened.read(), place)
        except Exception as error:  # noqa: BLE001 - whatever stands there, it is not a snapshot
            logger.debug("no snapshot was read: %r", error)
            return seal, None

    def _save(self, catalogue: Catalogue) -> None:
        aside: Path | None = None
        try:
            data = self._format.dump(catalogue)
            file = self._file(catalogue.place, "snapshot")
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Such a file is its owner's alone.
            with NamedTemporaryFile(dir=file.parent, prefix=f"{file.stem}.", suffix=".tmp", delete=False) as opened:
                aside = Path(opened.name)
                opened.write(data)
            kept = None if catalogue.complete else self._load(catalogue.place, None)[1]
            if kept is None or not kept.complete:
                aside.replace(file)
                self._seen[catalogue.place] = data[:_SEAL]
                self._tidy(file)
        except (OSError, ValueError) as error:
            self._complain(error)
        finally:
            if aside:
                with suppress(OSError):
                    aside.unlink()

    def _tidy(self, saved: Path) -> None:
        """Remove the snapshots that were not used for longest, and what processes have left that are no more."""
        now = time.time()
        used: dict[Path, float] = {}
        for file in saved.parent.iterdir():
            if _OURS.fullmatch(file.name):
                with suppress(OSError):  # another process has removed it
                    used[file] = file.stat().st_mtime
        snapshots = [file for file in used if file.suffix == ".snapshot" and file != saved]
        snapshots.sort(key=lambda file: used[file], reverse=True)
        kept = {file.stem for file in [saved, *snapshots[: _KEPT - 1]]}
        surplus = set(snapshots[_KEPT - 1 :])
        for file, last in used.items():
            limit = _MINUTE if file.suffix == ".tmp" else _HOUR
            if file in surplus or (file.stem not in kept and now - last > limit):
                with suppress(OSError):
                    file.unlink()

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
    """Neither through a link, nor waiting for a pipe, should one stand where a file belongs."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
