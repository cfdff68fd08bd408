"""How long a query takes, and what the index costs, at 835 groups and at 100,000.

The groups are made from those of `bench/relevance`: names, descriptions and tags of several, mixed by a fixed seed.
Each size is measured in a process of its own. Times are those of one core; a query is asked once before it is timed.
"""

import json
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from compshare_images.catalogue.catalogue import Catalogue
from compshare_images.catalogue.filters import Criteria
from compshare_images.catalogue.selection import find
from compshare_images.place import Place
from compshare_images.upstream.wire import Group, Image, Software

FOLDER = Path(__file__).parent / "relevance"
SIZES = (835, 100_000)
QUERIES = (
    "数字人", "换脸", "给照片开口说话", "train a Flux LoRA on a 4090", "InfiniteTalk", "comfy ui", "语音克隆 免费",
    "把歌里的人声单独拿出来", "wan 2.2", "facefuson", "virtual dressing room", "video 去 logo", "科学上网",
    "抠图 -视频",
)  # fmt: skip


def made_up(size: int) -> tuple[Group, ...]:
    chance = random.Random(size)
    rows = [json.loads(line) for line in (FOLDER / "groups.jsonl").read_text("utf-8").splitlines()]
    groups: list[Group] = []
    for number in range(size):
        named, said, tagged = chance.choices(rows, k=3)
        image = Image(
            compshare_image_id=f"made-up-{number}",
            author=said["author"],
            tags=tuple(tagged["tags"]),
            price=named["price"],
            supported_gpu_types=tuple(named["gpus"]),
            pub_time=named["pub_time"] + number,
            softwares=(Software(framework=named["framework"], applications=tuple(named["applications"])),),
        )
        name = f"{named['name']} {chance.randrange(1000)}" if number % 3 else f"{named['name']} · {said['name']}"
        groups.append(
            Group(
                group_id=f"made-up-group-{number}",
                name=name,
                description=said["description"],
                created_count=chance.randrange(10_000),
                images=(image,),
            )
        )
    return tuple(groups)


def memory() -> float:
    """MiB that this process has taken at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(size: int) -> None:
    tiny = Catalogue(place=Place("", "", ""), fetched_at=0, all_groups=made_up(1))
    find(tiny, Criteria(query="照片 zzzz"))  # reads the vocabulary
    catalogue = Catalogue(place=Place("", "", ""), fetched_at=0, all_groups=made_up(size))
    before, start = memory(), time.perf_counter()
    assert len(catalogue.index) == size
    built = time.perf_counter() - start
    print(f"{size:>7} groups: index built in {built:.2f} s, {memory() - before:.0f} MiB", flush=True)
    slowest = ("", 0.0)
    every: list[float] = []
    for query in QUERIES:
        times: list[float] = []
        find(catalogue, Criteria(query=query))
        for _ in range(5):
            start = time.perf_counter()
            find(catalogue, Criteria(query=query))
            times.append((time.perf_counter() - start) * 1000)
        every += times
        slowest = max(slowest, (query, statistics.median(times)), key=lambda one: one[1])
    spread = statistics.quantiles(every, n=10)
    print(
        f"{'':>15} a query: median {statistics.median(every):.2f} ms, nine in ten within {spread[8]:.2f} ms; "
        f"slowest {slowest[1]:.2f} ms ({slowest[0]})"
    )


def main() -> None:
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
        return
    print(f"Python {platform.python_version()}, {platform.machine()}, one core")
    for size in SIZES:
        subprocess.run([sys.executable, __file__, str(size)], check=True)


if __name__ == "__main__":
    main()
