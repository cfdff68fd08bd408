"""The command line: serve, or call the same tools for a person."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from compshare_images import __version__
from compshare_images.settings import Settings, load_settings
from compshare_images.tools.arguments import Arguments, DetailArguments, SearchArguments

if TYPE_CHECKING:
    from compshare_images.tools.reply import Reply

PROGRAM = "compshare-images-mcp"

_TOOLS: dict[str, tuple[str, type[Arguments]]] = {
    "search": ("search_community_images", SearchArguments),
    "show": ("get_image_detail", DetailArguments),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0, 1 when it failed, 130 when interrupted; a wrong command line exits with 2."""
    if sys.stdout is None:
        return _complain("standard output must be open.")
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="replace")  # names hold characters that not every terminal's encoding has
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _discard_output()  # whoever read it has had enough
        return 1
    except OSError as error:
        _discard_output()
        return _complain(f"{error.strerror}.")


def _discard_output() -> None:
    """Python would fail once more, and say so, when it flushes at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(text: str) -> int:
    if sys.stderr is not None:
        print(f"{PROGRAM}: {text}", file=sys.stderr)
    return 1


def _run(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    settings = load_settings(sandbox="sandbox" in options)
    logging.basicConfig(stream=sys.stderr, level=settings.log_level, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpcore").setLevel(logging.INFO)  # below it writes the headers of every answer
    if options.command in _TOOLS:
        return anyio.run(_call, settings, options)
    return _serve(settings)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    # Without a default, the flag holds before and after the command alike.
    common.add_argument(
        "--sandbox", action="store_true", default=argparse.SUPPRESS, help="sample data instead of the real service"
    )
    parser = argparse.ArgumentParser(
        PROGRAM,
        description="CompShare's community images, over MCP and at the terminal.",
        parents=[common],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="serve MCP over stdio (the default)", parents=[common], allow_abbrev=False)
    search = commands.add_parser("search", help="find images", parents=[common], allow_abbrev=False)
    search.add_argument("query", nargs="*", metavar="QUERY", help="purpose or product, in Chinese or English")
    show = commands.add_parser("show", help="open one image", parents=[common], allow_abbrev=False)
    show.add_argument("compshare_image_id", metavar="ID", help="version id, group id or page URL")
    _add_flags(search, SearchArguments)
    _add_flags(show, DetailArguments)
    return parser


def _add_flags(parser: argparse.ArgumentParser, arguments: type[Arguments]) -> None:
    """A flag for each of the tool's arguments. What it may be, the tool says."""
    positional = {action.dest for action in parser._actions}  # noqa: SLF001 - argparse has no public way to ask
    for name, field in arguments.model_fields.items():
        if name not in positional:
            # A percent sign would be a format to argparse.
            help_text = (field.description or "").replace("%", "%%")
            parser.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=help_text)
    parser.add_argument("--json", action="store_true", help="print the structured result")


async def _call(settings: Settings, options: argparse.Namespace) -> int:
    from compshare_images.tools.session import Session  # noqa: PLC0415 - serving needs it only after its first reply

    tool, arguments = _TOOLS[options.command]
    given = {name: getattr(options, name) for name in arguments.model_fields}
    if isinstance(given.get("query"), list):
        given["query"] = " ".join(given["query"])
    async with Session(settings, one_shot=True) as session:
        reply: Reply = await getattr(session, tool)(given)
        _print(reply, structured=options.json)
        if reply.failed:
            return 1
        if session.scanning and sys.stderr is not None and sys.stderr.isatty():
            print("The catalogue is still being read, for the next time; Ctrl-C is safe.", file=sys.stderr)
        await session.settle()
    return 0


def _print(reply: "Reply", *, structured: bool) -> None:
    if reply.failed:
        if sys.stderr is not None:
            print(reply.text, file=sys.stderr)
        return
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(reply.structure, ensure_ascii=not unicode) if structured else reply.text, flush=True)


def _serve(settings: Settings) -> int:
    from compshare_images.serving import serve_stdio  # noqa: PLC0415 - the other commands need no MCP
    from compshare_images.tools.server import build_server  # noqa: PLC0415 - as above

    if sys.stdin is None:
        return _complain("standard input must be open.")
    serve_stdio(build_server(settings))
    return 0
