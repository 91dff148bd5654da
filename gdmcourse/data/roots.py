"""Where data sets lie on this machine."""

import os
import tempfile
from pathlib import Path

from gdmcourse.data.errors import MissingDataError

VARIABLE = "GDMCOURSE_DATA"


def cache_folder() -> Path:
    """The folder for what can be made again: `GDMCOURSE_CACHE`, else by the operating system's convention."""
    if chosen := os.environ.get("GDMCOURSE_CACHE"):
        return Path(chosen).expanduser()
    import platformdirs

    try:
        return platformdirs.user_cache_path("gdmcourse")
    except RuntimeError as error:
        raise MissingDataError(
            "there is no home for the cache here. Set GDMCOURSE_CACHE to a folder for it."
        ) from error


def cache_for(part: str) -> Path:
    """The folder `part` of the cache, made if it isn't there, in which files can be written.

    Raises MissingDataError where they can't, as in a read-only home, before anything long begins.
    """
    folder = cache_folder() / part
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"a trial")
    except OSError as error:
        raise MissingDataError(
            f"the cache {folder} can't be written ({error.strerror}). Set GDMCOURSE_CACHE to another folder."
        ) from error
    return folder


def data_root(root: str | Path | None = None) -> Path:
    """The folder of the data sets: `root`, else `GDMCOURSE_DATA`, else a folder in the user's cache."""
    chosen = root or os.environ.get(VARIABLE)
    return Path(chosen).expanduser() if chosen else cache_folder() / "data"
