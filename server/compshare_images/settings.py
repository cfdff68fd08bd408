"""What the user configured: environment first, then the vendor's profile file.

Reading never fails: a server must start and list its tools whatever the settings are. What is wrong with them is kept
in `problems` and said when they are needed.
"""

import ipaddress
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

from pydantic import SecretStr

from compshare_images.errors import NotConfigured
from compshare_images.place import DEFAULT_REGION, DEFAULT_ZONE, Place

DEFAULT_BASE_URL = "https://api.compshare.cn"
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
LOG_LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)

_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}")
_HOST = re.compile(r"(?!.*\.\.)[^\W_](?:[\w.-]*[^\W_])?\.?")
_HOW_TO_GET_KEYS = (
    "Set COMPSHARE_PUBLIC_KEY and COMPSHARE_PRIVATE_KEY (made at https://console.compshare.cn/uaccount/api_manage), "
    "or try the sample data with COMPSHARE_SANDBOX=1. Do not retry before that."
)


@dataclass(frozen=True, slots=True)
class KeyPair:
    public: str
    private: SecretStr


@dataclass(frozen=True, slots=True)
class Settings:
    """`timeout` and `catalogue_ttl` are in seconds; `cache_dir` None is the platform's own.

    `problems` make every call fail; `missing` says what was found of keys when there is no whole pair.
    """

    keys: KeyPair | None = None
    place: Place = field(default_factory=Place)
    base_url: str = DEFAULT_BASE_URL
    timeout: float = 12.0
    catalogue_ttl: float = 600.0
    cache_dir: Path | None = None
    log_level: LogLevel = "WARNING"
    sandbox: bool = False
    problems: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def usable_keys(self) -> KeyPair:
        """The key pair to sign with.

        Raises:
            NotConfigured: there is none, or another setting cannot be used.
        """
        if self.problems:
            raise NotConfigured(" ".join(self.problems), remedy="Correct the setting and restart the server.")
        if self.keys is None:
            raise NotConfigured(" ".join(["No CompShare keys are set.", *self.missing]), remedy=_HOW_TO_GET_KEYS)
        return self.keys


def load_settings(environ: Mapping[str, str] = os.environ, *, sandbox: bool = False) -> Settings:
    return _Loader(environ).load(sandbox=sandbox)


class _Loader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []
        self.missing: list[str] = []

    def load(self, *, sandbox: bool) -> Settings:
        sandbox = sandbox or (self.value("COMPSHARE_SANDBOX") or "").lower() in {"1", "true", "yes", "on"}
        return Settings(
            keys=None if sandbox else self.keys(),
            place=self.place(),
            base_url=DEFAULT_BASE_URL if sandbox else self.base_url(),
            timeout=self.seconds("COMPSHARE_TIMEOUT", 12.0, least=0.1),
            catalogue_ttl=self.seconds("COMPSHARE_CATALOGUE_TTL", 600.0, least=0.0),
            cache_dir=Path(folder) if (folder := self.value("COMPSHARE_CACHE_DIR")) else None,
            log_level=self.log_level(),
            sandbox=sandbox,
            problems=tuple(self.problems),
            missing=tuple(self.missing),
        )

    def value(self, name: str) -> str | None:
        value = _stated(self.environ.get(name))
        if value and not _is_unicode(value):
            self.problems.append(f"{name} is not valid Unicode text.")
            return None
        return value

    def keys(self) -> KeyPair | None:
        for prefix in ("COMPSHARE", "UCLOUD"):
            names = f"{prefix}_PUBLIC_KEY", f"{prefix}_PRIVATE_KEY"
            public, private = map(self.value, names)
            if public and private:
                return KeyPair(public, SecretStr(private))
            if public or private:
                self.missing.append(f"{names[1] if public else names[0]} is missing.")
        return self.profile_keys()

    def profile_keys(self) -> KeyPair | None:
        configured = self.value("COMPSHARE_CONFIG_FILE")
        folder = self.value("XDG_CONFIG_HOME") or "~/.config"
        shown = "The file named by COMPSHARE_CONFIG_FILE" if configured else "~/.config/compshare/config.json"
        try:
            path = Path(configured or f"{folder}/compshare/config.json").expanduser()
            if not path.is_file():
                if configured:
                    self.problems.append(f"{shown} does not exist.")
                return None
            content: object = json.loads(path.read_bytes())
        except (OSError, RuntimeError, ValueError):  # unreadable, an unknown ~user or too deep, not JSON
            self.problems.append(f"{shown} cannot be read as JSON.")
            return None
        chosen = self.value("COMPSHARE_PROFILE")
        profile = _member(_member(content, "profiles"), chosen or _member(content, "current_profile") or "default")
        public, private = (_stated(_member(profile, name)) for name in ("public_key", "private_key"))
        if public and private and _is_unicode(public + private):
            return KeyPair(public, SecretStr(private))
        lack = "has no such profile" if profile is None else "holds no pair of keys in its profile"
        self.missing.append(f"{shown} {lack}.")
        return None

    def place(self) -> Place:
        region = self.value("COMPSHARE_REGION") or DEFAULT_REGION
        zone = self.value("COMPSHARE_ZONE") or (DEFAULT_ZONE if region == DEFAULT_REGION else None)
        return Place(region=region, zone=zone, project_id=self.value("COMPSHARE_PROJECT_ID"))

    def base_url(self) -> str:
        url = self.value("COMPSHARE_BASE_URL") or DEFAULT_BASE_URL
        try:
            parts = urlsplit(url)
            secure, host = parts.scheme.lower(), parts.hostname
            usable = parts.port != 0 and parts.username is None and not parts.query and not parts.fragment
        except ValueError:
            secure, host, usable = "", None, False
        if not host or not usable or secure not in {"http", "https"} or not _is_host(host):
            self.problems.append(f"COMPSHARE_BASE_URL is not a web address such as {DEFAULT_BASE_URL}.")
        elif secure == "http" and not _is_loopback(host):
            self.problems.append("COMPSHARE_BASE_URL must begin with https://; plain http:// is for loopback only.")
        return url

    def seconds(self, name: str, default: float, *, least: float) -> float:
        text = self.value(name)
        try:
            number = default if text is None else float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and number >= least:
            return number
        self.problems.append(f"{name} must be a number of seconds, {least:g} or more, such as {default:g}.")
        return default

    def log_level(self) -> LogLevel:
        asked = (self.value("COMPSHARE_LOG_LEVEL") or "WARNING").upper()
        for level in LOG_LEVELS:
            if level == asked:
                return level
        self.problems.append(f"COMPSHARE_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}.")
        return "WARNING"


def _member(content: object, name: object) -> Any:  # noqa: ANN401 - any JSON value
    return cast("dict[object, Any]", content).get(name) if isinstance(content, dict) and isinstance(name, str) else None


def _stated(value: object) -> str | None:
    """The text; an empty one, or a host's unfilled `${…}` placeholder, is none."""
    value = value.strip() if isinstance(value, str) else ""
    return None if not value or _PLACEHOLDER.fullmatch(value) else value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_host(host: str) -> bool:
    return ":" in host or _HOST.fullmatch(host) is not None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
