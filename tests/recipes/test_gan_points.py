"""Games on points: what can't be asked of them, and that each way to see a batch trains."""

from dataclasses import replace

import pytest
import torch

from gdmcourse.recipes import find_recipe

RING = find_recipe("gan-ring", "smoke")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pack": 3}, "pack must be a divisor of batch_size, not 3"),
        ({"pack": 0}, "pack must be a divisor of batch_size, not 0"),
        ({"kernels": -1}, "kernels must be at least 0"),
        ({"width": 0}, "width must be at least 1"),
        ({"kernels": 4, "penalty": "r1"}, "penalty must be null with kernels"),
        ({"kernels": 4, "pack": 8}, "batch_size must be at least two packs with kernels"),
        ({"pack": 2, "penalty": "unit-norm"}, "penalty must be another one with packs"),
    ],
)
def test_settings_that_cannot_be_are_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(RING, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"pack": 2},
        {"pack": 4, "penalty": "r1"},
        {"kernels": 4},
        {"pack": 2, "objective": "relativistic", "penalty": "r1+r2"},
        {"objective": "wasserstein", "penalty": "unit-norm", "critic_moves": 2},
    ],
)
def test_each_way_to_judge_takes_steps(change):
    played = replace(RING, steps=3, **change).train(progress=False)
    assert played.history.steps[-1] == 3
    assert all(abs(value) < 10 for name in ("critic", "generator") for value in played.history.values(name))


def test_quality_is_a_share_of_2500_samples_and_a_toy_without_modes_has_no_count():
    model, rng = RING.build(RING.data("train"))["generator"], torch.Generator().manual_seed(0)
    share = RING.metrics(model, rng)["high_quality"]
    assert 2500 * share == pytest.approx(round(2500 * share))
    assert replace(RING, toy="moons").metrics(model, rng) == {}
