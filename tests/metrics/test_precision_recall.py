import subprocess
import sys

import pytest
import torch
from torch_fidelity.metric_prc import calculate_precision_recall_full

from gdmcourse.metrics.precision_recall import precision_recall


def cloud(n, seed, shift=0.0, scale=1.0):
    noise = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return scale * noise + shift


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_equals_torch_fidelity_on_the_same_features(neighbours):
    samples, real = cloud(200, 1, shift=0.8, scale=0.7), cloud(150, 2)
    expected = calculate_precision_recall_full(samples, real, neighbours)
    assert precision_recall(samples, real, neighbours) == pytest.approx(
        expected, abs=1e-6
    )  # it averages in float32


def test_equals_brute_force_on_a_line():
    real = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    samples = torch.tensor([[0.5], [0.6], [5.0]])
    # The samples' balls reach 0.1, 0.1 and 4.4, so that 1 and 2 lie in the last one, and 0 and 10 in none.
    assert precision_recall(samples, real, neighbours=1) == (1.0, 2 / 4)


def test_narrow_samples_are_precise_and_wide_ones_recall():
    real = cloud(400, 3)
    narrow = precision_recall(cloud(400, 4, scale=0.3), real)
    wide = precision_recall(cloud(400, 5, scale=3.0), real)
    assert narrow.precision > 0.95 > 0.5 > narrow.recall
    assert wide.recall > 0.95 > 0.5 > wide.precision


def test_equal_sets_score_one():
    real = cloud(50, 6)
    assert precision_recall(real, real.clone()) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("samples", "real", "neighbours", "message"),
    [
        (cloud(3, 1), cloud(9, 2), 3, "at least 4 samples"),
        (cloud(9, 1), cloud(3, 2), 3, "at least 4 reference images"),
        (cloud(9, 1), cloud(9, 2), 0, "neighbours must be at least 1"),
        (cloud(9, 1), cloud(9, 2)[:, :2], 3, "same features"),
    ],
)
def test_refuses_what_it_cannot_judge(samples, real, neighbours, message):
    with pytest.raises(ValueError, match=message):
        precision_recall(samples, real, neighbours)


def test_blocks_of_rows_change_nothing(monkeypatch):
    sets = cloud(83, 0), cloud(61, 1, shift=0.5)
    whole = precision_recall(*sets)
    monkeypatch.setattr("gdmcourse.metrics.neighbours.AT_ONCE", 200)  # two or three rows at a time
    assert precision_recall(*sets) == whole


def test_memory_does_not_grow_with_the_square_of_the_samples():
    """6,000 samples against as many have distances of 275 MiB, held twice; what is held at once is less."""
    script = (
        "import resource, torch; from gdmcourse.metrics.precision_recall import precision_recall\n"
        "x, y = torch.randn(2, 6_000, 2)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "precision_recall(x, y)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(told.stdout) < 400 * 1024  # KiB
