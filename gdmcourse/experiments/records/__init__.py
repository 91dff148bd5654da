"""Results of runs that take too long for a chapter, as JSON, with the machine and the date of the run."""

import datetime
import json
import platform
import re
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


def save_record(name: str, content: dict[str, Any], folder: Path = FOLDER) -> None:
    """Write `content` as the record `name` into `folder`, with this machine's processor and today's date."""
    content = {**content, "machine": processor(), "date": datetime.date.today().isoformat()}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def processor() -> str:
    """The name of this machine's processor."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.M) if info.exists() else None
    name = found[1].strip() if found else "unknown"
    return name if name != "unknown" else platform.processor() or platform.machine()
