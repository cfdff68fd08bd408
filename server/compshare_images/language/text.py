"""The forms in which texts are compared."""

import unicodedata


def folded(text: str) -> str:
    """Without differences of case and width."""
    return unicodedata.normalize("NFKC", text).casefold()


def spaceless(text: str) -> str:
    """Whole values are compared so: case, width and spaces do not matter."""
    return "".join(folded(text).split())


def compact(text: str) -> str:
    """Letters and digits alone: case, width, spaces and punctuation do not matter."""
    return "".join(filter(str.isalnum, folded(text)))


def distance(one: str, other: str, limit: int) -> int:
    """How many insertions, deletions, replacements and swaps of neighbours apart; `limit` + 1 when it is more."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    pairs = enumerate(zip(one, other, strict=False))
    shared = next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
    one, other = one[shared:], other[shared:]
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        two_before, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, two_before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)
