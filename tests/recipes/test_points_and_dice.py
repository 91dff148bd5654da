"""A game and a chain as recipes: killed and gone on with, drawn, scored, fetched as a chapter does."""

import json
import math
import os
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
# Trains each smoke preset in forks: one dies by SIGKILL at the end of its fifth step and goes on, one lives.
KILLS = """
import os, sys
from dataclasses import replace
from glob import glob
from importlib import import_module

import matplotlib.pyplot
from gdmcourse import recipes
from gdmcourse.recipes.run_folder import run_recipe
from gdmcourse.training import make_fabric

def train(name, folder, dies):
    presets = import_module(f"gdmcourse.recipes.{recipes.CATALOG[name][0]}").RECIPES[name]
    recipe = presets["smoke"] = replace(presets["smoke"], save_every=2)
    cls, whole = type(recipe), type(recipe).after_step
    def after_step(self, modules, step):
        if step == 5 and dies:
            os.kill(os.getpid(), 9)
        whole(self, modules, step)
    cls.after_step = after_step
    run_recipe(name, "smoke", out=folder, progress=False)

def in_fork(name, folder, dies=False):
    child = os.fork()
    if child == 0:
        try:
            train(name, folder, dies)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]

make_fabric()  # so that the forks needn't import it
root, *names = sys.argv[1:]
for name in names:
    assert in_fork(name, f"{root}/{name}/killed", dies=True) == 9
    kept = glob(f"{root}/{name}/killed/checkpoint/step-*")
    assert [os.path.basename(path) for path in kept] == ["step-00000004"]
    assert in_fork(name, f"{root}/{name}/killed") == 0
    assert in_fork(name, f"{root}/{name}/whole") == 0
"""


def weights(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    (last,) = (folder / "checkpoint").glob("step-*")
    return {path.stem: load_file(path) for path in last.glob("*.safetensors")}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folders of the runs, by recipe."""
    root = tmp_path_factory.mktemp("runs")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", KILLS, root, *SCORES]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root


@pytest.mark.parametrize("name", SCORES)
def test_a_killed_run_goes_on_to_the_same_end(name, runs):
    folder = runs / name
    ends = weights(folder / "killed"), weights(folder / "whole")
    assert ends[0].keys() == ends[1].keys()
    for file, tensors in ends[0].items():
        assert all(torch.equal(value, ends[1][file][key]) for key, value in tensors.items()), file
    for run in ("killed", "whole"):
        metrics = json.loads((folder / run / "metrics.json").read_text())
        assert SCORES[name] <= metrics.keys()
        assert (folder / run / "samples.png").stat().st_size > 1000


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
    assert 2.3 < metrics["bits_of_the_law"] < math.log2(6)  # in nats it would be about 1.7
    assert metrics["dice_told"] > 0.75


@pytest.mark.slow
def test_the_game_finds_the_ring():
    result = trained("gan-ring")
    metrics = result.recipe.metrics(result.model, torch.Generator().manual_seed(0))
    assert metrics["modes"] >= 7
    assert metrics["high_quality"] > 0.4
    assert isinstance(find_recipe("gan-ring").data("train"), torch.Tensor)
