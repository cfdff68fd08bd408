"""What a user's processes share on disk, and what is left when one of them, the disk or the service fails."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest

from compshare_images.sandbox.service import PRIVATE_KEY, PUBLIC_KEY, Sandbox
from loopback import Form, Loopback, Response, loopback, sandboxed
from oracle import Row
from processes import (
    COMMAND,
    INITIALIZE,
    INITIALIZED,
    SEARCH,
    SECONDS,
    Process,
    close_input,
    environment,
    message,
    receive,
    running,
    send,
    terminate,
)
from worlds import ids_of, lone, rows

PAGES = 2  # of the sandbox's sample data
LIVE = rows(*map(lone, range(835)))  # as long as the live list: nine pages
ABOUT_ONCE = 11  # requests for those
SAMPLES = Sandbox()
GROUP = next(group for group in SAMPLES.groups if len(group["Data"]) > 2)
NEWEST, *OLDER = [image["CompShareImageId"] for image in GROUP["Data"]]
OPEN = message("tools/call", 3, name="get_image_detail", arguments={"compshare_image_id": NEWEST})
STALE = {"COMPSHARE_CATALOGUE_TTL": "0.001"}
DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000));"
FULL_DISK = [sys.executable, "-c", f"{DISK} import os, sys; os.execv(sys.argv[1], sys.argv[1:])", COMMAND]
DEADLY = (
    "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL); resource.setrlimit(resource.RLIMIT_CORE, (0, 0));"
)
MAIN = "from compshare_images.cli import main; raise SystemExit(main())"
PATIENCE = "from compshare_images.catalogue import keeper; keeper.PATIENCE = 0.05;"
IMPATIENT = [sys.executable, "-c", f"{PATIENCE} {MAIN}", "search", "--limit", "1"]
DEADLY_DISK = [sys.executable, "-B", "-c", f"from compshare_images import cli; {DISK} {DEADLY} cli.main()"]


@dataclass(frozen=True)
class Kept:
    """A service whose list a process has read, the snapshot of it, and what that process answered."""

    service: Loopback
    file: Path
    result: Row


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Generator[Kept]:
    with loopback(sandboxed(SAMPLES)) as service:
        result = printed(service)
        (file,) = service.cache.glob("*.snapshot")
        yield Kept(service, Path(shutil.copy(file, tmp_path_factory.mktemp("kept"))), result)


@pytest.fixture
def kept(read_once: Kept) -> Kept:
    service = read_once.service
    shutil.rmtree(service.cache)
    service.cache.mkdir()
    service.answer = sandboxed(SAMPLES)
    service.forms.clear()
    return Kept(service, Path(shutil.copy(read_once.file, service.cache)), read_once.result)


def command(service: Loopback, *arguments: str, **settings: str) -> AbstractContextManager[Process]:
    arguments = arguments or ("search", "--limit", "1")
    return running(*arguments, "--json", **{**service.settings, **settings})


def printed_by(process: Process) -> Row:
    output, complaints = process.communicate(timeout=SECONDS)
    assert complaints == b""
    return json.loads(output)


def printed(service: Loopback, *arguments: str, **settings: str) -> Row:
    with command(service, *arguments, **settings) as process:
        return printed_by(process)


def begin_search(*servers: Process) -> None:
    for server in servers:
        send(server, INITIALIZE, INITIALIZED, SEARCH)
        assert receive(server)["id"] == 1


def begin_to_wait(*servers: Process) -> None:
    """Begin a search, and go on when it cannot but have come to its wait: an image was asked for after it, and came."""
    begin_search(*servers)
    for server in servers:
        send(server, OPEN)
        assert receive(server)["id"] == 3


def found(server: Process) -> Row:
    reply = receive(server)
    assert reply["id"] == 2
    return reply["result"]["structuredContent"]


def let_time_pass() -> None:
    """As much as another process takes from its start to its end."""
    with running("search", "--sandbox") as process:
        process.communicate(timeout=SECONDS)


def kill(process: Process) -> None:
    process.kill()


def left_in(folder: Path) -> list[str]:
    return sorted(file.suffix for file in folder.iterdir())


def without_time(result: Row) -> Row:
    return {**result, "catalogue": {**result["catalogue"], "fetched_at": None}}


@contextmanager
def scan_held(service: Loopback) -> Generator[Event]:
    """Every page but the first comes only at the end of the block. The event says that one was asked for."""
    answer, asked, gate = service.answer, Event(), Event()

    def hold(form: Form) -> Response:
        if form.get("Offset", "0") != "0":
            asked.set()
            gate.wait(SECONDS)
        return answer(form)

    service.answer = hold
    try:
        yield asked
    finally:
        service.answer = answer
        gate.set()


# One list for all.


def test_what_one_process_has_read_no_other_asks_for(service: Loopback) -> None:
    with running(**service.settings) as server, running(**service.settings) as another:
        begin_search(server)
        first = found(server)
        begin_search(another)
        assert found(another) == first
    assert printed(service) == first
    assert first["catalogue"]["complete"] is True
    assert len(service.forms) == PAGES


def test_after_a_search_an_opened_image_shows_the_other_versions_of_its_group(service: Loopback) -> None:
    printed(service)
    shown = printed(service, "show", OLDER[-1])
    assert ids_of(shown["versions"]) == [NEWEST, *OLDER]
    assert len(service.forms) == PAGES + 1


def test_eight_servers_that_search_at_once_read_the_list_about_once(service: Loopback) -> None:
    service.answer = LIVE
    with ExitStack() as stack:
        servers = [stack.enter_context(running(**service.settings)) for _ in range(8)]
        with scan_held(service):
            begin_search(*servers)
        catalogues = [found(server)["catalogue"] for server in servers]
    assert [one["complete"] for one in catalogues] == [True] * 8
    assert len(service.forms) <= ABOUT_ONCE


def test_eight_commands_that_search_at_once_read_the_list_about_once(service: Loopback) -> None:
    service.answer = LIVE
    with ExitStack() as stack:
        with scan_held(service) as asked:
            commands = [stack.enter_context(command(service)) for _ in range(8)]
            assert asked.wait(SECONDS)
            let_time_pass()
        catalogues = [printed_by(process)["catalogue"] for process in commands]
    assert [one["complete"] for one in catalogues] == [True] * 8
    assert len(service.forms) <= ABOUT_ONCE


# A process that ends too early.


def test_servers_that_end_in_mid_scan_leave_nothing_behind_and_the_one_that_waits_takes_over(service: Loopback) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(running(**service.settings)) for _ in range(3)]
        with scan_held(service) as asked:
            begin_search(servers[0])
            for end, (scanning, waiting) in zip((kill, terminate), pairwise(servers), strict=True):
                assert asked.wait(SECONDS)
                asked.clear()
                begin_to_wait(waiting)
                end(scanning)
                scanning.wait(SECONDS)
                assert left_in(service.cache) == [".lock"]
        assert found(servers[-1])["catalogue"]["complete"] is True
    assert len(service.forms) == 3 * PAGES + 2


def test_of_several_that_wait_for_a_server_that_is_closed_in_mid_scan_one_takes_over(service: Loopback) -> None:
    with ExitStack() as stack:
        scanning, *waiting = [stack.enter_context(running(**service.settings)) for _ in range(3)]
        with scan_held(service) as asked:
            begin_search(scanning)
            assert asked.wait(SECONDS)
            asked.clear()
            begin_to_wait(*waiting)
            close_input(scanning)
            scanning.wait(SECONDS)
            assert left_in(service.cache) == [".lock"]
            assert asked.wait(SECONDS)
            let_time_pass()
        assert [found(server)["catalogue"]["complete"] for server in waiting] == [True, True]
    assert len(service.forms) == 2 * PAGES + 2


def test_a_server_that_is_killed_in_mid_refresh_leaves_the_old_snapshot(kept: Kept) -> None:
    with running(**kept.service.settings, **STALE) as server, scan_held(kept.service) as asked:
        begin_search(server)
        assert found(server)["catalogue"]["stale"] is True
        assert asked.wait(SECONDS)
        server.kill()
        server.wait(SECONDS)
        assert printed(kept.service) == kept.result
    assert len(kept.service.forms) == PAGES


def test_what_a_process_has_left_that_died_while_it_wrote_is_swept_away_in_time(service: Loopback) -> None:
    with running("search", program=DEADLY_DISK, **service.settings) as process:
        process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGXFSZ
    assert left_in(service.cache) == [".lock", ".tmp"]
    (aside,) = service.cache.glob("*.tmp")
    some_minutes_ago = time.time() - 300
    os.utime(aside, (some_minutes_ago, some_minutes_ago))
    assert printed(service)["catalogue"]["complete"] is True
    assert left_in(service.cache) == [".lock", ".snapshot"]


# A cache that cannot be written.


def complaints_of_two_calls(kept: Kept, program: Sequence[str] = (COMMAND,), **settings: str) -> list[bytes]:
    """What a server writes to standard error. Each of the calls makes it read the list, and both are answered right."""
    settings = {**kept.service.settings, "COMPSHARE_CATALOGUE_TTL": "0", **settings}
    with running(program=program, **settings) as server:
        begin_search(server)
        results = [found(server)]
        send(server, SEARCH)
        results.append(found(server))
        _, complaints = server.communicate(timeout=SECONDS)
    assert [without_time(result) for result in results] == [without_time(kept.result)] * 2
    assert len(kept.service.forms) == 2 * PAGES
    return complaints.splitlines()


def test_a_folder_that_cannot_be_made_costs_one_warning(kept: Kept) -> None:
    (warning,) = complaints_of_two_calls(kept, COMPSHARE_CACHE_DIR=str(kept.file / "folder"))
    assert b"COMPSHARE_CACHE_DIR" in warning


def test_a_folder_in_the_place_of_a_snapshot_costs_one_warning(kept: Kept) -> None:
    kept.file.unlink()
    kept.file.mkdir()
    assert len(complaints_of_two_calls(kept)) == 1
    assert left_in(kept.service.cache) == [".lock", ".snapshot"]


def test_a_full_disk_costs_one_warning_and_the_old_snapshot_stays(kept: Kept) -> None:
    before = kept.file.read_bytes()
    assert len(complaints_of_two_calls(kept, FULL_DISK)) == 1
    assert left_in(kept.service.cache) == [".lock", ".snapshot"]
    assert kept.file.read_bytes() == before


# A snapshot that is not to be believed.


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def edited(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"ComfyUI", b"Comfy99"))


def overwritten(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 20)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def replaced_by_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("damaged", [cut_short, edited, overwritten, emptied, replaced_by_a_pipe])
def test_a_damaged_snapshot_is_read_anew_once(kept: Kept, damaged: Callable[[Path], None]) -> None:
    damaged(kept.file)
    with command(kept.service) as one, command(kept.service) as another:
        assert without_time(printed_by(one)) == without_time(kept.result)
        assert without_time(printed_by(another)) == without_time(kept.result)
    assert len(kept.service.forms) == PAGES


def test_a_pipe_into_which_somebody_may_write_is_no_snapshot(kept: Kept) -> None:
    replaced_by_a_pipe(kept.file)
    with kept.file.open("r+b", buffering=0):
        assert without_time(printed(kept.service)) == without_time(kept.result)


@pytest.mark.parametrize("another", ["COMPSHARE_PRIVATE_KEY", "COMPSHARE_PUBLIC_KEY"])
def test_a_snapshot_under_the_name_of_another_is_read_anew(kept: Kept, another: str) -> None:
    service = kept.service
    service.answer = rows(lone(1))
    printed(service, **{another: "another"})
    (others,) = set(service.cache.glob("*.snapshot")) - {kept.file}
    shutil.copy(kept.file, others)
    assert printed(service, **{another: "another"})["catalogue"]["image_count"] == 1
    assert len(service.forms) == 2


# A service that is gone, and a refresh that nobody asked for.


@pytest.mark.parametrize(("lifetime", "stale"), [("600", False), ("0", True)])
def test_when_the_service_is_gone_the_snapshot_answers(kept: Kept, lifetime: str, stale: bool) -> None:
    kept.service.answer = lambda _: Response(404)
    result = printed(kept.service, COMPSHARE_CATALOGUE_TTL=lifetime)
    assert result["catalogue"] == {**kept.result["catalogue"], "stale": stale}
    assert ids_of(result["images"]) == ids_of(kept.result["images"])
    assert len(kept.service.forms) == stale


def test_the_command_line_waits_for_a_refresh(kept: Kept) -> None:
    assert printed(kept.service, **STALE)["catalogue"]["stale"] is False
    assert len(kept.service.forms) == PAGES


def test_a_server_refreshes_by_itself_what_is_not_fresh_but_not_before_its_first_reply(kept: Kept) -> None:
    service, answer, refreshed = kept.service, kept.service.answer, Event()

    def count(form: Form) -> Response:
        if len(service.forms) == 2 * PAGES:
            refreshed.set()
        return answer(form)

    service.answer = count
    silent = running(**service.settings, COMPSHARE_PROJECT_ID="silent")
    fresh = running(**service.settings, COMPSHARE_PROJECT_ID="fresh")
    with silent, fresh as server:
        printed(service, COMPSHARE_PROJECT_ID="fresh")
        send(server, INITIALIZE)
        receive(server)
        with running(**service.settings, **STALE) as stale:  # it starts last: what it does, the others would have done
            send(stale, INITIALIZE)
            receive(stale)
            assert refreshed.wait(SECONDS)
    assert [form.get("ProjectId") for form in service.forms] == ["fresh"] * PAGES + [None] * PAGES


def test_a_person_has_the_answer_before_a_refresh_ends_and_is_told_what_is_still_going_on(kept: Kept) -> None:
    settings = {**kept.service.settings, **STALE}
    terminal, theirs = os.openpty()
    with (
        scan_held(kept.service) as asked,
        subprocess.Popen(IMPATIENT, env=environment(**settings), stdout=theirs, stderr=theirs) as process,
    ):
        os.close(theirs)
        shown = b""
        while b"Ctrl-C" not in shown:
            shown += os.read(terminal, 10_000)
        assert asked.wait(SECONDS)
        assert shown.startswith(b"1 of ")
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
    os.close(terminal)


# Secrets.


def test_the_cache_holds_no_secret_and_is_for_its_owner_only(service: Loopback, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cache"
    printed(service, COMPSHARE_CACHE_DIR=str(folder))
    files = list(folder.iterdir())
    held = b"".join(file.name.encode() + file.read_bytes() for file in files)
    secrets = [PUBLIC_KEY, PRIVATE_KEY, *(form["Signature"] for form in service.forms)]
    assert left_in(folder) == [".lock", ".snapshot"]
    assert [secret for secret in secrets if secret.encode() in held] == []
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
