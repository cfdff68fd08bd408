"""Strangers' text, made plain and bounded where it comes in.

Names, descriptions, tags, authors, port labels and Readmes are written by anybody. What leaves here has no HTML, no
image to fetch, no link that is not http(s), and no character that hides, reorders or drives a terminal. Its words are
kept: what they ask for is the reader's to judge. Code is text already, so code blocks and code spans keep their angle
brackets.
"""

import re
from collections.abc import Callable, Iterator
from html import unescape

import nh3

MAX_README = 100_000  # characters; real ones have one or two thousand

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,1000}(?:\x07|\x1b\\)?|[@-Z\\-_])")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\uffa0"
    "\ufff0-\ufffc\ufffe\uffff\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_PICTURE = "\u00a9\u00ae\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
# A joiner or an emoji selector stays where it makes a picture, and goes where it could carry a hidden message.
_STRAY = re.compile(f"(?<![{_PICTURE}\ufe0f])\u200d|\u200d(?![{_PICTURE}])|(?<![{_PICTURE}0-9#*])[\ufe0e\ufe0f]")
_PILED_MARKS = re.compile("([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0]{3})"
                          "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0]+")  # fmt: skip

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_CODE_SPAN = re.compile(r"(?<!`)(`{1,3})(?!`)([^\n]{1,500}?)(?<!`)\1(?!`)")

_HIDDEN_ELEMENTS = (
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<script(?=[\s/>])", re.IGNORECASE), re.compile(r"</script[^<>]{0,100}>", re.IGNORECASE)),
    (re.compile(r"<style(?=[\s/>])", re.IGNORECASE), re.compile(r"</style[^<>]{0,100}>", re.IGNORECASE)),
)
_AUTOLINK = re.compile(r"<(https?://[^\s<>]{1,2000})>", re.IGNORECASE)
_LINE_BREAKING_TAG = re.compile(
    r"</?(?:address|article|blockquote|br|center|dd|details|div|dl|dt|figcaption|figure|footer|form|h[1-6]|header|hr|"
    r"li|main|nav|ol|p|pre|section|summary|table|tbody|tfoot|thead|tr|ul)(?=[\s/>])[^<>]{0,2000}>",
    re.IGNORECASE,
)
_CELL = re.compile(r"<(?:td|th)(?=[\s/>])[^<>]{0,2000}>", re.IGNORECASE)
# To a browser all that follows an unclosed one of these is its content; here that would lose the rest of a Readme.
_SWALLOWING_TAG = re.compile(
    r"</?(?:iframe|math|noembed|noframes|noscript|object|plaintext|select|svg|template|textarea|title|video|audio|xmp)"
    r"(?=[\s/>])[^<>]{0,2000}>",
    re.IGNORECASE,
)
_UNCLOSED = re.compile(r"</?(?:script|style)(?=[\s/>])[^<>]{0,2000}>?|<!-{0,2}|<\?", re.IGNORECASE)

_IMAGE = re.compile(
    r"!\[([^\[\]\n]{0,300})\](?:\([^()\n]{0,2000}(?:\([^()\n]{0,500}\)[^()\n]{0,500})?\)|\[[^\[\]\n]{0,300}\])"
)
_LINK = re.compile(r"\[([^\[\]\n]{0,500})\]\(\s{0,10}<?([^()<>\s]{0,2000}(?:\([^()\s]{0,500}\)[^()<>\s]{0,500})?)>?"
                   r"(?:\s{1,10}[^()\n]{0,300})?\)")  # fmt: skip
_DEFINITION = re.compile(
    r"^ {0,3}\[[^\[\]\n]{1,300}\]:\s{0,10}+(?!https?://)\S{0,2000}[^\n]{0,300}$", re.MULTILINE | re.IGNORECASE
)
# What the patterns above are too simple for loses what makes it an image, or a link to anything but the web.
_IMAGE_MARK = re.compile(r"!(?=\[)")
_OTHER_TARGET = re.compile(r"\]\((?!\s{0,10}<?https?://)", re.IGNORECASE)
_ACTIVE_SCHEME = re.compile(
    r"\b(?:java|vb)script\s{0,10}:|\bdata:[\w.+-]{1,60}/[\w.+-]{1,60}[;,]\S{0,100000}", re.IGNORECASE
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_WEB = re.compile(r"https?://[^\s<>\"'`\\]{1,2000}\Z", re.IGNORECASE)

_ROUNDS = 4


def clean_line(text: str, limit: int) -> str:
    """One line of at most `limit` characters; what is longer ends in `…`."""
    text = " ".join(text[: limit * 4].split())
    if not text.isprintable() or any(mark in text for mark in "<&[:"):
        text = " ".join(_settle(text, _plain).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def clean_markdown(text: str) -> str:
    """A Readme: Markdown without HTML, at most `MAX_README` characters."""
    cleaned = _settle(text[:MAX_README], _plain_outside_code)
    lines = [line.rstrip() for line in cleaned.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")[:MAX_README]


def clean_web_address(text: str) -> str | None:
    """An https address as it stands, or None."""
    text = text.strip()
    return text if text.isascii() and text.lower().startswith("https://") and _WEB.match(text) else None


def _settle(text: str, clean: Callable[[str], str]) -> str:
    """Clean until nothing changes: `&amp;lt;b>` is a tag only after two rounds."""
    for _ in range(_ROUNDS):
        before, text = text, clean(text)
        if text == before:
            return text
    return clean(text.replace("<", "‹").replace("&", "＆"))


def _plain_outside_code(text: str) -> str:
    text = _visible(text)
    parts: list[str] = []
    for is_code, block in _blocks(text):
        parts.append(block if is_code else _plain_outside_spans(block))
    return "\n".join(parts)


def _blocks(text: str) -> Iterator[tuple[bool, str]]:
    """Runs of lines, each with whether it is a fenced code block. An unclosed fence runs to the end."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            lines.append(line)
            if mark and mark[1].startswith(fence) and not line.strip(" `~"):
                yield True, "\n".join(lines)
                lines, fence = [], ""
        elif mark and not ("`" in mark[1] and "`" in line[mark.end() :]):
            if lines:
                yield False, "\n".join(lines)
            lines, fence = [line], mark[1]
        else:
            lines.append(line)
    if lines:
        yield bool(fence), "\n".join(lines)


def _plain_outside_spans(text: str) -> str:
    """Code spans are set aside behind marks of private-use characters, which no text has at this point."""
    spans: list[str] = []

    def set_aside(span: re.Match[str]) -> str:
        spans.append(span[0])
        return f"\ue000{len(spans) - 1}\ue001"

    def put_back(mark: re.Match[str]) -> str:
        return spans[int(mark[1])] if int(mark[1]) < len(spans) else ""

    text = _without_markup(_without_hidden_elements(_CODE_SPAN.sub(set_aside, text)))
    return re.sub("\ue000(\\d{1,6})\ue001", put_back, text)


def _plain(text: str) -> str:
    return _without_markup(_without_hidden_elements(_visible(text)))


def _visible(text: str) -> str:
    text = _LINE_END.sub("\n", _ANSI.sub("", text))
    text = _STRAY.sub("", _HIDDEN.sub("", text))
    return _PILED_MARKS.sub(r"\1", text)


def _without_hidden_elements(text: str) -> str:
    if "<" not in text:
        return text
    for opening, closing in _HIDDEN_ELEMENTS:
        text = _cut(text, opening, closing)
    return _UNCLOSED.sub("", text)


def _cut(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Without every stretch from an opening to its closing; one pass, however many are left open."""
    kept: list[str] = []
    position = 0
    while (start := opening.search(text, position)) and (end := closing.search(text, start.end())):
        kept.append(text[position : start.start()])
        position = end.end()
    return "".join([*kept, text[position:]])


def _without_markup(text: str) -> str:
    text = _IMAGE.sub(r"\1", text)
    text = _LINK.sub(_label_and_address, text)
    text = _DEFINITION.sub("", text)
    if "<" in text or "&" in text:
        text = _AUTOLINK.sub(r"\1", text)
        text = _SWALLOWING_TAG.sub("", _CELL.sub(" | ", _LINE_BREAKING_TAG.sub("\n", text)))
        text = unescape(nh3.clean(text, tags=set(), link_rel=None))
    text = _IMAGE_MARK.sub("", _OTHER_TARGET.sub("] (", text))
    return _ACTIVE_SCHEME.sub("", text)


def _label_and_address(link: re.Match[str]) -> str:
    label, address = link[1].strip(), link[2]
    if label == address or (_SCHEME.match(address) and not _WEB.match(address)):
        return label
    return f"{label} ({address})" if label and address else label or address
