"""How long each piece of the book's work is likely to take, to say how long is left."""

import json
from pathlib import Path
from typing import Any

from gdmbook.records import FOLDER

UNKNOWN = 60.0  # seconds at reference speed of what has never been measured


class Estimates:
    """Seconds of chapters and models: those they took on this machine, else the benchmarks' at its speed."""

    def __init__(self, root: Path, speed: float) -> None:
        self.path, self.speed = root / FOLDER / "seconds.json", speed
        self.here: dict[str, float] = _read(self.path) or {}
        rows = _read(root / "benchmarks/results.json") or []
        self.benchmarks = {row["name"].partition(",")[0]: row["ours"] for row in rows if row["unit"] != "MiB"}

    def seconds(self, name: str) -> float:
        """Return the seconds to expect for what the benchmarks call `name` as well."""
        return self.here.get(name, self.benchmarks.get(name, UNKNOWN) / self.speed)

    def note(self, name: str, seconds: float) -> None:
        """Keep what `name` took."""
        self.here[name] = round(seconds, 1)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.here, indent=1, ensure_ascii=False), encoding="utf-8")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
