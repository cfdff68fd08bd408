"""How well a query finds what is wanted, beside what the service itself does and beside plain BM25.

Prints nDCG@10 and success@5 (something good in the first five), by kind of question and by language, and how often
something was answered where the catalogue holds nothing of the kind. `--part tune` is for work on the ranking; `report`
is only to be looked at.
"""

import argparse
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from compshare_images.catalogue.catalogue import Catalogue
from compshare_images.catalogue.filters import Criteria
from compshare_images.catalogue.selection import find
from compshare_images.place import Place
from compshare_images.upstream.wire import Group, Image, Software

FOLDER = Path(__file__).parent
GOOD = 2  # of 3; where nothing is better than 1, that is good
K1, B = 1.2, 0.75

Row = dict[str, Any]
Search = Callable[[str], Sequence[str]]


def rows(name: str) -> list[Row]:
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


def group_of(row: Row) -> Group:
    image = Image(
        compshare_image_id=row["id"],
        name=row["name"],
        author=row["author"],
        tags=tuple(row["tags"]),
        price=row["price"],
        size=row["size"],
        supported_gpu_types=tuple(row["gpus"]),
        pub_time=row["pub_time"],
        softwares=(Software(framework=row["framework"], applications=tuple(row["applications"])),),
    )
    return Group(
        group_id=row["id"],
        name=row["name"],
        description=row["description"],
        created_count=row["created_count"],
        favorites_count=row["favorites_count"],
        images=(image,),
    )


def ours(groups: Iterable[Row]) -> Search:
    catalogue = Catalogue(place=Place("", "", ""), fetched_at=0, all_groups=tuple(map(group_of, groups)))
    return lambda text: [entry.image.compshare_image_id for entry in find(catalogue, Criteria(query=text)).entries]


def fuzzy_search(groups: Iterable[Row]) -> Search:
    """As the service's own page describes its search: the text as a part of a name or an author; newest first."""
    newest = sorted(groups, key=lambda row: -row["pub_time"])
    return lambda text: [
        row["id"] for row in newest if any(text.casefold() in row[field].casefold() for field in ("name", "author"))
    ]


def plain_bm25(groups: Sequence[Row]) -> Search:
    """BM25 over all texts together: words, and pairs of Chinese characters."""
    texts = [Counter(words(all_text(row))) for row in groups]
    mean = sum(text.total() for text in texts) / len(texts)
    found_in = Counter(word for text in texts for word in text)

    def score(query: list[str], text: Counter[str]) -> float:
        total = 0.0
        for word in query:
            if word in text:
                rarity = math.log(1 + (len(texts) - found_in[word] + 0.5) / (found_in[word] + 0.5))
                total += rarity * text[word] * (K1 + 1) / (text[word] + K1 * (1 - B + B * text.total() / mean))
        return total

    def search(query: str) -> list[str]:
        scored = [(-score(words(query), text), row["id"]) for text, row in zip(texts, groups, strict=True)]
        return [found for value, found in sorted(scored) if value]

    return search


def all_text(row: Row) -> str:
    return " ".join([row["name"], row["description"] or "", row["author"], *row["tags"], *row["applications"]])


def words(text: str) -> list[str]:
    return list(_words(text.casefold()))


def _words(text: str) -> Iterator[str]:
    for run in re.findall(r"[a-z0-9]+|[^\W\da-z_]+", text):
        if run.isascii() or len(run) == 1:
            yield run
        else:
            yield from map(str.__add__, run, run[1:])


def ndcg(relevant: dict[str, int], found: Sequence[str], depth: int = 10) -> float:
    def gain(grades: Iterable[int]) -> float:
        return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))

    best = sorted(relevant.values(), reverse=True)[:depth]
    return gain(relevant.get(one, 0) for one in found[:depth]) / gain(best)


def success(relevant: dict[str, int], found: Sequence[str], depth: int = 5) -> float:
    good = min(GOOD, max(relevant.values()))
    return float(any(relevant.get(one, 0) >= good for one in found[:depth]))


def measure(search: Search, queries: Iterable[Row]) -> dict[str, list[tuple[float, float]]]:
    """nDCG@10 and success@5 of each question, by kind and by language; of absent things, whether anything came."""
    measured: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for query in queries:
        found = search(query["query"])
        if query["kind"] == "absent":
            measured["absent"].append((float(bool(found)), 0.0))
            continue
        figures = ndcg(query["relevant"], found), success(query["relevant"], found)
        for label in ("all", query["kind"], query["language"]):
            measured[label].append(figures)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["tune", "report"], default="report")
    part = parser.parse_args().part
    groups = rows("groups.jsonl")
    queries = [query for query in rows("queries.jsonl") if query["part"] == part]
    searches = {"FuzzySearch": fuzzy_search(groups), "plain BM25": plain_bm25(groups), "ours": ours(groups)}
    measured = {name: measure(search, queries) for name, search in searches.items()}
    print(f"{len(queries)} questions of the part '{part}' over {len(groups)} images: nDCG@10 / success@5")
    print(f"{'':14}{'n':>4}" + "".join(f"{name:>17}" for name in measured))
    for label in ("all", "purpose", "product", "misspelling", "constraint", "zh", "en", "mixed"):
        of_all = [figures[label] for figures in measured.values()]
        means = [tuple(sum(values) / len(of_one) for values in zip(*of_one, strict=True)) for of_one in of_all]
        print(f"{label:14}{len(of_all[0]):4}" + "".join(f"{one:9.3f} /{five:6.3f}" for one, five in means))
    answered = [sum(one for one, _ in figures["absent"]) for figures in measured.values()]
    counted = len(next(iter(measured.values()))["absent"])
    print(f"{'absent':14}{counted:4}" + "".join(f"{f'{count:.0f} answered':>17}" for count in answered))


if __name__ == "__main__":
    main()
