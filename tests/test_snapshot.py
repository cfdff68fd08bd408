"""The catalogue on disk: what is kept and for whom, what of it is believed, and what becomes of one that is not."""

import base64
import os
import random
import runpy
import tracemalloc
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from pydantic import SecretStr

from compshare_images import __version__
from compshare_images.catalogue import snapshot
from compshare_images.catalogue.catalogue import Catalogue
from compshare_images.catalogue.snapshot import SnapshotFormat
from compshare_images.place import Place
from compshare_images.sandbox.samples import Row
from compshare_images.sandbox.service import PRIVATE_KEY, PUBLIC_KEY, Sandbox, Shape
from compshare_images.settings import KeyPair
from compshare_images.tools.reply import Reply
from compshare_images.tools.results import ImageFacts
from compshare_images.tools.session import Session
from compshare_images.upstream.wire import Group, Image, Owner, Software, SoftwarePort, read_page
from machine import URL, Machine, catalogue_of, listing
from worlds import SHAPES, group, image_id, version

pytestmark = pytest.mark.anyio

SECONDS = 10  # a bound on waiting, never an expectation
HOUR = 3600
KEYS = KeyPair(PUBLIC_KEY, SecretStr(PRIVATE_KEY))


@pytest.fixture
def no_umask() -> Generator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


# All of it comes back.


async def told(session: Session, image_ids: list[str]) -> list[Reply]:
    searches = [{"limit": 100, "offset": offset} for offset in (0, 60, 120)]
    queries = [{"query": "数字人"}, {"framework": "pytorch", "gpu_type": "4090"}, {"sort_field": "Price"}]
    found = [await session.search_community_images(given) for given in [*searches, *queries]]
    return [*found, *[await session.get_image_detail({"compshare_image_id": wanted}) for wanted in image_ids]]


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_snapshot_tells_of_every_image_what_the_scan_told(
    machine: Machine, samples: list[Row], shape: Shape
) -> None:
    image_ids = [image["CompShareImageId"] for group in samples for image in group["Data"]]
    machine.answer = Sandbox(groups=samples, shape=shape).answer
    first, second = await machine.start(), await machine.start()
    await catalogue_of(first)
    machine.go()
    scanned, asked = await told(first, image_ids), machine.asked
    assert await told(second, image_ids) == scanned
    assert not [reply.text for reply in scanned if reply.failed]
    assert machine.asked - asked == len(image_ids)


SOFTWARE = {
    "Framework": "PyTorch", "FrameworkVersion": "2.7.1", "CUDAVersion": "12.8", "OsVersion": "Ubuntu 22.04",
    "PythonVersion": "3.11", "Applications": ["ComfyUI", "FFmpeg"],
}  # fmt: skip
FULL = {
    "Name": "a name", "VersionName": "v2", "VersionDesc": "新：CUDA 12.8", "Description": "what it is for",
    "Author": "与AI同行", "AuthInfo": 2, "ImageOwnerAlias": "Community", "ImageType": "Custom", "IsOfficial": True,
    "Container": "False", "Status": "Available", "Visibility": 1, "Size": 61_441, "Tags": ["数字人", 'a "b" \\ c'],
    "Price": 0.1, "ImageCharge": True, "AutoStart": True, "Cover": "https://covers.example/1.jpg",
    "Softwares": [SOFTWARE, {"Framework": "TensorRT"}], "SourceGpuType": "4090",
    "SupportedGpuTypes": ["5090", "4090_48G"], "SoftwarePorts": [{"Software": "ComfyUI", "Port": 8188}, {"Port": 22}],
    "FirewallPorts": [22, 80], "CreatedCount": 2**53, "FavoritesCount": "6", "ImageUseTime": 7,
    "FailedReason": "none", "Owner": {"AccountName": "ann", "AccountId": 66}, "CreateTime": 1_769_900_000,
    "PubTime": 1_769_990_000,
}  # fmt: skip
FALSY = {
    "AuthInfo": 0, "IsOfficial": False, "Container": "True", "Status": "Reviewing", "Visibility": 0, "Price": 0,
    "ImageCharge": False, "AutoStart": False, "CreatedCount": 0, "FavoritesCount": 0, "ImageUseTime": 0,
}  # fmt: skip
COUNTERS = {"CreatedCount": 1, "FavoritesCount": 2, "ImageUseTime": 3}
GROUPS = [
    group(1, version(1, **FULL), version(2, **FALSY), {"CompShareImageId": image_id(3)}, ImageDesc="all", **COUNTERS),
    group(2, version(4), CreatedCount=0, FavoritesCount=0, ImageUseTime=0),
    group(3),
]
FLAT = [version(5, GroupId="flat", **FULL), version(6, GroupId="flat", **FALSY), {"CompShareImageId": image_id(7)}]
HELD = {"CompshareImageGroup": GROUPS, "ImageSet": FLAT}


@pytest.mark.parametrize("key", HELD)
async def test_a_snapshot_tells_whatever_an_author_can_state(machine: Machine, key: str) -> None:
    image_ids = [image_id(number) for number in range(1, 8)]
    machine.answer = lambda _: listing(*HELD[key], key=key)
    first, second = await machine.start(), await machine.start()
    await catalogue_of(first)
    machine.go()
    scanned = await told(first, image_ids)
    assert await told(second, image_ids) == scanned
    full = next(reply.structure for reply in scanned if reply.structure and "image" in reply.structure)
    assert set(full["image"]) == set(ImageFacts.model_fields) - {"not_stated"}


def stated_fields(record: Any) -> Iterator[tuple[type, str]]:  # noqa: ANN401 - a record of any kind
    for one in fields(record):
        value = getattr(record, one.name)
        if value != one.default:
            yield type(record), one.name
        for item in cast("tuple[object, ...]", value) if isinstance(value, tuple) else [value]:
            if is_dataclass(item):
                yield from stated_fields(item)


def test_a_snapshot_forgets_no_field_of_a_record() -> None:
    pages = [read_page({key: held}) for key, held in HELD.items()]
    groups = tuple(group for page in pages if page for group in page.groups)
    place = Place("region", None, "project")
    catalogue = Catalogue(place=place, fetched_at=1.25, complete=False, dropped=3, all_groups=groups)
    records = (Catalogue, Group, Image, Software, SoftwarePort, Owner)
    assert set(stated_fields(catalogue)) == {(record, one.name) for record in records for one in fields(record)}
    kind = SnapshotFormat(KEYS, "https://api.compshare.cn")
    assert repr(kind.load(kind.dump(catalogue), place)) == repr(catalogue)


@contextmanager
def little_memory() -> Generator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


async def test_reading_a_snapshot_takes_no_more_memory_than_it_is_worth(machine: Machine) -> None:
    await machine.find()
    session = await machine.start()
    with little_memory():
        await catalogue_of(session)
    assert machine.asked == 1


# Whose it is.

OTHERS = [
    {"COMPSHARE_BASE_URL": f"{URL}/other"},
    {"COMPSHARE_REGION": "cn-sh2", "COMPSHARE_ZONE": "cn-wlcb-01"},
    {"COMPSHARE_ZONE": "cn-wlcb-02"},
    {"COMPSHARE_PROJECT_ID": "org-1"},
    {"COMPSHARE_PUBLIC_KEY": "another"},
    {"COMPSHARE_PRIVATE_KEY": "another"},
]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: next(iter(other)))
async def test_another_service_place_or_user_has_another_snapshot(machine: Machine, other: dict[str, str]) -> None:
    for asked, settings in enumerate([{}, other], 1):
        for _ in range(2):
            await machine.find(**settings)
            assert machine.asked == asked


async def test_a_slash_at_the_end_of_the_base_url_makes_no_other_snapshot(machine: Machine) -> None:
    for settings in ({}, {"COMPSHARE_BASE_URL": f"{URL}/"}):
        await machine.find(**settings)
    assert machine.asked == 1


async def test_a_place_that_a_call_names_is_the_same_as_one_of_the_settings(machine: Machine) -> None:
    await catalogue_of(await machine.start(), region="cn-sh2", zone="cn-sh2-02", project_id="org-1")
    await machine.find(COMPSHARE_REGION="cn-sh2", COMPSHARE_ZONE="cn-sh2-02", COMPSHARE_PROJECT_ID="org-1")
    assert machine.asked == 1


@pytest.mark.parametrize("other", OTHERS[3:], ids=lambda other: next(iter(other)))
async def test_another_s_snapshot_under_one_s_own_name_is_not_believed(machine: Machine, other: dict[str, str]) -> None:
    await machine.find()
    file = machine.file()
    file.unlink()
    await machine.find(**other)
    machine.file().rename(file)
    await machine.find()
    assert machine.asked == 3


@pytest.mark.parametrize(("release", "asked"), [(__version__, 1), (f"{__version__}.1", 2)])
async def test_a_snapshot_of_another_release_is_not_believed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, release: str, asked: int
) -> None:
    await machine.find()
    monkeypatch.setattr("compshare_images.__version__", release)
    begun_anew: Any = runpy.run_path(snapshot.__file__)["SnapshotFormat"]
    ours, theirs = (kind(KEYS, URL) for kind in (SnapshotFormat, begun_anew))
    file = machine.file()
    catalogue = ours.load(file.read_bytes(), Place())
    assert catalogue
    file.write_bytes(theirs.dump(catalogue))
    await machine.find()
    assert machine.asked == asked
    assert (theirs.name(Place()) == ours.name(Place())) is (asked == 1)


async def test_nothing_of_the_keys_is_in_the_folder(machine: Machine) -> None:
    await machine.find()
    held = b"\n".join(file.name.encode() + file.read_bytes() for file in machine.folder.iterdir())
    assert image_id(1).encode() in held
    for secret in (PUBLIC_KEY, PRIVATE_KEY, machine.forms[0]["Signature"]):
        for form in (secret.encode(), secret.encode().hex().encode(), base64.b64encode(secret.encode())):
            assert form not in held


@pytest.mark.usefixtures("no_umask")
async def test_folder_and_files_are_their_owner_s_alone(machine: Machine) -> None:
    folder = machine.folder / "new" / "deep"
    await machine.find(COMPSHARE_CACHE_DIR=str(folder))
    modes = {file.suffix: file.stat().st_mode & 0o777 for file in [folder, *folder.iterdir()]}
    assert modes == {"": 0o700, ".snapshot": 0o600, ".lock": 0o600}


async def test_whoever_reads_the_old_one_reads_it_to_the_end(machine: Machine) -> None:
    await machine.find()
    with machine.file().open("rb") as reader:
        old = reader.read()
        machine.clock.now += 24 * HOUR
        await machine.find()
        reader.seek(0)
        assert reader.read() == old
    assert machine.file().read_bytes() != old


# What is not whole.

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    **{f"{size} bytes": lambda whole, size=size: whole[:size] for size in (0, 1, 32, 64, 65, 130, 512, -1)},
    "no groups": lambda whole: b"\n".join(whole.split(b"\n")[:2]),
    "no groups but a line": lambda whole: b"\n".join([*whole.split(b"\n")[:2], b""]),
    "a byte more": lambda whole: whole + b"\n",
    "no seal": lambda whole: whole[65:],
    "zeros": lambda whole: bytes(len(whole)),
    "no text": lambda _: b"\xff\xfe" * 500,
    "other JSON": lambda _: b"[]\n{}\n[]",
    "deep JSON": lambda _: b"[]\n" + b"[" * 100_000,
}
CHANCE = random.Random(20261124)  # noqa: S311 - the same damage every time


def flipped(part: float, bit: int) -> Callable[[bytes], bytes]:
    def flip(whole: bytes) -> bytes:
        at = int(part * len(whole))
        return whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]

    return flip


FLIPS = {f"flip {number}": flipped(CHANCE.random(), CHANCE.randrange(8)) for number in range(8)}
damages = pytest.mark.parametrize("damage", [pytest.param(one, id=name) for name, one in (DAMAGES | FLIPS).items()])


@damages
async def test_a_damaged_snapshot_is_read_anew_and_whole_again(
    machine: Machine, damage: Callable[[bytes], bytes]
) -> None:
    found = await machine.find()
    whole = machine.file().read_bytes()
    machine.file().write_bytes(damage(whole))
    assert await machine.find() == found
    assert machine.asked == 2
    assert machine.file().read_bytes() == whole


@damages
async def test_a_damaged_snapshot_does_not_take_away_what_a_process_knows(
    machine: Machine, damage: Callable[[bytes], bytes]
) -> None:
    session = await machine.start()
    found = await catalogue_of(session)
    machine.file().write_bytes(damage(machine.file().read_bytes()))
    machine.clock.now += HOUR
    assert await catalogue_of(session) == {**found, "stale": True}
    await session.settle()
    assert (await machine.find())["catalogue"] == await catalogue_of(session)
    assert machine.asked == 2


def put_nothing(_: Path) -> None:
    """Somebody has removed the file."""


def put_loop(file: Path) -> None:
    file.symlink_to(file)


def put_link(file: Path) -> None:
    file.with_name("other").write_text("another's words")
    file.symlink_to("other")


@pytest.mark.parametrize("put", [put_nothing, put_loop, put_link, os.mkfifo])
async def test_what_stands_in_a_snapshot_s_place_gives_way(machine: Machine, put: Callable[[Path], None]) -> None:
    found = await machine.find()
    file = machine.file()
    file.unlink()
    put(file)
    for _ in range(2):
        assert await machine.find() == found
    assert machine.asked == 2
    assert file.is_file()
    assert not file.is_symlink()
    assert [other.read_text() for other in file.parent.glob("other")] in ([], ["another's words"])


async def test_a_pipe_that_somebody_holds_open_is_not_read(machine: Machine) -> None:
    found = await machine.find()
    file = machine.file()
    whole = file.read_bytes()[:4000]
    file.unlink()
    os.mkfifo(file)
    session = await machine.start()
    with os.fdopen(os.open(file, os.O_RDWR | os.O_NONBLOCK), "r+b", buffering=0) as pipe, anyio.fail_after(SECONDS):
        pipe.write(whole)
        assert await catalogue_of(session) == found["catalogue"]
        assert pipe.read(4000) == whole
    assert file.is_file()


async def test_a_file_of_a_size_that_no_snapshot_has_is_not_read(machine: Machine) -> None:
    await machine.find()
    with machine.file().open("r+b") as file:
        file.truncate(2**28 + 1)
    session = await machine.start()
    with little_memory():
        await catalogue_of(session)
    assert machine.asked == 2


@pytest.mark.parametrize("kind", ["snapshot", "lock"])
async def test_nothing_is_read_or_written_through_a_link(machine: Machine, kind: str) -> None:
    await machine.find(COMPSHARE_CATALOGUE_TTL="0")
    file = machine.file(kind)
    away = file.rename(file.with_name("away"))
    file.symlink_to(away)
    before = away.read_bytes(), away.stat().st_mtime_ns
    await machine.find(COMPSHARE_CATALOGUE_TTL="600" if kind == "snapshot" else "0")
    assert machine.asked == 2
    assert (away.read_bytes(), away.stat().st_mtime_ns) == before


@pytest.mark.parametrize("kind", ["snapshot", "lock"])
async def test_a_folder_in_a_file_s_place_costs_only_speed(machine: Machine, kind: str) -> None:
    session = await machine.start(COMPSHARE_CATALOGUE_TTL="0")
    await catalogue_of(session)
    file = machine.file(kind)
    file.unlink()
    file.mkdir()
    for _ in range(2):
        assert (await catalogue_of(session))["stale"] is False
    assert machine.asked == 3
    assert machine.kinds == {".snapshot", ".lock"}
