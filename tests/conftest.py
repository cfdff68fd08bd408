import os
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

import pytest
from mcp import Client

from clock import Clock
from compshare_images.sandbox.service import Sandbox
from compshare_images.settings import load_settings
from compshare_images.tools.server import build_server
from compshare_images.tools.session import Session
from computer import computer, nobody_waits_for_the_stuck, watch
from loopback import Loopback, loopback, sandboxed
from machine import machine
from worlds import bench, samples, sandbox, shaped, world, worlds

# Fixtures that are defined beside what they make.
__all__ = [
    "bench",
    "computer",
    "machine",
    "nobody_waits_for_the_stuck",
    "samples",
    "sandbox",
    "shaped",
    "watch",
    "world",
    "worlds",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-snapshots", action="store_true", help="write what is seen now, to be reviewed as a diff")


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the file of that name in tests/snapshots."""

    def compare(name: str, seen: str) -> None:
        file = Path(__file__).parent / "snapshots" / name
        if request.config.getoption("--update-snapshots"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(seen + "\n", "utf-8")
        assert seen + "\n" == file.read_text("utf-8")

    return compare


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing of ours is set."""
    for name in tuple(os.environ):
        if name.startswith(("COMPSHARE_", "UCLOUD_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", os.devnull)


@pytest.fixture(autouse=True)
def a_cache_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test touches the snapshots of whoever runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def service() -> Generator[Loopback]:
    """A service on loopback that behaves as the live one was seen to."""
    with loopback(sandboxed(Sandbox())) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def session(service: Loopback, clock: Clock) -> AsyncGenerator[Session]:
    """The tools as functions, on that service, at that time."""
    async with Session(load_settings(service.settings), clock=clock) as opened:
        yield opened


@pytest.fixture(params=["auto", "legacy"])
async def client(request: pytest.FixtureRequest) -> AsyncGenerator[Client]:
    """A client of a sandboxed server, once in each era of the protocol."""
    async with Client(build_server(load_settings({}, sandbox=True)), mode=request.param) as connected:
        yield connected
