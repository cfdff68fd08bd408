"""Serve MCP over stdio, and end cleanly however a host asks for it."""

import os
import re
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from compshare_images.tools.session import Session

_CHUNK = 64 * 1024
_ESCAPE = re.compile(rb"\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(ud[89a-f][0-9a-f]{2})|.)", re.IGNORECASE)
_GRACE = 3.0  # seconds to end in; a host that does not read what it is sent would hold us for ever


def serve_stdio(server: "MCPServer[Session]") -> None:
    """Serve until standard input ends, or SIGINT or SIGTERM says so.

    The SDK blocks in a read of standard input that no signal ends (python-sdk #3551), and leaves SIGTERM to kill the
    process. So a signal is made to look like the end of input, which it handles well.
    """
    if sys.platform != "win32":
        _end_input_on_signal()
    try:
        server.run("stdio")
    except* BrokenPipeError:
        pass  # the host is gone, and nobody is left to tell


def _end_input_on_signal() -> None:
    """Put a socket in the place of standard input. A thread fills it; a signal, or a host that is gone, ends it."""
    host_input, host_output = os.dup(0), os.dup(1)
    ours, served = socket.socketpair()
    os.dup2(served.fileno(), 0)
    served.close()

    def fill() -> None:
        events = select.poll()
        events.register(host_input, select.POLLIN)
        events.register(host_output, 0)  # errors, such as that nobody reads any more, are always reported
        line = bytearray()
        with suppress(OSError):  # a signal has ended the input
            while host_output not in dict(events.poll()) and (chunk := os.read(host_input, _CHUNK)):
                whole, end, rest = chunk.rpartition(b"\n")
                if end:
                    ours.sendall(_mended(bytes(line) + whole + end))
                    line.clear()
                line += rest
            ours.sendall(line)
        _shut(ours)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        _shut(ours)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    threading.Thread(target=fill, name="stdin", daemon=True).start()


def _mended(lines: bytes) -> bytes:
    """With a mark for each half of a character, which a JavaScript host writes when it cuts a text.

    The SDK would drop the whole line. Two halves that belong together, and every other escape, stay as they are.
    """
    if b"\\ud" not in lines.lower():
        return lines
    return _ESCAPE.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], lines)


def _shut(writer: socket.socket) -> None:
    last_resort = threading.Timer(_GRACE, os._exit, (0,))
    last_resort.daemon = True
    last_resort.start()
    with suppress(OSError):  # already shut
        writer.shutdown(socket.SHUT_WR)
