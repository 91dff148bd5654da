"""The diffusion recipes: every preset is sound, a run leaves all it should, and digits come out well."""

import io
import itertools
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import replace

import pytest
import torch
from PIL import Image

from gdmcourse.data import CATALOG, data_root
from gdmcourse.data.cifar10 import ARCHIVE
from gdmcourse.diffusion import classifier_free_guidance
from gdmcourse.nn import source_unet
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.run_folder import run_recipe
from gdmcourse.recipes.trained import trained
from tests.recipes.stand_in import stand_in


def test_the_gpu_preset_of_mnist_is_the_network_of_the_sources_for_60_epochs():
    recipe = find_recipe("ddpm-mnist", "gpu")
    ours = recipe.model(stand_in("mnist")).state_dict()
    theirs = source_unet(1, num_classes=10).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
    assert recipe.steps * recipe.batch_size == pytest.approx(60 * 60_000, rel=0.001)
    assert (recipe.noise, recipe.ema_decay, recipe.precision, recipe.compile) == (
        "cosine",
        0.9999,
        "bf16-mixed",
        True,
    )


TWO_STEPS = """
import json, re, sys
from dataclasses import replace
from pathlib import Path
from gdmcourse.recipes import find_recipe
from gdmcourse.training import make_fabric

recipe = replace(
    find_recipe(sys.argv[1], "gpu"), steps=2, warmup=1, batch_size=4, compile=False, threads=1
)
train = recipe.data("train")
fabric = make_fabric(1, 1, recipe.precision, accelerator="cpu")
result = recipe.train(train, checkpoint=Path(sys.argv[2]), fabric=fabric)
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 2**20
print(json.dumps([len(train), peak, *result.history.values("loss")]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory from /proc")
@pytest.mark.parametrize(("name", "gib"), [("ddpm-mnist", 2), ("ddpm-cifar10", 3)])
def test_a_large_preset_takes_two_steps_on_real_images(name, gib, tmp_path):
    """MNIST itself where it is; for CIFAR-10 an archive of the same form, as the real one takes a minute."""
    environment = {**os.environ, "GDMCOURSE_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    if name == "ddpm-cifar10":
        environment["GDMCOURSE_DATA"] = str(tmp_path)
        colour_archive(tmp_path / ARCHIVE)
    elif CATALOG["mnist"].find(data_root()) is None:
        pytest.skip("GDMCOURSE_DATA holds no MNIST/raw/*-ubyte")
    command = [sys.executable, "-c", TWO_STEPS, name, str(tmp_path / "run")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    images, peak, loss = json.loads(done.stdout.splitlines()[-1])
    assert images == (40 if name == "ddpm-cifar10" else 60_000)
    assert loss == pytest.approx(1, abs=0.6)
    assert peak < gib


def colour_archive(path):
    """Forty colour images in the form of the CIFAR-10 archive."""
    with tarfile.open(path, "w:xz") as tar:
        for split, label, number in itertools.product(("train", "test"), range(10), range(4)):
            image, file = Image.new("RGB", (32, 32), (25 * label, 60 * number, 100)), io.BytesIO()
            image.save(file, "JPEG")
            entry = tarfile.TarInfo(f"{split}/class {label}/{number:04}.jpg")
            entry.size = len(file.getvalue())
            tar.addfile(entry, io.BytesIO(file.getvalue()))


def test_mirroring_keeps_images_and_labels_together():
    recipe = find_recipe("ddpm-cifar10", "laptop")
    data = stand_in("cifar10", 64)
    seen = []

    class Spy:
        null_class = 10

        def __call__(self, x_t, t, y=None):
            seen.append((x_t, y))
            return torch.zeros_like(x_t)

    # With ᾱ = 1 at the first time of a schedule of one tiny step, what the network sees is the image.
    recipe = replace(recipe, T=1000, drop=0.0)
    torch.manual_seed(0)
    recipe.loss()(Spy(), (data.images, data.labels), torch.Generator().manual_seed(0))
    x_t, y = seen[0]
    assert torch.equal(y, data.labels)
    likeness = (x_t * data.images).flatten(1).sum(1), (x_t * data.images.flip(3)).flatten(1).sum(1)
    mirrored = (likeness[1] > likeness[0]).double().mean()
    assert 0.25 < mirrored < 0.75


def test_a_run_leaves_samples_scores_and_weights_and_goes_on(tmp_path):
    outcome = run_recipe("ddpm-digits", "smoke", out=tmp_path / "run", progress=False)
    for file in ("config.json", "history.json", "history.png", "samples.png", "metrics.json"):
        assert (tmp_path / "run" / file).stat().st_size > 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics == outcome.metrics
    assert 0 < metrics["test_loss"] < 2
    for name in ("class_accuracy", "precision", "recall", "precision_unlabelled", "recall_unlabelled"):
        assert 0 <= metrics[name] <= 1
    assert metrics["frechet"] > metrics["frechet_reference"] > 0  # 8 steps of training don't draw digits
    assert run_recipe("ddpm-digits", "smoke", out=tmp_path / "run", progress=False).was_complete


def test_a_trained_model_is_made_once_and_serves_every_use(tmp_path, monkeypatch):
    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path))
    first = trained("ddpm-digits", "smoke")
    assert first.history.steps[-1] == first.recipe.steps
    assert first.seconds > 0
    monkeypatch.setattr("gdmcourse.recipes.recipe.play", None)  # a second training would fail
    again = trained("ddpm-digits", "smoke")
    for one, other in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)
        assert not one.requires_grad
    assert not first.model.training
    x, t, y = torch.randn(3, 1, 8, 8), torch.tensor([1, 500, 1000]), torch.tensor([0, 5, 9])
    denoiser = first.recipe.denoiser(first.model)
    told, untold = denoiser(x, t, y), denoiser(x, t)
    assert told.shape == untold.shape == x.shape
    assert not torch.equal(told, untold)
    assert torch.equal(classifier_free_guidance(first.model, 0.0)(x, t, y), first.model(x, t))


@pytest.mark.slow
@pytest.mark.nightly
def test_digits_are_as_good_as_the_book_says():
    """The recorded quality: read by the course's classifier, and as near to held-out digits as real ones."""
    result = trained("ddpm-digits")
    metrics = result.recipe.metrics(result.model, torch.Generator().manual_seed(0))
    assert metrics["class_accuracy"] >= 0.98
    assert metrics["frechet"] <= metrics["frechet_reference"]
    assert metrics["frechet_unlabelled"] <= 2 * metrics["frechet_reference"]
    assert min(metrics["precision"], metrics["recall"]) > 0.8
