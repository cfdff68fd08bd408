"""Strangers' text, made plain and bounded where it comes in.

Names, descriptions, tags, authors, port labels and Readmes are written by anybody. What leaves here has no HTML, no
image to fetch, no link but bare web addresses, and no character that hides, reorders or drives a terminal. Its words
are kept: what they ask for is the reader's to judge. Code is text already, so code blocks and code spans keep their
angle brackets.

HTML is taken out tag by tag. A parser that builds a tree, as sanitisers do, drops what follows an unclosed
`<iframe>` or `loss<eps`, and in a Readme of Markdown that is the author's text.
"""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import NamedTuple

MAX_README = 100_000  # characters; real ones have one or two thousand

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,1000}(?:\x07|\x1b\\)?|[@-Z\\-_])")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_HIDDEN_CHARACTERS = (
    "\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0d\ufeff"
    "\uffa0\ufff0-\ufffc\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
_HIDDEN = re.compile(f"[{_HIDDEN_CHARACTERS}]")
_PICTURE = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
# A joiner or an emoji selector stays where it makes a picture, and goes where it could carry a hidden message.
_STRAY = re.compile(f"(?<![{_PICTURE}\ufe0f])\u200d|\u200d(?![{_PICTURE}])|(?<![{_PICTURE}0-9#*])[\ufe0e\ufe0f]")
_MARK = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0"
_PILED_MARKS = re.compile(f"([{_MARK}]{{3}})[{_MARK}]+")
# Lines without any of these are plain as they stand.
_SUSPECT = re.compile(rf"[<&\[:\u200d\ufe0e\ufe0f{_MARK}{_HIDDEN_CHARACTERS}]")

_MARGIN = re.compile(r"[ >]*(?=[^ >])")
_ITEM = re.compile(r"[ >]*(?:(?:[-*+]|\d{1,9}[.)]) {1,4})+")
_FENCE = re.compile(r"`{3,}|~{3,}")
_BACKTICKS = re.compile(r"`+")
_PARAGRAPH = re.compile(r"(?:[^\n]*\S[^\n]*\n?)+")

_HIDDEN_ELEMENTS = (
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<script(?=[\s/>])", re.IGNORECASE), re.compile(r"</script[^<>]{0,100}>", re.IGNORECASE)),
    (re.compile(r"<style(?=[\s/>])", re.IGNORECASE), re.compile(r"</style[^<>]{0,100}>", re.IGNORECASE)),
)
_AUTOLINK = re.compile(r"<(https?://[^\s<>]{1,2000}|[\w.+-]{1,64}@[\w.-]{1,200})>", re.IGNORECASE)
_INSIDE_A_TAG = r"""(?:[^<>"']|"[^"<>]{0,2000}"|'[^'<>]{0,2000}'){0,2000}+>|[^<>]{0,4000}>"""
_TAG = re.compile(rf"<(?:/?([a-zA-Z][a-zA-Z0-9:-]{{0,40}})(?=[\s/>])|[/!?])(?:{_INSIDE_A_TAG})")
_LINE_BREAKING = frozenset(
    ["address", "article", "aside", "blockquote", "br", "center", "dd", "details", "div", "dl", "dt", "figcaption",
     "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p",
     "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"]
)  # fmt: skip
_CELLS = frozenset(["td", "th"])
_OPENS_A_TAG = re.compile(r"<(?=[a-zA-Z/!?])")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")

_IMAGE = re.compile(
    r"!\[([^\[\]\n]{0,300})\](?:\([^()\n]{0,2000}(?:\([^()\n]{0,500}\)[^()\n]{0,500})?\)|\[[^\[\]\n]{0,300}\])"
)
_LINK = re.compile(
    r"\[([^\[\]\n]{0,500})\]\(\s{0,10}<?([^()<>\s]{0,2000}(?:\([^()\s]{0,500}\)[^()<>\s]{0,500})?)>?"
    r"(?:\s{1,10}[^()\n]{0,300})?\)"
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_WEB = re.compile(r"https?://[^\s<>\"'`\\]{1,2000}\Z", re.IGNORECASE)
_DEFINITION = re.compile(
    r"^([ >*+-]{0,9}\[[^\[\]\n]{1,300}\]):(\s{0,10}<?[a-z][a-z0-9+.-]{1,20}:\S[^\n]{0,2000})$",
    re.MULTILINE | re.IGNORECASE,
)
# What the patterns above are too simple for loses what makes it an image or a link.
_IMAGE_MARK = re.compile(r"!+(?=\[)")
_ACTIVE_SCHEME = re.compile(
    r"(?<![a-z])(?:(?:java|vb)script\s{0,10}:|data:[\w.+-]{1,60}/[\w.+-]{1,60}(?:[;,][!-~]{0,100000})?)", re.IGNORECASE
)

_ROUNDS = 5


def clean_line(text: str, limit: int) -> str:
    """One line of at most `limit` characters; what is longer ends in `…`."""
    text = text[: limit * 4]
    if not text.isprintable() or _SUSPECT.search(text):
        text = _settle(text, _plain)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def clean_markdown(text: str) -> str:
    """A Readme: Markdown without HTML, at most `MAX_README` characters."""
    cleaned = _settle(text[:MAX_README], _plain_outside_code)
    return cleaned[:MAX_README].rstrip()


def clean_web_address(text: str) -> str | None:
    """An https address as it stands, or None."""
    text = text.strip()
    plain = text.isascii() and text.isprintable() and text.lower().startswith("https://")
    return text if plain and _WEB.match(text) else None


def _settle(text: str, clean: Callable[[str], str]) -> str:
    """Clean until nothing changes: `&amp;lt;b>` is a tag only after two rounds."""
    for _ in range(_ROUNDS):
        before, text = text, clean(text)
        if text == before:
            return text
    return clean(text.translate({ord("<"): "‹", ord("&"): "＆", ord("["): "［"}))


def _plain_outside_code(text: str) -> str:
    text = "\n".join(line.rstrip() for line in _visible(text).split("\n"))
    parts = [block if is_code else _plain_outside_spans(block) for is_code, block in _blocks(text)]
    text = "\n".join(line.rstrip() for line in "\n".join(parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def _blocks(text: str) -> Iterator[tuple[bool, str]]:
    """Runs of lines, each with whether it is a fenced code block. An unclosed fence runs to the end.

    A block in a list item or a quotation ends with it, and what follows is no code.
    """
    lines: list[str] = []
    fence: _Fence | None = None
    item = 0  # the column at which the text of an open list item begins
    for line in text.split("\n"):
        if fence and not fence.holds(line):
            yield True, "\n".join(lines)
            lines, fence = [], None
        if fence:
            lines.append(line)
            if fence.closed_by(line):
                yield True, "\n".join(lines)
                lines, fence = [], None
            continue
        item = _item_column(line, item)
        fence = _opened_by(line, item)
        if fence and lines:
            yield False, "\n".join(lines)
            lines = []
        lines.append(line)
    if lines:
        yield fence is not None, "\n".join(lines)


class _Fence(NamedTuple):
    mark: str
    column: int
    quotes: int

    def holds(self, line: str) -> bool:
        margin = _MARGIN.match(line)
        return not margin or (margin.end() >= self.column and margin[0].count(">") >= self.quotes)

    def closed_by(self, line: str) -> bool:
        rest = line.lstrip(" >")
        return rest.startswith(self.mark) and not rest.strip(self.mark[0])


def _item_column(line: str, item: int) -> int:
    margin = _MARGIN.match(line)
    if not margin:
        return 0  # a blank line; what comes next may stand anywhere
    marker = _ITEM.match(line)
    return marker.end() if marker else item if margin.end() >= item else 0


def _opened_by(line: str, item: int) -> _Fence | None:
    start = item if _ITEM.match(line) else len(line) - len(line.lstrip(" >"))
    mark = _FENCE.match(line, start)
    if not mark or ("`" in mark[0] and "`" in line[mark.end() :]):
        return None
    return _Fence(mark[0], item, line[:start].count(">"))


def _plain_outside_spans(text: str) -> str:
    """Code spans are set aside behind marks of private-use characters, which no text has at this point."""
    spans: list[str] = []
    parts: list[str] = []
    position = 0
    for start, end in _code_spans(text):
        parts += [text[position:start], f"\ue000{len(spans)}\ue001"]
        spans.append(text[start:end])
        position = end
    text = _without_markup(_without_hidden_elements("".join([*parts, text[position:]])))
    return re.sub("\ue000(\\d{1,6})\ue001", lambda mark: spans[int(mark[1])], text)


def _code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Those that are code beyond doubt: within a line, and with no lone backtick before them in their paragraph."""
    for paragraph in _PARAGRAPH.finditer(text):
        position = paragraph.start()
        runs = list(_BACKTICKS.finditer(text, paragraph.start(), paragraph.end()))
        for number, run in enumerate(runs):
            if run.start() < position or _escaped(text, run.start()):
                continue
            closer = next((other for other in runs[number + 1 : number + 50] if other[0] == run[0]), None)
            if closer is None or "\n" in text[run.end() : closer.start()]:
                break
            position = closer.end()
            inside = text[run.end() : closer.start()]
            if not ("|" in inside and ("<" in inside or "![" in inside)):  # the cells of a table would part it
                yield run.start(), position


def _escaped(text: str, position: int) -> bool:
    before = position
    while before and text[before - 1] == "\\":
        before -= 1
    return (position - before) % 2 == 1


def _plain(text: str) -> str:
    return _without_markup(_without_hidden_elements(" ".join(_visible(text).split())))


def _visible(text: str) -> str:
    text = _LINE_END.sub("\n", _ANSI.sub("", text))
    text = _STRAY.sub("", _HIDDEN.sub("", text))
    return _PILED_MARKS.sub(r"\1", text)


def _without_hidden_elements(text: str) -> str:
    if "<" in text:
        for opening, closing in _HIDDEN_ELEMENTS:
            text = _cut(text, opening, closing)
    return text


def _cut(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Without every stretch from an opening to its closing; one pass, however many are left open."""
    kept: list[str] = []
    position = 0
    while (start := opening.search(text, position)) and (end := closing.search(text, start.end())):
        kept.append(text[position : start.start()])
        position = end.end()
    return "".join([*kept, text[position:]])


def _without_markup(text: str) -> str:
    text = _LINK.sub(_label_and_address, _IMAGE.sub(r"\1", text))
    text = _IMAGE_MARK.sub("", _DEFINITION.sub(_defined, text)).replace("](", "] (")
    if "<" in text:
        text = _TAG.sub(_in_place_of_tag, _AUTOLINK.sub(r"\1", text.replace("<!--", "")))
        text = _OPENS_A_TAG.sub("< ", text)
    return _ACTIVE_SCHEME.sub("", _ENTITY.sub(_character, text))


def _in_place_of_tag(tag: re.Match[str]) -> str:
    name = (tag[1] or "").lower()
    if name in _CELLS:
        return "" if tag[0].startswith("</") else " | "
    return "\n" if name in _LINE_BREAKING else ""


def _character(entity: re.Match[str]) -> str:
    return _HIDDEN.sub("", unescape(entity[0]))


def _defined(definition: re.Match[str]) -> str:
    """A web address that is no definition any more, so that nothing hides behind another name."""
    address = definition[2].strip().lstrip("<")
    return definition[1] + definition[2] if address.lower().startswith(("http://", "https://")) else ""


def _label_and_address(link: re.Match[str]) -> str:
    label, address = link[1].strip(), link[2]
    if label == address or (_SCHEME.match(address) and not _WEB.match(address)):
        return label
    return f"{label} ({address})" if label and address else label or address
