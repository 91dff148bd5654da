"""The file of all measurements, which the book's page shows."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")
CARD = "GPU, "  # begins the name of each row that only a card can measure anew


def keep(wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The rows of the file that are wanted."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    return [row for row in rows if wanted(row)]


def save(rows: list[dict[str, Any]]) -> None:
    """Write the file whole or not at all."""
    part = RESULTS.with_suffix(".part")
    part.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, RESULTS)
