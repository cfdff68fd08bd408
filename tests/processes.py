"""The installed command in a process of its own, as a host or a person runs it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND = str(Path(sys.executable).with_name("compshare-images-mcp"))
SECONDS = 20  # a bound on waiting, never an expectation

Process = subprocess.Popen[bytes]


def message(method: str, number: int | None = None, **params: object) -> bytes:
    content: dict[str, object] = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(content if number is None else {**content, "id": number}).encode() + b"\n"


INITIALIZE = message(
    "initialize", 1, protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "test", "version": "1"}
)
INITIALIZED = message("notifications/initialized")
SEARCH = message("tools/call", 2, name="search_community_images", arguments={"limit": 1})


def environment(**settings: str) -> dict[str, str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}
    cache = os.environ.get("XDG_CACHE_HOME", os.devnull)
    return {**keep, "XDG_CONFIG_HOME": os.devnull, "XDG_CACHE_HOME": cache, **settings}


@contextmanager
def running(*arguments: str, program: Sequence[str] = (COMMAND,), **settings: str) -> Generator[Process]:
    pipe = subprocess.PIPE
    command = [*program, *arguments]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(**settings)) as process:
        try:
            yield process
        finally:
            process.kill()


def send(process: Process, *messages: bytes) -> None:
    assert process.stdin
    process.stdin.write(b"".join(messages))
    process.stdin.flush()


def receive(process: Process) -> dict[str, Any]:
    assert process.stdout
    return json.loads(process.stdout.readline())


def close_input(process: Process) -> None:
    assert process.stdin
    process.stdin.close()


def interrupt(process: Process) -> None:
    process.send_signal(signal.SIGINT)


def terminate(process: Process) -> None:
    process.send_signal(signal.SIGTERM)
