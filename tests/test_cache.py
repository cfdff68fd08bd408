"""The folder of snapshots: where it is, what becomes of it when nothing can be written there, and what goes first."""

import errno
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import anyio
import pytest

from compshare_images.tools.session import Session
from computer import PAGES, SECONDS, Computer
from machine import Machine, catalogue_of

pytestmark = pytest.mark.anyio

DAY = 24 * 3600


# What cannot be written.


def raising(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_folder_that_cannot_be_made_is_said_once_and_costs_only_speed(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.folder.touch()
    session = await machine.start(COMPSHARE_CACHE_DIR=str(machine.folder / "cache"), COMPSHARE_CATALOGUE_TTL="0")
    for asked in (1, 2, 3):
        assert (await catalogue_of(session))["stale"] is False
        assert machine.asked == asked
    (said,) = warnings_in(caplog)
    assert "COMPSHARE_CACHE_DIR" in said
    assert str(machine.folder) not in said


STEPS = [
    "pathlib.Path.mkdir",
    "compshare_images.catalogue.cache.NamedTemporaryFile",
    "compshare_images.catalogue.snapshot.SnapshotFormat.dump",
    "pathlib.Path.replace",
]


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
@pytest.mark.parametrize("step", STEPS)
async def test_a_write_that_fails_is_said_once_and_leaves_nothing(
    machine: Machine, caplog: pytest.LogCaptureFixture, step: str, number: int
) -> None:
    session = await machine.start(COMPSHARE_CATALOGUE_TTL="0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, raising(number))
        for _ in range(2):
            assert (await catalogue_of(session))["complete"] is True
    assert [os.strerror(number) in said for said in warnings_in(caplog)] == [True]
    assert machine.kinds <= {".lock"}
    await catalogue_of(session)
    assert machine.kinds == {".lock", ".snapshot"}


async def test_a_snapshot_that_can_only_be_read_is_read(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    await machine.find()
    with pytest.MonkeyPatch.context() as patch:
        for step in ("os.utime", "os.mkdir", "os.unlink", "os.replace"):
            patch.setattr(step, raising(errno.EROFS))
        await machine.find()
    assert machine.asked == 1
    assert not warnings_in(caplog)


async def test_where_no_turns_can_be_taken_everybody_reads(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filelock.lock_descriptor", raising(errno.ENOLCK))
    for _ in range(2):
        assert (await machine.find())["catalogue"]["complete"] is True
    assert machine.asked == 1


async def test_a_disk_that_hangs_costs_only_speed(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    await computer.look()
    monkeypatch.setattr("compshare_images.catalogue.keeper._DISK", 0.01)
    gate = Event()

    def hang(*_: object) -> None:
        gate.wait(2 * SECONDS)

    session, another = await computer.start(), await computer.start()
    for step in ("load", "dump"):
        monkeypatch.setattr(f"compshare_images.catalogue.snapshot.SnapshotFormat.{step}", hang)
    async with anyio.create_task_group() as group:
        for asker in [session] * 5 + [another] * 5:
            group.start_soon(catalogue_of, asker)
    gate.set()
    assert computer.asked <= 3 * PAGES


async def test_a_turn_that_cannot_be_taken_for_a_hanging_disk_is_done_without(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Event()

    def hang(*_: object, **__: object) -> bool:
        gate.wait(2 * SECONDS)
        return True

    monkeypatch.setattr("compshare_images.catalogue.turn._DISK", 0.01)
    monkeypatch.setattr("filelock.lock_descriptor", hang)
    assert (await computer.look())["complete"] is True
    gate.set()


# Where it is.


async def test_a_tilde_in_the_setting_is_the_home_folder(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(machine.folder))
    await machine.find(COMPSHARE_CACHE_DIR="~/kept here")
    assert len(list((machine.folder / "kept here").glob("*.snapshot"))) == 1


@pytest.mark.parametrize("unset", ["", "${COMPSHARE_CACHE_DIR}"])
async def test_unset_it_is_the_platform_s_own(machine: Machine, tmp_path: Path, unset: str) -> None:
    for _ in range(2):
        await machine.find(COMPSHARE_CACHE_DIR=unset)
    assert len(list((tmp_path / "compshare-images-mcp").glob("*.snapshot"))) == 1
    assert machine.asked == 1


@pytest.mark.parametrize("setting", ["~nobody-of-this-name/x", ""])
async def test_without_a_home_folder_nothing_is_kept_and_everything_answered(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, setting: str
) -> None:
    def nowhere(*_: object, **__: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_cache_path", nowhere)
    for asked in (1, 2):
        assert (await machine.find(COMPSHARE_CACHE_DIR=setting))["catalogue"]["complete"] is True
        assert machine.asked == asked
    assert ["home folder" in said for said in warnings_in(caplog)] == [True, True]


@pytest.mark.parametrize("given", [{"COMPSHARE_SANDBOX": "1"}, {"COMPSHARE_PRIVATE_KEY": ""}])
async def test_the_sandbox_and_a_process_without_keys_keep_nothing(machine: Machine, given: dict[str, str]) -> None:
    session = await machine.start(XDG_CONFIG_HOME=os.devnull, **given)
    reply = await session.search_community_images({})
    assert reply.failed is ("COMPSHARE_SANDBOX" not in given)
    assert machine.kinds == set()


# What goes first.

ORDER = [5, 2, 7, 0, 3, 6, 1, 4]  # of the last use


async def kept(machine: Machine, session: Session, project: object) -> set[Path]:
    before = machine.files()
    await catalogue_of(session, project_id=f"org-{project}")
    return machine.files() - before


@pytest.fixture
async def eight(machine: Machine) -> list[set[Path]]:
    """The files of eight places, last used in that order, and long ago."""
    session = await machine.start()
    files = [await kept(machine, session, number) for number in range(8)]
    for number, place in enumerate(files):
        for file in place:
            os.utime(file, (ORDER.index(number), ORDER.index(number)))
    return files


def whole(files: list[set[Path]]) -> list[int]:
    assert all(len({file.exists() for file in place}) == 1 for place in files)
    return [number for number, place in enumerate(files) if all(file.exists() for file in place)]


async def test_the_eight_snapshots_that_were_used_last_are_kept(machine: Machine, eight: list[set[Path]]) -> None:
    session = await machine.start()
    for gone_by_then in (1, 2):
        new = await kept(machine, session, f"new-{gone_by_then}")
        assert {file.suffix for file in new} == {".lock", ".snapshot"}
        assert whole(eight) == sorted(ORDER[gone_by_then:])
    assert len(machine.files("snapshot")) == 8


async def test_reading_a_snapshot_is_a_use_of_it(machine: Machine, eight: list[set[Path]]) -> None:
    session = await machine.start()
    await catalogue_of(session, project_id=f"org-{ORDER[0]}")
    await kept(machine, session, "new")
    assert whole(eight) == sorted({*ORDER} - {ORDER[1]})


async def test_files_from_the_future_do_not_push_out_what_is_saved_now(
    machine: Machine, eight: list[set[Path]]
) -> None:
    for place in eight:
        for file in place:
            os.utime(file, (2**32, 2**32))
    new = await kept(machine, await machine.start(), "new")
    assert {file.suffix for file in new if file.exists()} == {".lock", ".snapshot"}
    assert len(machine.files("snapshot")) == 8


async def test_a_process_finds_again_on_disk_what_it_had_no_room_to_remember(
    machine: Machine, eight: list[set[Path]]
) -> None:
    session = await machine.start()
    for number in range(8):
        await catalogue_of(session, project_id=f"org-{number}")
    first = next(file for file in eight[0] if file.suffix == ".snapshot")
    os.utime(first, (2**32, 2**32))  # another process uses it
    await kept(machine, session, "new")
    asked = machine.asked
    machine.go()
    assert (await catalogue_of(session, project_id="org-0"))["complete"] is True
    assert machine.asked == asked


async def test_a_place_that_was_never_read_takes_no_snapshot_s_place(machine: Machine, eight: list[set[Path]]) -> None:
    answer = machine.answer
    machine.go({"RetCode": 230, "Message": "Params [Zone] not available"})
    session = await machine.start()
    for number in range(8):
        assert (await session.search_community_images({"zone": f"wrong-{number}"})).failed
    machine.answer = answer
    machine.clock.now += DAY
    await catalogue_of(session, project_id="org-0")
    assert [number for number, place in enumerate(eight) if place & machine.files("snapshot")] == list(range(8))


async def test_what_is_not_ours_in_the_folder_is_left_alone(machine: Machine, eight: list[set[Path]]) -> None:
    name = next(iter(eight[0])).name.partition(".")[0]
    names = ["notes.txt", "images-1.snapshot", f"{name}.snapshot.bak", f"{name}0.lock", f"x{name}.lock", "a.tmp"]
    files = [machine.folder / other for other in names]
    for file in files:
        file.touch()
        os.utime(file, (0, 0))
    session = await machine.start()
    for number in range(8, 17):
        await kept(machine, session, number)
    assert whole(eight) == []
    assert [file.name for file in files if not file.exists()] == []


@pytest.mark.parametrize("left", ["{ours}.x1.tmp", "{other}.x1.tmp", "{other}.lock"])
async def test_what_processes_have_left_that_are_no_more_goes_with_the_next_saving(machine: Machine, left: str) -> None:
    session = await machine.start(COMPSHARE_CATALOGUE_TTL="0")
    await catalogue_of(session)
    file = machine.folder / left.format(ours=machine.file().stem, other=f"images-{'0' * 32}")
    file.touch()
    await catalogue_of(session)
    assert file.exists()
    then = time.time() - 60 * (2 if file.suffix == ".tmp" else 61)
    os.utime(file, (then, then))
    await catalogue_of(session)
    assert not file.exists()
