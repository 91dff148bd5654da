"""Run the benchmarks (all, or those named) and write benchmarks/results.json."""

import importlib
import json
import os
import sys
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
NAMES = ("em", "diffusion", "chapters", "grading")


def main(names: list[str]) -> int:
    """Measure, show, and write; rows of benchmarks that were not asked for stay as they are."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"unknown benchmark {unknown[0]}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    fresh = []
    for name in names or NAMES:
        print(f"{name} …", flush=True)
        fresh += importlib.import_module(f"benchmarks.{name}").rows()
    kept = json.loads(RESULTS.read_text()) if names and RESULTS.exists() else []
    replaced = {row["name"] for row in fresh}
    results = [row for row in kept if row["name"] not in replaced] + fresh
    part = RESULTS.with_suffix(".part")
    part.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    os.replace(part, RESULTS)
    for row in fresh:
        verdict = "" if row["ratio"] <= row["target"] else f"  ABOVE ITS TARGET {row['target']:g}"
        measured = f"{row['ours']:g} against {row['peer']:g} {row['unit']}, × {row['ratio']:g}"
        print(f"{row['name']}: {measured}{verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
