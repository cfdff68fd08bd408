"""A query whose words are nowhere, read again as what was probably meant."""

from collections.abc import Iterator

from compshare_images.catalogue.index import Index
from compshare_images.catalogue.query import Part, Query
from compshare_images.language.spelling import heard
from compshare_images.language.thesaurus import thesaurus


def corrected(query: Query, index: Index) -> Query:
    """The query itself where every word of it is known; else with the unknown ones as they are nearly written."""
    meant = {start: (end, letters) for start, end, letters in _corrections(query, index)}
    if not meant:
        return query
    pieces: list[str] = []
    read = 0
    for token in query.text.tokens:
        pieces.append("" if token.glued else " ")
        for place in range(token.start, token.end):
            if place in meant:
                read, letters = meant[place]
                pieces.append(f" {letters} ")
            elif place >= read:
                pieces.append(query.text.letters[place])
    return query.reworded("".join(pieces))


def _corrections(query: Query, index: Index) -> Iterator[tuple[int, int, str]]:
    for part in query.parts:
        if part.meaning or _known(part, index):
            continue
        if part.letters.isascii():
            for meant in index.meant_by(part.letters)[:1]:
                yield part.start, part.start + len(part.letters), meant
        else:
            for start, end, meant in heard(part.letters):
                yield part.start + start, part.start + end, meant


def _known(part: Part, index: Index) -> bool:
    letters = part.letters
    if letters.isdigit() or index.literal(letters) or any(map(index.holds, part.joined)):
        return True
    return letters.isascii() and (thesaurus().knows(letters) or any(index.containing(letters)))
