"""`gdmcourse train`: what a run leaves, that it goes on, and what it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from typer.testing import CliRunner

from gdmcourse import recipes
from gdmcourse.cli import app
from gdmcourse.data import Dataset, load
from gdmcourse.metrics.classifier import Classifier, class_accuracy
from gdmcourse.metrics.features import feature_network
from gdmcourse.recipes import CATALOG, PRESETS
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.recipes.run_folder import run_recipe
from gdmcourse.training import History, Loss, NonFiniteLoss, load_weights

COMMAND = [sys.executable, "-m", "gdmcourse", "train"]


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def train(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=600)


@dataclass(frozen=True, kw_only=True)
class Blot(ImageRecipe):
    """A tiny generative recipe: one learnt image, and its noise."""

    spread: float = 0.1

    def data(self, split: str) -> Dataset:
        return Dataset(
            "blot", split, torch.ones(8, 1, 4, 4) / 2, torch.zeros(8, dtype=torch.int64), ("blot",)
        )

    def model(self, train: Dataset) -> nn.Module:
        return nn.Linear(1, 16, bias=False)

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        def loss(model: nn.Module, batch: tuple[Tensor, Tensor], rng: torch.Generator) -> Tensor:
            return (model(torch.ones(len(batch[0]), 1)) - batch[0].flatten(1)).square().mean()

        return loss

    def sample(self, model: nn.Module, n: int, generator: torch.Generator) -> Tensor:
        noise = torch.randn(n, 1, 4, 4, generator=generator)
        return (model(torch.ones(n, 1)).reshape(n, 1, 4, 4) + self.spread * noise).detach()

    def metrics(self, model: nn.Module, generator: torch.Generator) -> dict[str, float]:
        return {"mean": self.sample(model, 1000, generator).mean().item()}


@pytest.fixture
def blot(monkeypatch: pytest.MonkeyPatch) -> dict[str, Blot]:
    """The recipe `blot` among the known ones."""
    presets = dict.fromkeys(PRESETS, Blot(dataset="blot", steps=200, batch_size=4, lr=0.05, ema_decay=0.9))
    monkeypatch.setitem(CATALOG, "blot", ("blot", "a blot"))
    module = type(recipes)("gdmcourse.recipes.blot")
    module.RECIPES = {"blot": presets}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return presets


def test_a_run_leaves_all_there_is_to_know(blot: dict[str, Blot], tmp_path: Path) -> None:
    outcome = run_recipe("blot", out=tmp_path / "run", seed=3)
    folder = outcome.folder
    assert contents(folder) == {
        "config.json", "checkpoint", "history.json", "history.png", "samples.png", "metrics.json",
    }  # fmt: skip
    config = json.loads((folder / "config.json").read_text())
    assert (config["name"], config["preset"]) == ("blot", "laptop")
    assert (config["recipe"]["seed"], config["recipe"]["spread"]) == (3, 0.1)
    assert History.read(folder / "history.json").steps[-1] == 200
    assert outcome.metrics == json.loads((folder / "metrics.json").read_text())
    assert outcome.metrics["mean"] == pytest.approx(
        0.5, abs=0.02
    )  # the average, which sampling uses, has learnt
    assert outcome.metrics["parameters"] == 16
    with Image.open(folder / "samples.png") as grid:
        assert grid.width > 500
    assert load_weights(folder / "checkpoint", nn.Linear(1, 16, bias=False)).weight.mean().item() > 0.4


def test_a_complete_run_is_left_alone_and_a_fresh_one_starts_over(
    blot: dict[str, Blot], tmp_path: Path
) -> None:
    first = run_recipe("blot", out=tmp_path)
    stamp = (tmp_path / "metrics.json").stat().st_mtime_ns
    second = run_recipe("blot", out=tmp_path)
    assert (first.was_complete, second.was_complete) == (False, True)
    assert second.metrics == first.metrics
    assert (tmp_path / "metrics.json").stat().st_mtime_ns == stamp
    (tmp_path / "notes.txt").write_text("mine")
    third = run_recipe("blot", out=tmp_path, seed=1, fresh=True)
    assert not third.was_complete
    assert third.metrics["mean"] != first.metrics["mean"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_refuses_a_folder_that_is_something_else(blot: dict[str, Blot], tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for fresh in (False, True):
        with pytest.raises(ValueError, match="isn't a run"):
            run_recipe("blot", out=tmp_path, fresh=fresh)
    assert contents(tmp_path) == {"thesis.tex"}


def test_refuses_a_run_with_other_settings_and_names_them(blot: dict[str, Blot], tmp_path: Path) -> None:
    run_recipe("blot", out=tmp_path)
    with pytest.raises(ValueError, match=r"seed 0 → 1.*--fresh"):
        run_recipe("blot", out=tmp_path, seed=1)
    with pytest.raises(ValueError, match="name blot → classifier-digits"):
        run_recipe("classifier-digits", out=tmp_path)


def test_a_run_that_diverges_keeps_its_folder_and_is_not_complete(
    blot: dict[str, Blot], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = Blot.loss

    def diverge(self: Blot, device: torch.device | str = "cpu") -> Loss:
        loss = healthy(self, device)
        return lambda *told: loss(*told) * float("nan")

    monkeypatch.setattr(Blot, "loss", diverge)
    with pytest.raises(NonFiniteLoss, match="step 1"):
        run_recipe("blot", out=tmp_path)
    assert contents(tmp_path) == {"config.json"}
    monkeypatch.setattr(Blot, "loss", healthy)
    assert run_recipe("blot", out=tmp_path).metrics["steps"] == 200


def test_smoke_of_the_classifier(tmp_path: Path) -> None:
    outcome = run_recipe("classifier-digits", "smoke", out=tmp_path)
    assert contents(tmp_path) == {"config.json", "checkpoint", "history.json", "history.png", "metrics.json"}
    assert outcome.metrics["test_accuracy"] > 0.15  # better than chance after twenty steps


def test_the_list_of_recipes() -> None:
    done = train()
    assert done.returncode == 0
    for name, (_, summary) in CATALOG.items():
        assert any(line.split()[0] == name and summary in line for line in done.stdout.splitlines())


@pytest.mark.slow
def test_laptop_on_digits_killed_and_resumed_is_the_feature_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command, killed by SIGKILL in the middle, gone on with: the weights are those of the scores."""
    folder = tmp_path / "run"
    run = subprocess.Popen([*COMMAND, "classifier-digits", "--out", folder])
    while not list(folder.glob("checkpoint/step-*")) and run.poll() is None:
        time.sleep(0.01)
    run.kill()
    assert run.wait() == -signal.SIGKILL, "the run ended before it could be killed"
    assert not (folder / "metrics.json").exists()

    done = train("classifier-digits", "--out", folder)
    assert done.returncode == 0, done.stderr
    assert "done" in done.stdout
    network = load_weights(folder / "checkpoint", Classifier((1, 8, 8), 10, 32, 64))
    test = load("digits", "test")
    assert class_accuracy(network, test.images, test.labels) >= 0.97

    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path / "cache"))
    for ours, theirs in zip(network.parameters(), feature_network("digits").parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert (
        "is complete" in CliRunner().invoke(app, ["train", "classifier-digits", "--out", str(folder)]).output
    )


@pytest.mark.slow
def test_two_devices_by_torchrun_and_by_fabric(tmp_path: Path) -> None:
    """On CPUs a device is a process; one process speaks, and the weights agree with each other."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    run = ["-m", "gdmcourse", "train", "classifier-digits", "--preset", "smoke", "--out"]
    ways = {
        "torchrun": [*torchrun, *run, tmp_path / "torchrun"],
        "fabric": [*run, tmp_path / "fabric", "--devices", "2"],
    }
    for command in ways.values():
        done = subprocess.run(
            [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("test_accuracy") == 1
    weights = {way: load_file(next((tmp_path / way).glob("checkpoint/*/model.safetensors"))) for way in ways}
    for name, value in weights["torchrun"].items():
        assert torch.equal(weights["fabric"][name], value)


def test_another_number_of_devices_than_torchrun_started_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the environment that torchrun gives the first of two processes."""
    told = {
        "TORCHELASTIC_RUN_ID": "x",
        "WORLD_SIZE": "2",
        "RANK": "0",
        "LOCAL_WORLD_SIZE": "2",
        "LOCAL_RANK": "0",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="torchrun started 2 processes, but 1 were asked for"):
        run_recipe("classifier-digits", "smoke", devices=1, out=tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()
