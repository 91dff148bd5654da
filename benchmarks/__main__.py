"""Run the benchmarks (all, or those named) and write benchmarks/results.json."""

import importlib
import sys

from benchmarks.results import CARD, keep, save

NAMES = (
    "em",
    "hmm",
    "autoregressive",
    "flow",
    "gan",
    "style",
    "diffusion",
    "flow_matching",
    "diffusion_gan",
    "metrics",
    "chapters",
    "grading",
    "classroom",
    "site",
    "suite",
)


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
    replaced = {row["name"] for row in fresh}
    kept = keep(lambda row: row["name"] not in replaced if names else row["name"].startswith(CARD))
    save([*kept, *fresh])
    for row in fresh:
        verdict = "" if row["ratio"] <= row["target"] else f"  ABOVE ITS TARGET {row['target']:g}"
        measured = f"{row['ours']:g} against {row['peer']:g} {row['unit']}, × {row['ratio']:g}"
        print(f"{row['name']}: {measured}{verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
