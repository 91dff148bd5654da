"""The command; see the package's docstring."""

import argparse
import datetime
import logging
import sys
from typing import Any

import torch

import benchmarks.gpu
from benchmarks.gpu.bare import make_do
from benchmarks.gpu.measure import FULL, SMOKE, Finding, measure, recipes
from benchmarks.results import CARD, keep, save


def plan(absent: list[str]) -> str:
    """What would be done on a card."""
    from gdmcourse.recipes import find_recipe

    from benchmarks.gpu.checks import CHECKS

    names, left_out = recipes()
    lines = [f"absent and not needed: {', '.join(absent)}"] if absent else []
    lines += ["checks against the processor: " + ", ".join(check.__name__ for check in CHECKS)]
    lines += [f"the card's rate: bfloat16 matrices of {FULL.matrix} rows"]
    for name in names:
        recipe = find_recipe(name, "gpu")
        steps = f"{FULL.warmup} + {FULL.steps} steps of {recipe.batch_size}"
        lines += [f"{name}: {steps} in {recipe.precision}, eager and compiled; {FULL.samples} samples"]
    lines += [f"left out: {name}; {reason}" for name, reason in left_out.items()]
    lines += [f"nothing is begun after {FULL.seconds:g} seconds, and what that leaves out is named"]
    return "\n".join(f"  {line}" for line in lines)


def main(argv: list[str] | None = None) -> int:
    """Print what is found; returns 1 if a check or a measurement failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=benchmarks.gpu.__doc__)
    parser.add_argument("--plan", action="store_true", help="only say what would be done")
    parser.add_argument("--smoke", action="store_true", help="all of it in little, on the processor")
    asked = parser.parse_args(argv)
    absent = make_do()
    for name in (
        "lightning_fabric",
        "lightning.fabric",
    ):  # one of them says which precision it uses, each time
        logging.getLogger(name).setLevel(logging.WARNING)
    there = torch.cuda.is_available()
    if asked.plan or not (there or asked.smoke):
        print("On a card this would run:" if there else "There is no card here. On one, this would run:")
        print(plan(absent))
        return 0
    device = torch.device("cpu" if asked.smoke else "cuda")
    card = "the processor, in little" if asked.smoke else torch.cuda.get_device_name()
    print(f"On {card}, torch {torch.__version__}:", flush=True)
    findings = []
    for finding in measure(device, SMOKE if asked.smoke else FULL):
        findings.append(finding)
        print(finding, flush=True)
    if not asked.smoke:
        save([*keep(lambda row: not row["name"].startswith(CARD)), *rows(findings, card)])
    return 1 if any(finding.wrong for finding in findings) else 0


def rows(findings: list[Finding], card: str) -> list[dict[str, Any]]:
    """The measurements as rows of results.json, which have no peer."""
    about = {"machine": card, "date": datetime.date.today().isoformat()}
    return [
        {"name": CARD + found.what, "ours": float(f"{found.value:.4g}"), "unit": found.unit, **about}
        for found in findings
        if found.value is not None
    ]


if __name__ == "__main__":
    sys.exit(main())
