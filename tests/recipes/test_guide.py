"""The recipes of the guides: every preset is sound, and at laptop size they read digits in noise, or not."""

import json

import pytest
import torch

from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.run_folder import run_recipe
from gdmcourse.recipes.trained import trained
from tests.recipes.stand_in import stand_in


def test_a_noisy_guide_sees_noise_and_a_clean_one_never():
    """The times and images that a loss hands to the network."""
    seen = {}

    class Spy(torch.nn.Module):
        def forward(self, x, t):
            seen["x"], seen["t"] = x, t
            return torch.zeros(len(x), 10)

    data, generator = stand_in("digits", 64), torch.Generator().manual_seed(0)
    batch = data.images, data.labels
    find_recipe("guide-clean-digits", "laptop").loss()(Spy(), batch, generator)
    assert torch.equal(seen["x"], data.images)
    assert not seen["t"].any()
    find_recipe("guide-digits", "laptop").loss()(Spy(), batch, generator)
    assert seen["t"].min() < 150 < 850 < seen["t"].max()
    late = seen["t"] > 900
    assert seen["x"][late].std() == pytest.approx(1, abs=0.1)


def test_a_run_leaves_accuracies_at_several_times(tmp_path):
    folder = run_recipe("guide-digits", "smoke", out=tmp_path / "run", progress=False).folder
    metrics = json.loads((folder / "metrics.json").read_text())
    for t in (0, 100, 250, 500, 750):
        assert 0 <= metrics[f"accuracy_t{t}"] <= 1
    assert not (folder / "samples.png").exists()


@pytest.mark.slow
@pytest.mark.slip(8)
def test_at_half_the_times_only_the_noisy_guide_reads_digits():
    """Accuracy on held-out digits at t = 250 and t = 500 of 1000, cosine schedule."""
    found = {}
    for name in ("guide-digits", "guide-clean-digits"):
        guide = trained(name)
        found[name] = guide.recipe.metrics(guide.model, torch.Generator().manual_seed(0))
    noisy, clean = found.values()
    assert min(noisy["accuracy_t0"], clean["accuracy_t0"]) >= 0.96
    assert noisy["accuracy_t250"] >= 0.93
    assert noisy["accuracy_t500"] >= 0.66
    assert clean["accuracy_t500"] < noisy["accuracy_t500"] - 0.1
