"""What the package says of itself, in several places, is the same."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from compshare_images import __version__

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "server" / "compshare_images"
ROOMS = ("place", "errors", "settings", "language", "upstream", "sandbox", "catalogue", "tools", "serving", "cli")


def manifest() -> dict[str, Any]:
    return json.loads((ROOT / "manifest.json").read_text("utf-8"))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_name_and_version_are_said_once_everywhere() -> None:
    assert (manifest()["name"], manifest()["version"]) == (project()["name"], project()["version"])
    assert project()["version"] == __version__


@pytest.mark.anyio
async def test_the_bundle_lists_the_tools_as_the_server_does(client: Client) -> None:
    listed = [{"name": tool.name, "description": tool.description} for tool in (await client.list_tools()).tools]
    assert manifest()["tools"] == listed


def test_the_bundle_sets_only_variables_that_are_read() -> None:
    read = set(re.findall(r"COMPSHARE_[A-Z_]+", (SOURCE / "settings.py").read_text("utf-8")))
    read |= {"COMPSHARE_PUBLIC_KEY", "COMPSHARE_PRIVATE_KEY"}
    assert set(manifest()["server"]["mcp_config"]["env"]) <= read


def test_the_readme_bears_the_mark_by_which_the_registry_knows_its_owner() -> None:
    mark = "<!-- mcp-name: io.github.compshare-images-mcp/compshare-images-mcp -->"
    assert (ROOT / "README.md").read_text("utf-8").count(mark) == 1


def test_keys_are_sensitive_in_the_bundle() -> None:
    options = manifest()["user_config"]
    assert options["public_key"]["sensitive"]
    assert options["private_key"]["sensitive"]


def test_every_dependency_is_justified_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    wanted = [*project()["dependencies"], *project()["optional-dependencies"]["dev"]]
    for requirement in wanted:
        assert f"`{re.split('[^a-z0-9-]', requirement)[0]}`" in readme


def test_every_file_of_the_layout_exists_and_every_module_is_in_it() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    layout = readme.partition("## Layout")[2].partition("## Dependencies")[0]
    named = set(re.findall(r"[\w/]*?(\w+\.py)", layout))
    modules = {path.name for path in SOURCE.rglob("*.py")} - {"__init__.py", "__main__.py"}
    in_the_sandbox = {path.name for path in (SOURCE / "sandbox").glob("*.py")}
    assert modules - in_the_sandbox <= named
    assert named <= modules | {path.name for folder in ("scripts", "bench") for path in (ROOT / folder).rglob("*.py")}


def test_each_room_imports_only_those_below_it() -> None:
    # The sandbox stands beside upstream, and connection.py alone puts it in the place of the service.
    for path in set(SOURCE.rglob("*.py")) - {SOURCE / "upstream" / "connection.py"}:
        room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if room in ROOMS:
            for imported in re.findall(r"^from compshare_images\.(\w+)", path.read_text("utf-8"), re.MULTILINE):
                assert ROOMS.index(imported) <= ROOMS.index(room), f"{path.name} imports {imported}"
