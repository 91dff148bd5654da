"""Games on points: what can't be asked of them, and that each way to see a batch trains."""

from dataclasses import replace

import pytest

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
