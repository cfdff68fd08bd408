"""The sample catalogue, in the service's own spelling. Its images exist only here."""

import tomllib
from importlib.resources import files
from typing import Any

Row = dict[str, Any]


def sample_groups() -> list[Row]:
    """Every sample group with its versions under `Data`, newest first."""
    folder = files("compshare_images.sandbox") / "samples"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return [group for name in names for group in tomllib.loads((folder / name).read_text("utf-8"))["groups"]]
