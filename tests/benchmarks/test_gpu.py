"""The command for a card: its plan, a rehearsal on the processor with few packages, and its rows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import results
from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu import bare, checks, measure
from tests.installed import environment, hidden

ROOT = Path(__file__).parents[2]
IMAGE = ("torch", "torchvision", "scikit-learn", "lightning-fabric")  # what a cluster's image has


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    """What the command says at smoke size, where there is just `IMAGE`; compiling is left to a card."""
    folder, elsewhere = (tmp_path_factory.mktemp(name) for name in ("hiding", "elsewhere"))
    variables = {**environment(IMAGE, ROOT, folder=folder), "TORCH_COMPILE_DISABLE": "1"}
    variables["CUDA_VISIBLE_DEVICES"] = ""
    command = [sys.executable, "-m", "benchmarks.gpu", "--smoke"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=elsewhere, env=variables, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_image_lacks_what_the_library_requires_beyond_it():
    """Else the rehearsal shows nothing."""
    assert {"jaxtyping", "safetensors", "tqdm", "typer", "platformdirs", "pytest"} <= hidden(IMAGE)


@pytest.mark.slow
def test_the_rehearsal_checks_trains_and_samples_each_recipe(rehearsal):
    assert "FAILED" not in rehearsal
    for check in checks.CHECKS:
        assert f"check of {check.__name__}: holds" in rehearsal
    names, _ = gpu.recipes()
    for name in names:
        assert f"{name}, bf16-mixed, compiled, training at" in rehearsal
    assert "ddpm-mnist, sampling:" in rehearsal


def test_without_a_card_the_plan_names_each_recipe_once(monkeypatch, capsys):
    from gdmcourse.recipes import CATALOG

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("There is no card here.")
    assert sorted(gpu.recipes()[0] + list(gpu.recipes()[1])) == sorted(CATALOG)
    for name in gpu.recipes()[0]:
        assert said.count(f"\n  {name}: ") == 1


def test_a_check_that_does_not_hold_is_named_and_fails_the_command(monkeypatch, capsys):
    def broken(device: torch.device) -> None:
        checks.close(torch.tensor(1.0), torch.tensor(1.1))

    monkeypatch.setattr(checks, "CHECKS", [broken])
    monkeypatch.setattr(measure, "recipes", lambda: ([], {}))
    assert gpu.main(["--smoke"]) == 1
    assert (
        "check of broken: FAILED, AssertionError: the card and the processor differ"
        in capsys.readouterr().out
    )


def test_operations_are_counted_forwards_and_backwards():
    """A matrix product of the forward pass has two of its size in the backward pass."""
    from torch.utils.flop_counter import FlopCounterMode

    layer, x = torch.nn.Linear(8, 16, bias=False), torch.randn(4, 8, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        layer(x).sum().backward()
    assert counter.get_total_flops() == 3 * 2 * 4 * 8 * 16


def test_only_a_card_writes_rows_and_they_replace_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    old = {"name": f"{results.CARD}old", "ours": 1.0, "unit": "", "machine": "a card", "date": "2020-01-01"}
    results.save([{"name": "em"}, old])
    monkeypatch.setattr(gpu, "measure", lambda device, size: iter([gpu.Finding("new", 2.0, "examples/s")]))
    assert gpu.main(["--smoke"]) == 0
    assert [row["name"] for row in json.loads(results.RESULTS.read_text())] == ["em", f"{results.CARD}old"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a card")
    assert gpu.main([]) == 0
    other, new = json.loads(results.RESULTS.read_text())
    assert other == {"name": "em"}
    assert (new["name"], new["ours"], new["unit"], new["machine"]) == (
        f"{results.CARD}new",
        2.0,
        "examples/s",
        "a card",
    )


def test_nothing_stands_for_annotations_and_a_bar():
    nothing = bare.Nothing()
    assert nothing["n d"] is nothing
    assert (nothing | None) is nothing
    with nothing(total=3) as bar:
        bar.update()


def test_fabric_is_found_in_the_umbrella_package(tmp_path):
    """Where `lightning` is installed in place of `lightning-fabric`."""
    package = tmp_path / "umbrella" / "lightning"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "fabric.py").write_text("class Fabric:\n    pass\n\n\nis_wrapped = None\n")
    few = ("torch", "torchvision", "scikit-learn")
    variables = environment(few, ROOT, package.parent, folder=tmp_path)
    code = (
        "from benchmarks.gpu.bare import make_do\n"
        "print(*make_do())\n"
        "from lightning_fabric import Fabric\n"
        "print(Fabric.__module__)\n"
        "import importlib.util, sys\n"
        "print(importlib.util.find_spec('tqdm'), 'gdmcourse.recipes.ddpm' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=variables)
    assert done.stdout == "jaxtyping tqdm safetensors\nlightning.fabric\nNone True\n"


def test_operations_of_a_gradient_of_a_gradient_are_counted():
    """Of a penalty on x W's gradient: once forward, once for the gradient, and once for the weights'."""
    from gdmcourse.training.flops import operations

    x, weights = torch.ones(5, 3, requires_grad=True), torch.nn.Linear(3, 7, bias=False)
    with operations() as counter:
        (slope,) = torch.autograd.grad(weights(x).sum(), x, create_graph=True)
        slope.square().sum().backward()
    assert counter.get_total_flops() == 3 * 2 * 5 * 3 * 7
