"""Results of runs that take too long for a chapter, as JSON, with the machine and the date of the run."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def record(name: str) -> dict[str, Any]:
    """The record `name`; raises ValueError, which lists those there are, for an unknown one."""
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.json")))
        raise ValueError(f"there is no record {name!r}; there are: {known}")
    return json.loads(path.read_text(encoding="utf-8"))
