"""Run a recipe in a folder that holds all there is to know of the run, and that can be gone on with.

config.json     the recipe's name, preset and every number in it
checkpoint/     weights, averages, optimiser and random state (see gdmcourse.training.checkpoint)
history.json    the losses by step, and history.png
samples.png     a picture of what it draws, of recipes that draw
metrics.json    the scores; written last, so that it marks a run as complete
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.settings import with_settings
from gdmcourse.training.device import make_fabric
from gdmcourse.training.randomness import derive_seed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONTENTS = ("config.json", "checkpoint", "history.json", "history.png", "samples.png", "metrics.json")


@dataclass(frozen=True)
class RunResult:
    """Where a run lies, its metrics, and whether this call did anything or found the run complete."""

    folder: Path
    metrics: dict[str, Any]
    was_complete: bool
    is_reporter: bool  # true in the one process of several that should speak


def run_recipe(
    name: str,
    preset: str = "laptop",
    *,
    out: str | Path | None = None,
    seed: int | None = None,
    precision: str | None = None,
    settings: Sequence[str] = (),
    devices: int | None = None,
    nodes: int | None = None,
    fresh: bool = False,
    progress: bool | None = None,
) -> RunResult:
    """Train the recipe `name`, or go on with it, in the folder `out`, `runs/NAME-PRESET` by default.

    A run that is complete is left as it is. `fresh` removes what an earlier run left in the folder. `seed`,
    `precision` and `settings` such as "target=x0" (see `with_settings`) replace the preset's. Raises
    ValueError for an unknown recipe, preset or setting, and for a folder that holds something else or a run
    with other settings; NonFiniteLoss as `fit` does.
    """
    recipe = with_settings(find_recipe(name, preset), settings)
    changes: dict[str, Any] = {"seed": seed, "precision": precision}
    recipe = replace(recipe, **{k: v for k, v in changes.items() if v is not None})
    folder = Path(out) if out is not None else Path("runs") / f"{name}-{preset}"
    config = {"name": name, "preset": preset, "recipe": asdict(recipe)}
    fabric = make_fabric(devices, nodes, recipe.precision)
    started = int(os.environ.get("WORLD_SIZE", fabric.world_size))
    if started != fabric.world_size:
        raise ValueError(f"torchrun started {started} processes, but {fabric.world_size} were asked for")
    if fabric.is_global_zero:
        if fresh:
            _clear(folder)
        else:
            _require_same(folder, config)
    fabric.barrier()
    if (folder / "metrics.json").exists():
        metrics = json.loads((folder / "metrics.json").read_text())
        return RunResult(folder, metrics, was_complete=True, is_reporter=fabric.is_global_zero)

    with fabric.rank_zero_first():  # so that a download happens once
        train = recipe.data("train")
    if fabric.is_global_zero:
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(folder / "config.json", config)
    played = recipe.train(train, fabric=fabric, checkpoint=folder / "checkpoint", progress=progress)

    metrics = {}
    if fabric.is_global_zero:
        _write_json(folder / "history.json", played.history.to_json())
        _write_figure(folder / "history.png", played.history.plot())
        model, rng = played.best(recipe.result), torch.Generator(fabric.device)
        figure = recipe.figure(model, rng.manual_seed(derive_seed(recipe.seed, "samples")))
        if figure is not None:
            _write_figure(folder / "samples.png", figure)
        scores = recipe.metrics(model, rng.manual_seed(derive_seed(recipe.seed, "metrics")))
        networks = played.modules.values()
        metrics = {
            **scores,
            "steps": recipe.steps,
            "parameters": sum(weights.numel() for network in networks for weights in network.parameters()),
            "seconds": round(played.seconds, 2),
            "device": str(fabric.device),
        }
        _write_json(folder / "metrics.json", metrics)
    fabric.barrier()
    return RunResult(folder, metrics, was_complete=False, is_reporter=fabric.is_global_zero)


def _require_same(folder: Path, config: dict[str, Any]) -> None:
    """Raise ValueError unless the folder is new, empty, or holds a run of just this configuration."""
    if not (folder / "config.json").exists():
        if folder.exists() and any(folder.iterdir()):
            raise ValueError(f"{folder} isn't empty and isn't a run; choose another folder")
        return
    before = json.loads((folder / "config.json").read_text())
    old, new = (
        {"name": c["name"], "preset": c["preset"], **c["recipe"]}
        for c in (before, json.loads(json.dumps(config)))
    )
    changed = [f"{k} {old.get(k)} → {new.get(k)}" for k in sorted(old | new) if old.get(k) != new.get(k)]
    if changed:
        raise ValueError(
            f"{folder} holds a run with other settings ({', '.join(changed)}); "
            "use --out for another folder, or --fresh to start over"
        )


def _clear(folder: Path) -> None:
    """Remove what a run writes, and nothing else."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "config.json").exists():
        raise ValueError(f"{folder} isn't empty and isn't a run; choose another folder")
    # The metrics go first and the configuration last: a half-cleared run is known as an unfinished one.
    for name in reversed(CONTENTS):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(draft, path)


def _write_figure(path: Path, figure: "Figure") -> None:
    """Write a picture whole or not at all."""
    draft = path.with_suffix(".draft")
    figure.savefig(draft, format="png")
    os.replace(draft, path)
