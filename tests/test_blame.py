"""Whose value it was that failed a call: an argument, a setting, or neither."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from compshare_images.sandbox.service import PRIVATE_KEY, PUBLIC_KEY
from compshare_images.settings import load_settings
from compshare_images.tools.reply import Reply
from compshare_images.tools.session import Session
from loopback import Loopback, json_response
from worlds import image_id

pytestmark = pytest.mark.anyio

COMMAND = str(Path(sys.executable).with_name("compshare-images-mcp"))
SECONDS = 20  # a bound on waiting, never an expectation
DEFAULT_REGION = "cn-wlcb"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
async def session(service: Loopback) -> AsyncGenerator[Session]:
    async with Session(load_settings(service.settings)) as opened:
        yield opened


async def search_with(settings: dict[str, str], **given: object) -> Reply:
    async with Session(load_settings({"XDG_CONFIG_HOME": os.devnull, **settings})) as session:
        return await session.search_community_images(given)


def refuse(service: Loopback, ret_code: int, message: str = "", wait: str = "") -> None:
    service.answer = lambda _: json_response({"RetCode": ret_code, "Message": message}, Retry_After=wait)


# What the service refuses.


async def test_a_zone_that_a_region_is_missing_is_the_matter_of_the_region(session: Session, service: Loopback) -> None:
    refuse(service, 230, "Params [Zone] not available")
    reply = await session.search_community_images({"region": "cn-sh2"})
    assert reply.text.startswith("[invalid_argument] region: ")


@pytest.mark.parametrize("given", [{}, {"region": DEFAULT_REGION}], ids=["nothing", "default region"])
async def test_a_zone_from_the_settings_is_a_matter_of_the_settings(service: Loopback, given: dict[str, str]) -> None:
    reply = await search_with({**service.settings, "COMPSHARE_ZONE": "mars-01"}, **given)
    assert reply.text.startswith("[not_configured] ")
    assert "COMPSHARE_ZONE" in reply.text
    assert [form["Zone"] for form in service.forms] == ["mars-01"]


@pytest.mark.parametrize("parameter", ["Limit", "Offset", "ExcludeReadme", "Action"])
@pytest.mark.parametrize("given", [{}, {"region": "cn-sh2", "limit": 5}], ids=str)
async def test_a_parameter_that_no_caller_decides_is_nobodys_fault(
    session: Session, service: Loopback, parameter: str, given: dict[str, object]
) -> None:
    refuse(service, 230, f"Params [{parameter}] not available")
    reply = await session.search_community_images(given)
    assert reply.text.startswith("[upstream_invalid] ")
    assert f"[{parameter}]" in reply.text


NAMELESS: list[tuple[str, dict[str, str], str]] = [
    ("search_community_images", {}, "[not_configured] "),
    ("search_community_images", {"compshare_image_id": "anything"}, "[not_configured] "),
    ("search_community_images", {"region": "cn-sh2"}, "[invalid_argument] region: "),
    ("search_community_images", {"project_id": "org-1"}, "[invalid_argument] project_id: "),
    ("get_image_detail", {"compshare_image_id": image_id(1)}, "[invalid_argument] compshare_image_id: "),
]


@pytest.mark.parametrize(("tool", "given", "said"), NAMELESS)
async def test_a_refusal_without_a_name_is_of_what_the_call_had_sent(
    session: Session, service: Loopback, tool: str, given: dict[str, str], said: str
) -> None:
    refuse(service, 160, "Missing params")
    reply: Reply = await getattr(session, tool)(given)
    assert reply.text.startswith(said)
    assert "RetCode 160" in reply.text


@pytest.mark.parametrize("ret_code", [171, 299, 230])
async def test_what_no_wait_mends_is_not_to_be_retried_after_one(
    session: Session, service: Loopback, ret_code: int
) -> None:
    refuse(service, ret_code, wait="7")
    reply = await session.search_community_images({})
    assert reply.failed
    assert "Retry after" not in reply.text


async def test_a_wait_that_the_service_asks_for_is_said(session: Session, service: Loopback) -> None:
    refuse(service, 153, wait="77")
    assert "Retry after 77 seconds" in (await session.search_community_images({})).text


# What is wrong before anybody is asked.


@pytest.mark.parametrize("wrong", ["latest", "12.4beta", ">=", "<12", "12..4"])
async def test_a_version_that_is_none_costs_no_request(session: Session, service: Loopback, wrong: str) -> None:
    reply = await session.search_community_images({"cuda_version": wrong})
    assert reply.text.startswith("[invalid_argument] cuda_version: ")
    assert service.forms == []


@pytest.mark.parametrize("page", ["https://www.compshare.cn/images/", "https://www.compshare.cn/images?x=1", "/", "#"])
async def test_a_page_of_no_image_costs_no_request(session: Session, service: Loopback, page: str) -> None:
    reply = await session.get_image_detail({"compshare_image_id": page})
    assert reply.text.startswith("[invalid_argument] compshare_image_id: ")
    assert service.forms == []


# Settings.


@pytest.mark.parametrize("prefix", ["COMPSHARE", "UCLOUD"])
@pytest.mark.parametrize(("half", "missing"), [("PUBLIC_KEY", "PRIVATE_KEY"), ("PRIVATE_KEY", "PUBLIC_KEY")])
async def test_half_a_pair_of_keys_is_none_and_the_other_half_is_asked_for(
    prefix: str, half: str, missing: str
) -> None:
    reply = await search_with({f"{prefix}_{half}": "half-a-secret"})
    assert reply.text.startswith("[not_configured] ")
    assert f"{prefix}_{missing} is missing" in reply.text
    assert "half-a-secret" not in reply.text


async def test_halves_of_two_sources_make_no_pair(service: Loopback) -> None:
    halves = {"COMPSHARE_PUBLIC_KEY": PUBLIC_KEY, "UCLOUD_PRIVATE_KEY": PRIVATE_KEY}
    reply = await search_with({"COMPSHARE_BASE_URL": service.url, **halves})
    assert reply.text.startswith("[not_configured] ")
    assert service.forms == []


async def test_a_profile_file_that_is_named_and_not_there_is_said_without_its_path(tmp_path: Path) -> None:
    reply = await search_with({"COMPSHARE_CONFIG_FILE": str(tmp_path / "nowhere.json")})
    assert reply.text.startswith("[not_configured] ")
    assert "COMPSHARE_CONFIG_FILE" in reply.text
    assert "does not exist" in reply.text
    assert "nowhere" not in reply.text
    assert str(tmp_path) not in reply.text


@pytest.mark.parametrize("unset", ["${COMPSHARE_PRIVATE_KEY}", "  ", "", None, 5])
async def test_a_placeholder_inside_the_profile_file_is_no_key(
    service: Loopback, tmp_path: Path, unset: object
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"profiles": {"default": {"public_key": PUBLIC_KEY, "private_key": unset}}}))
    reply = await search_with({"COMPSHARE_BASE_URL": service.url, "COMPSHARE_CONFIG_FILE": str(file)})
    assert reply.text.startswith("[not_configured] ")
    assert "no pair of keys" in reply.text
    assert service.forms == []


# The sandbox needs nothing of what is set for the real service.


@pytest.mark.parametrize("url", ["http://api.compshare.cn", "nonsense", "https://user:word@host.example"])
async def test_the_sandbox_does_not_mind_the_address_of_the_service(url: str) -> None:
    reply = await search_with({"COMPSHARE_SANDBOX": "1", "COMPSHARE_BASE_URL": url})
    assert not reply.failed, reply.text


@pytest.fixture(params=["nonsense://127.0.0.1:1", "http://[::1"])
def broken_proxy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", request.param)
    return request.param


@pytest.mark.usefixtures("broken_proxy")
async def test_the_sandbox_does_not_mind_a_broken_proxy() -> None:
    reply = await search_with({"COMPSHARE_SANDBOX": "1"})
    assert not reply.failed, reply.text


async def test_a_broken_proxy_is_a_matter_of_the_environment(broken_proxy: str) -> None:
    keys = {"COMPSHARE_PUBLIC_KEY": PUBLIC_KEY, "COMPSHARE_PRIVATE_KEY": PRIVATE_KEY}
    reply = await search_with({**keys, "COMPSHARE_BASE_URL": "https://127.0.0.1:1"})
    assert reply.text.startswith("[not_configured] ")
    assert "HTTPS_PROXY" in reply.text
    assert broken_proxy not in reply.text


# Logs.


def ran(*arguments: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}
    environment = {**keep, "XDG_CONFIG_HOME": os.devnull, **settings}
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment,
        input=b"".join(json.dumps(message).encode() + b"\n" for message in CONVERSATION),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )


CONVERSATION: list[dict[str, object]] = [
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}},
]


@pytest.mark.parametrize(("arguments", "level"), [(["search", "--json"], "debug"), ([], "DEBUG")], ids=str)
def test_the_most_talkative_level_talks_to_standard_error_and_tells_no_secret(
    service: Loopback, arguments: list[str], level: str
) -> None:
    process = ran(*arguments, **service.settings, COMPSHARE_LOG_LEVEL=level)
    assert process.returncode == 0
    assert b"DEBUG" in process.stderr
    assert [json.loads(line) for line in process.stdout.splitlines()]
    told = [*(form["Signature"] for form in service.forms), PRIVATE_KEY]
    assert not [secret for secret in told if secret.encode() in process.stderr + process.stdout]


def test_the_level_that_is_not_set_says_nothing_of_what_goes_well(service: Loopback) -> None:
    process = ran("search", "--json", **service.settings)
    assert (process.returncode, process.stderr) == (0, b"")
