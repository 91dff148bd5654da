"""A game and a chain as recipes: killed and gone on with, drawn, scored, fetched as a chapter does."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.run_folder import run_recipe
from gdmcourse.recipes.trained import trained

SCORES = {
    "gan-ring": {"modes", "high_quality"},
    "hmm-dice": {"bits", "bits_of_the_law", "dice_told"},
}
# Trains a smoke preset and, in a folder that is new, dies by SIGKILL at the end of its fifth step.
DIES = """
import os, signal, sys
from dataclasses import replace
from gdmcourse import recipes

name, folder = sys.argv[1:]
presets = __import__("importlib").import_module(f"gdmcourse.recipes.{recipes.CATALOG[name][0]}").RECIPES[name]
recipe = presets["smoke"] = replace(presets["smoke"], save_every=2)
if not os.path.exists(folder):
    cls, whole = type(recipe), type(recipe).after_step
    def after_step(self, modules, step):
        if step == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        whole(self, modules, step)
    cls.after_step = after_step
from gdmcourse.recipes.run_folder import run_recipe
run_recipe(name, "smoke", out=folder, progress=False)
"""


def weights(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    (last,) = (folder / "checkpoint").glob("step-*")
    return {path.stem: load_file(path) for path in last.glob("*.safetensors")}


@pytest.mark.parametrize("name", SCORES)
def test_a_killed_run_goes_on_to_the_same_end(name, tmp_path):
    command = [sys.executable, "-c", DIES, name]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = subprocess.run([*command, tmp_path / "killed"], env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "killed/checkpoint").glob("step-*")] == ["step-00000004"]
    resumed = subprocess.run([*command, tmp_path / "killed"], env=environment, check=True)
    assert resumed.returncode == 0
    (tmp_path / "whole").mkdir()
    subprocess.run([*command, tmp_path / "whole"], env=environment, check=True)
    ends = weights(tmp_path / "killed"), weights(tmp_path / "whole")
    assert ends[0].keys() == ends[1].keys()
    for file, tensors in ends[0].items():
        assert all(torch.equal(value, ends[1][file][key]) for key, value in tensors.items()), file
    for folder in ("killed", "whole"):
        metrics = json.loads((tmp_path / folder / "metrics.json").read_text())
        assert SCORES[name] <= metrics.keys()
        assert (tmp_path / folder / "samples.png").stat().st_size > 1000


@pytest.mark.parametrize("name", SCORES)
def test_it_is_fetched_as_a_chapter_does(name, tmp_path, monkeypatch):
    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path))
    first = trained(name, "smoke")
    monkeypatch.setattr("gdmcourse.recipes.recipe.play", None)  # a second training would fail
    again = trained(name, "smoke")
    assert first.networks.keys() == again.networks.keys()
    assert again.model is again.networks[again.recipe.result]
    for one, other in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)
        assert not one.requires_grad
    with pytest.raises(ValueError, match="no such field"):
        trained(name, "smoke", colour="red")


def test_the_chain_finds_the_casinos_dice(tmp_path):
    metrics = run_recipe("hmm-dice", out=tmp_path, progress=False).metrics
    assert metrics["bits_of_the_law"] < metrics["bits"] < metrics["bits_of_the_law"] + 0.02
    assert metrics["dice_told"] > 0.75


@pytest.mark.slow
def test_the_game_finds_the_ring():
    result = trained("gan-ring")
    metrics = result.recipe.metrics(result.model, torch.Generator().manual_seed(0))
    assert metrics["modes"] >= 7
    assert metrics["high_quality"] > 0.4
    assert isinstance(find_recipe("gan-ring").data("train"), torch.Tensor)
