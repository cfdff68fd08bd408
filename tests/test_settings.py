"""Settings: where they come from, and what is said when they cannot be used."""

import json
from pathlib import Path

import pytest

from compshare_images.errors import NotConfigured
from compshare_images.place import Place
from compshare_images.settings import KeyPair, Settings, load_settings

Profiles = dict[str, dict[str, str]]


def load(folder: Path, **environ: str) -> Settings:
    return load_settings({"XDG_CONFIG_HOME": str(folder), **environ})


def write_profiles(folder: Path, content: object) -> None:
    file = folder / "compshare" / "config.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


def keys_of(settings: Settings) -> tuple[str, str]:
    keys = settings.usable_keys()
    return keys.public, keys.private.get_secret_value()


def test_nothing_set_means_the_documented_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings == Settings(
        keys=None,
        place=Place("cn-wlcb", "cn-wlcb-01", None),
        base_url="https://api.compshare.cn",
        timeout=12,
        catalogue_ttl=600,
        log_level="WARNING",
    )


def test_without_keys_the_error_says_where_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match=r"COMPSHARE_PUBLIC_KEY.*console\.compshare\.cn"):
        load(tmp_path).usable_keys()


def test_keys_of_the_vendor_s_own_variables_come_first(tmp_path: Path) -> None:
    write_profiles(tmp_path, {"profiles": {"default": {"public_key": "file", "private_key": "file"}}})
    own = {"COMPSHARE_PUBLIC_KEY": "a", "COMPSHARE_PRIVATE_KEY": "b"}
    main_cloud = {"UCLOUD_PUBLIC_KEY": "c", "UCLOUD_PRIVATE_KEY": "d"}
    assert keys_of(load(tmp_path, **own, **main_cloud)) == ("a", "b")
    assert keys_of(load(tmp_path, **main_cloud)) == ("c", "d")
    assert keys_of(load(tmp_path)) == ("file", "file")


def test_both_keys_come_from_one_source(tmp_path: Path) -> None:
    environ = {"COMPSHARE_PUBLIC_KEY": "a", "UCLOUD_PUBLIC_KEY": "c", "UCLOUD_PRIVATE_KEY": "d"}
    assert keys_of(load(tmp_path, **environ)) == ("c", "d")


@pytest.mark.parametrize("unset", ["", "   ", "${COMPSHARE_PUBLIC_KEY}", "${user_config.public_key}"])
def test_an_empty_value_or_a_placeholder_is_unset(tmp_path: Path, unset: str) -> None:
    environ = {"COMPSHARE_PUBLIC_KEY": unset, "COMPSHARE_PRIVATE_KEY": unset, "COMPSHARE_REGION": unset}
    settings = load(tmp_path, **environ)
    assert settings.keys is None
    assert settings.place.region == "cn-wlcb"
    assert settings.problems == ()


def test_the_profile_that_is_asked_for_is_read(tmp_path: Path) -> None:
    profiles = {name: {"public_key": name, "private_key": "x"} for name in ("default", "work", "home")}
    write_profiles(tmp_path, {"current_profile": "work", "profiles": profiles})
    assert keys_of(load(tmp_path))[0] == "work"
    assert keys_of(load(tmp_path, COMPSHARE_PROFILE="home"))[0] == "home"


def test_another_profile_file_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.json"
    file.write_text(json.dumps({"profiles": {"default": {"public_key": "p", "private_key": "q"}}}))
    assert keys_of(load(tmp_path, COMPSHARE_CONFIG_FILE=str(file))) == ("p", "q")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '"text"', "null", '{"profiles": []}', '{"profiles": {"default": 1}}', "[" * 100_000]
)
def test_a_broken_profile_file_is_no_keys_and_no_crash(tmp_path: Path, content: str) -> None:
    write_profiles(tmp_path, content)
    with pytest.raises(NotConfigured) as caught:
        load(tmp_path).usable_keys()
    assert str(tmp_path) not in str(caught.value)


def test_a_region_without_a_zone_gets_no_zone_of_another_region(tmp_path: Path) -> None:
    assert load(tmp_path, COMPSHARE_REGION="cn-sh2").place == Place("cn-sh2", None, None)
    assert load(tmp_path, COMPSHARE_REGION="cn-wlcb").place.zone == "cn-wlcb-01"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.compshare.cn",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "ftp://localhost",
        "api.compshare.cn",
        "https://",
        "http://[::1",
        "https://key:secret@api.compshare.cn",
        "https://api.compshare.cn/?Action=x",
        "http://0.0.0.0:80",
    ],
)
def test_a_base_url_that_cannot_be_trusted_is_refused(tmp_path: Path, url: str) -> None:
    settings = load(tmp_path, COMPSHARE_BASE_URL=url, COMPSHARE_PUBLIC_KEY="a", COMPSHARE_PRIVATE_KEY="b")
    with pytest.raises(NotConfigured, match="COMPSHARE_BASE_URL"):
        settings.usable_keys()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "HTTP://localhost", "http://[::1]:9/", "https://proxy.example/x"]
)
def test_https_and_loopback_are_accepted(tmp_path: Path, url: str) -> None:
    settings = load(tmp_path, COMPSHARE_BASE_URL=url, COMPSHARE_PUBLIC_KEY="a", COMPSHARE_PRIVATE_KEY="b")
    assert settings.usable_keys().public == "a"


@pytest.mark.parametrize("name", ["COMPSHARE_TIMEOUT", "COMPSHARE_CATALOGUE_TTL", "COMPSHARE_LOG_LEVEL"])
@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", "1e999"])
def test_a_value_that_makes_no_sense_is_said_by_name(tmp_path: Path, name: str, value: str) -> None:
    settings = load(tmp_path, COMPSHARE_PUBLIC_KEY="a", COMPSHARE_PRIVATE_KEY="b", **{name: value})
    with pytest.raises(NotConfigured, match=name):
        settings.usable_keys()


def test_a_lifetime_of_zero_is_a_setting(tmp_path: Path) -> None:
    assert load(tmp_path, COMPSHARE_CATALOGUE_TTL="0").catalogue_ttl == 0


@pytest.mark.parametrize(("value", "sandbox"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_the_sandbox_takes_no_keys_from_anywhere(tmp_path: Path, value: str, sandbox: bool) -> None:
    settings = load(tmp_path, COMPSHARE_SANDBOX=value, COMPSHARE_PUBLIC_KEY="a", COMPSHARE_PRIVATE_KEY="b")
    assert settings.sandbox is sandbox
    assert (settings.keys is None) is sandbox


def test_settings_do_not_show_the_private_key() -> None:
    settings = load_settings({"COMPSHARE_PUBLIC_KEY": "a", "COMPSHARE_PRIVATE_KEY": "hidden-word"})
    assert isinstance(settings.keys, KeyPair)
    assert "hidden-word" not in repr(settings) + str(settings)
