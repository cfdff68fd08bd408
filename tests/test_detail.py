"""`get_image_detail`: what is opened, and what it costs the service."""

import copy
from typing import Any

import pytest

from compshare_images.sandbox.samples import Row, sample_groups
from compshare_images.sandbox.service import Sandbox, Shape
from compshare_images.settings import load_settings
from compshare_images.tools.session import Session
from loopback import Loopback, Response, json_response, loopback, sandboxed
from machine import DENIED, GONE, Machine, catalogue_of, listing
from worlds import group, ids_of, image_id, version

pytestmark = pytest.mark.anyio


async def opened(session: Session, image_id: str, **given: object) -> dict[str, Any]:
    reply = await session.get_image_detail({"compshare_image_id": image_id, **given})
    assert reply.structure, reply.text
    return reply.structure


def several_versions() -> Row:
    """A group of at least three versions, the newest available and the oldest without a Readme."""
    return next(
        group
        for group in sample_groups()
        if len(group["Data"]) > 2
        and group["Data"][0].get("Status") == "Available"
        and "Readme" not in group["Data"][-1]
    )


GROUP = several_versions()
NEWEST, *OLDER = [image["CompShareImageId"] for image in GROUP["Data"]]


@pytest.mark.parametrize("shape", ["live", "documented", "sibling"])
@pytest.mark.parametrize("siblings", [True, False])
async def test_an_id_opens_exactly_that_version_in_every_shape(shape: Shape, siblings: bool) -> None:
    with loopback(sandboxed(Sandbox(shape=shape, siblings=siblings))) as service:
        async with Session(load_settings(service.settings)) as session:
            detail = await opened(session, OLDER[-1])
    assert detail["image"]["compshare_image_id"] == OLDER[-1]
    assert detail["image"]["group_id"] == GROUP["GroupId"]
    assert detail["image"]["url"] == f"https://www.compshare.cn/images/{OLDER[-1]}"
    assert len(service.forms) == 1


async def test_without_a_catalogue_a_version_waits_for_no_scan(session: Session, service: Loopback) -> None:
    detail = await opened(session, NEWEST)
    assert detail["catalogue"] == {"image_count": 0, "source": "live", "stale": False, "complete": False}
    assert len(service.forms) == 1


@pytest.mark.parametrize(
    "form", ["{}", "https://www.compshare.cn/images/{}", "https://www.compshare.cn/images/{}/?from=x#top"]
)
async def test_a_group_or_its_page_opens_the_newest_available_version(session: Session, form: str) -> None:
    detail = await opened(session, form.format(GROUP["GroupId"]))
    assert detail["image"]["compshare_image_id"] == NEWEST


async def test_a_group_with_an_id_of_the_old_form_is_told_from_a_version(session: Session) -> None:
    group = next(group for group in sample_groups() if group["GroupId"].startswith("compshareImage-"))
    detail = await opened(session, group["GroupId"])
    assert detail["image"]["group_id"] == group["GroupId"]


async def test_a_group_skips_versions_that_are_not_available(session: Session) -> None:
    group = next(
        group
        for group in sample_groups()
        if group["Data"][0].get("Status") != "Available" and group["Data"][-1].get("Status") == "Available"
    )
    detail = await opened(session, group["GroupId"])
    assert detail["image"]["status"] == "Available"
    assert detail["versions"][0]["status"] != "Available"


async def test_all_known_versions_are_listed_newest_first(session: Session) -> None:
    await session.search_community_images({"limit": 1})
    detail = await opened(session, OLDER[0])
    assert [version["compshare_image_id"] for version in detail["versions"]] == [NEWEST, *OLDER]


async def test_versions_say_only_what_differs_from_the_opened_one(session: Session) -> None:
    await session.search_community_images({"limit": 1})
    detail = await opened(session, NEWEST)
    own = next(version for version in detail["versions"] if version["compshare_image_id"] == NEWEST)
    assert not {"price", "size_gb", "framework", "cuda_version", "supported_gpu_types"} & set(own)
    sizes = {version.get("size_gb") for version in detail["versions"]}
    assert len(sizes) > 1


async def test_a_readme_is_read_in_parts_for_one_request(session: Session, service: Loopback) -> None:
    whole = (await opened(session, NEWEST, readme_limit=20000))["readme"]
    parts: list[str] = []
    offset: int | None = 0
    while offset is not None:
        part = (await opened(session, NEWEST, readme_offset=offset, readme_limit=100))["readme"]
        parts.append(part["text"])
        offset = part.get("next_offset")
    assert "".join(parts) == whole["text"]
    assert whole["total_chars"] == len(whole["text"])
    assert "next_offset" not in whole
    assert len(service.forms) == 1


async def test_no_readme_is_an_empty_text(session: Session) -> None:
    detail = await opened(session, OLDER[-1])
    assert detail["readme"] == {"text": "", "offset": 0, "total_chars": 0, "untrusted": True}


async def test_a_row_that_comes_again_without_its_readme_does_not_hide_it(session: Session, service: Loopback) -> None:
    bare = {**GROUP, "Data": [{"CompShareImageId": NEWEST}]}
    service.answer = lambda _: json_response({"RetCode": 0, "CompshareImageGroup": [GROUP, bare]})
    assert (await opened(session, NEWEST))["readme"]["total_chars"] > 0


async def test_a_part_past_the_end_is_empty_and_said(session: Session) -> None:
    reply = await session.get_image_detail({"compshare_image_id": NEWEST, "readme_offset": 10**6})
    assert reply.structure
    assert reply.structure["readme"]["text"] == ""
    assert "past the end" in reply.structure["note"]
    assert "past the end" in reply.text


async def test_a_detail_without_its_readme_says_how_long_that_is(session: Session) -> None:
    reply = await session.get_image_detail({"compshare_image_id": NEWEST, "readme_limit": 0})
    assert reply.structure
    assert reply.structure["readme"]["text"] == ""
    assert f"Readme: {reply.structure['readme']['total_chars']} characters" in reply.text
    assert not [line for line in reply.text.splitlines() if line.startswith("| ")]


async def test_versions_that_nobody_looked_up_yet_are_not_denied(session: Session) -> None:
    before = await session.get_image_detail({"compshare_image_id": NEWEST})
    await session.search_community_images({"limit": 1})
    after = await session.get_image_detail({"compshare_image_id": NEWEST})
    assert before.structure
    assert after.structure
    assert "Other versions may exist" in before.structure["note"]
    assert "Other versions may exist" in before.text
    assert "note" not in after.structure


async def test_every_readme_line_in_the_text_bears_a_mark(session: Session) -> None:
    reply = await session.get_image_detail({"compshare_image_id": NEWEST, "readme_limit": 20000})
    assert reply.structure
    marked = [line[2:] for line in reply.text.splitlines() if line.startswith("| ")]
    assert marked == reply.structure["readme"]["text"].split("\n")


async def test_facts_that_the_author_left_open_are_named(session: Session) -> None:
    group = copy.deepcopy(GROUP)
    for name in ("SupportedGpuTypes", "Softwares", "Size", "SoftwarePorts", "FirewallPorts"):
        group["Data"][0].pop(name, None)
    with loopback(sandboxed(Sandbox(groups=[group]))) as service:
        async with Session(load_settings(service.settings)) as bare:
            detail = await opened(bare, NEWEST)
    assert detail["image"]["not_stated"] == ["GPUs", "software", "CUDA", "size", "ports"]
    assert detail["image"]["softwares"] == []
    assert "not_stated" not in (await opened(session, full_facts()))["image"]


def full_facts() -> str:
    images = (image for group in sample_groups() for image in group["Data"])
    wanted = ("SupportedGpuTypes", "Size", "SoftwarePorts")
    return next(
        image["CompShareImageId"]
        for image in images
        if all(image.get(name) for name in wanted) and "CUDAVersion" in (image.get("Softwares") or {})
    )


async def test_an_unknown_id_is_not_found_and_near_ones_are_named(session: Session, service: Loopback) -> None:
    await session.search_community_images({"limit": 1})
    asked = len(service.forms)
    reply = await session.get_image_detail({"compshare_image_id": NEWEST[:-1]})
    assert reply.text.startswith("[not_found]")
    assert NEWEST in reply.text
    assert len(service.forms) == asked + 1


async def test_a_version_that_the_service_denies_leaves_the_catalogue(session: Session, service: Loopback) -> None:
    await session.search_community_images({"limit": 1})
    service.answer = lambda _: json_response({"RetCode": 8039, "Message": f"Resource not exist [{NEWEST}]"})
    assert (await session.get_image_detail({"compshare_image_id": NEWEST})).text.startswith("[not_found]")
    found = await session.search_community_images({"compshare_image_id": GROUP["GroupId"]})
    assert found.structure
    assert found.structure["images"][0]["compshare_image_id"] == OLDER[0]


async def test_an_answer_without_the_row_is_not_found(session: Session, service: Loopback) -> None:
    other = {**GROUP, "Data": GROUP["Data"][1:]}
    service.answer = lambda _: json_response({"RetCode": 0, "TotalCount": 1, "CompshareImageGroup": [other]})
    assert (await session.get_image_detail({"compshare_image_id": NEWEST})).text.startswith("[not_found]")


@pytest.mark.parametrize("trouble", [Response(404), Response(302, {"Location": "https://evil.example"})])
async def test_the_catalogue_s_copy_answers_when_the_service_cannot(
    session: Session, service: Loopback, trouble: Response
) -> None:
    await session.search_community_images({"limit": 1})
    service.answer = lambda _: trouble
    reply = await session.get_image_detail({"compshare_image_id": NEWEST})
    assert reply.structure
    assert reply.structure["catalogue"]["stale"] is True
    assert "readme" not in reply.structure
    assert f"HTTP {trouble.status}" in reply.structure["note"]
    assert f"HTTP {trouble.status}" in reply.text


@pytest.mark.parametrize(("ret_code", "code"), [(171, "authentication_failed"), (299, "permission_denied")])
async def test_refused_keys_are_an_error_whatever_the_catalogue_holds(
    session: Session, service: Loopback, ret_code: int, code: str
) -> None:
    await session.search_community_images({"limit": 1})
    service.answer = lambda _: json_response({"RetCode": ret_code, "Message": "no"})
    reply = await session.get_image_detail({"compshare_image_id": NEWEST})
    assert reply.text.startswith(f"[{code}]")


async def test_trouble_without_a_copy_is_an_error(session: Session, service: Loopback) -> None:
    service.answer = lambda _: Response(404)
    reply = await session.get_image_detail({"compshare_image_id": NEWEST})
    assert reply.text.startswith("[upstream_invalid]")


# Beside a snapshot.

HOUR = 3600


@pytest.mark.parametrize("wanted", [image_id(2), "group0000002"])
async def test_a_new_process_knows_groups_and_versions_for_one_request(machine: Machine, wanted: str) -> None:
    await machine.find()
    machine.go(listing(group(2, version(2, PubTime=20, Readme="# words"))))
    detail = await opened(await machine.start(), wanted)
    assert ids_of(detail["versions"]) == [image_id(2), image_id(3)]
    assert detail["readme"]["text"] == "# words"
    assert [form.get("CompShareImageId") for form in machine.forms] == [None, image_id(2)]


TROUBLES: list[tuple[object, int, int]] = [
    (GONE, 0, 1), ([], HOUR, 1), ({"RetCode": 150}, 24 * HOUR, 3), ({"RetCode": 153}, -HOUR, 3),
]  # fmt: skip


@pytest.mark.parametrize(("trouble", "age", "attempts"), TROUBLES)
async def test_a_new_process_opens_the_snapshot_s_copy_when_the_service_cannot_answer(
    machine: Machine, trouble: object, age: float, attempts: int
) -> None:
    await machine.find()
    machine.clock.now += age
    machine.go(trouble)
    detail = await opened(await machine.start(), image_id(3))
    assert (detail["image"]["compshare_image_id"], detail["catalogue"]["stale"]) == (image_id(3), True)
    assert "readme" not in detail
    assert machine.asked == 1 + attempts


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_denied_version_leaves_the_snapshot_too(machine: Machine, fresh: bool) -> None:
    session = await machine.start()
    before = await catalogue_of(session)
    machine.go(DENIED)
    denied = await (await machine.start() if fresh else session).get_image_detail({"compshare_image_id": image_id(1)})
    assert denied.text.startswith("[not_found] ")
    after = await machine.find()
    assert ids_of(after["images"]) == [image_id(2)]
    assert after["catalogue"]["fetched_at"] != before["fetched_at"]
    assert machine.asked == 2


async def test_a_denied_version_that_somebody_puts_back_is_asked_for_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def put_back(*_: object) -> None:
        """As if it had never gone."""

    monkeypatch.setattr("compshare_images.catalogue.keeper.Keeper.forget", put_back)
    session = await machine.start()
    await catalogue_of(session)
    machine.go(DENIED)
    reply = await session.get_image_detail({"compshare_image_id": "group0000002"})
    assert reply.text.startswith("[not_found] ")
    assert machine.asked == 2
