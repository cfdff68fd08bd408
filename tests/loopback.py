"""A stand-in for the service, reached over real HTTP on loopback."""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.parse import parse_qsl

from compshare_images.sandbox.service import PRIVATE_KEY, PUBLIC_KEY, Sandbox

Form = dict[str, str]


@dataclass
class Response:
    """`chunks` are written one by one, as they come; `length` is what the header claims."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    chunks: Iterator[bytes] | None = None
    body: bytes = b""
    length: int | None = None


def json_response(content: object, status: int = 200, **headers: str) -> Response:
    return Response(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, None, json.dumps(content).encode()
    )


@dataclass
class Loopback:
    """`answer` may be replaced at any time. `forms` are the requests that came, decoded, in order.

    `cache` is the folder of the processes that use it.
    """

    answer: Callable[[Form], Response]
    cache: Path
    url: str = ""
    forms: list[Form] = field(default_factory=list[Form])

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a process that uses this service."""
        return {
            "COMPSHARE_BASE_URL": self.url,
            "COMPSHARE_PUBLIC_KEY": PUBLIC_KEY,
            "COMPSHARE_PRIVATE_KEY": PRIVATE_KEY,
            "COMPSHARE_CACHE_DIR": str(self.cache),
        }


def sandboxed(sandbox: Sandbox) -> Callable[[Form], Response]:
    return lambda form: json_response(sandbox.answer(form))


@contextmanager
def loopback(answer: Callable[[Form], Response]) -> Generator[Loopback]:
    folder = TemporaryDirectory()
    service = Loopback(answer, Path(folder.name))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            service.forms.append(form)
            response = service.answer(form)
            try:
                self._send(response)
            except OSError:
                self.close_connection = True

        def _send(self, response: Response) -> None:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            length = len(response.body) if response.length is None else response.length
            if response.chunks is None:
                self.send_header("Content-Length", str(length))
            else:
                self.send_header("Connection", "close")
            self.end_headers()
            for chunk in response.chunks or [response.body]:
                self.wfile.write(chunk)
                self.wfile.flush()
            self.close_connection = response.chunks is not None or length != len(response.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        folder.cleanup()
