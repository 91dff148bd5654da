"""Where data sets lie on this machine."""

import os
from pathlib import Path

VARIABLE = "GDMCOURSE_DATA"


def cache_folder() -> Path:
    """The folder for what can be made again: `GDMCOURSE_CACHE`, else by the operating system's convention."""
    if chosen := os.environ.get("GDMCOURSE_CACHE"):
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("gdmcourse")


def data_root(root: str | Path | None = None) -> Path:
    """The folder of the data sets: `root`, else `GDMCOURSE_DATA`, else a folder in the user's cache."""
    chosen = root or os.environ.get(VARIABLE)
    return Path(chosen).expanduser() if chosen else cache_folder() / "data"
