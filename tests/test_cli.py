"""The command line for a person."""

import json

import pytest

from compshare_images import __version__
from compshare_images.cli import main
from compshare_images.sandbox.service import PRIVATE_KEY
from loopback import Loopback

pytestmark = pytest.mark.usefixtures("no_settings")


def test_search_prints_the_text_that_a_model_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "数字人", "--gpu-type", "4090", "--limit", "2", "--sandbox"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "SANDBOX: sample data; these ids do not exist on CompShare."
    assert second.startswith("2 of ")


def test_a_query_may_be_several_words(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--sandbox", "search", "lora", "训练", "--json"])
    apart = json.loads(capsys.readouterr().out)["images"]
    main(["--sandbox", "search", "lora 训练", "--json"])
    assert apart
    assert apart == json.loads(capsys.readouterr().out)["images"]


def test_json_is_the_structured_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--max-price", "0", "--sort-field", "Favor", "--json", "--sandbox"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["sorted_by"] == "Favor desc"
    assert {image["price"] for image in result["images"]} == {0.0}


def test_show_opens_what_search_found(capsys: pytest.CaptureFixture[str]) -> None:
    main(["search", "ComfyUI", "--limit", "1", "--json", "--sandbox"])
    image_id = json.loads(capsys.readouterr().out)["images"][0]["compshare_image_id"]
    assert main(["show", image_id, "--readme-limit", "0", "--sandbox"]) == 0
    assert image_id in capsys.readouterr().out


def test_a_failed_call_goes_to_standard_error_and_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--limit", "500", "--sandbox"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("[invalid_argument] limit: 500 is out of range; use 1 to 100")


def test_a_wrong_command_line_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["search", "--gpu", "4090", "--sandbox"])
    assert "--gpu" in capsys.readouterr().err


def test_the_sandbox_can_be_chosen_by_a_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPSHARE_SANDBOX", "1")
    assert main(["search"]) == 0
    assert capsys.readouterr().out.startswith("SANDBOX:")


def test_the_real_service_is_asked_with_the_keys_of_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, service: Loopback
) -> None:
    for name, value in service.settings.items():
        monkeypatch.setenv(name, value)
    assert main(["search", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["catalogue"]["source"] == "live"
    assert PRIVATE_KEY not in printed.out + printed.err


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"compshare-images-mcp {__version__}\n"
