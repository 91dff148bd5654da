"""The count of modes, in little: balanced by seeds, every way on both sets."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gdmcourse.data import toy_mixture
from gdmcourse.gan.penalties import zero_norm_penalty
from gdmcourse.studies.mode_coverage import MOVES, VARIANCE, WAYS, recipe, study
from gdmcourse.training.player import Turn


def test_parts_go_seed_by_seed():
    seeds = [part["seed"] for part in study(seeds=3).parts]
    assert seeds == sorted(seeds)
    first = [(part["toy"], part["way"]) for part in study(seeds=3).parts if part["seed"] == 0]
    assert sorted(first) == sorted((toy, way) for toy in VARIANCE for way in WAYS)


def test_a_part_is_a_row_with_counts(tmp_path):
    little = study(seeds=1, steps=2)
    rows = [row for part in little.parts for row in little.measure(tmp_path, **part)]
    assert [(row["toy"], row["way"]) for row in rows] == [(toy, way) for toy in VARIANCE for way in WAYS]
    for row in rows:
        assert 0 <= row["modes"] <= {"8gaussians": 8, "25gaussians": 25}[row["toy"]]
        assert 0 <= row["high_quality"] <= 1
        assert row["seconds"] > 0
    assert little.content(rows) == {"rows": rows, "seeds": 1}


def test_critics_of_all_ways_make_the_same_moves():
    for toy in VARIANCE:
        for way in WAYS:
            game = recipe(toy, way, seed=0)
            assert game.steps * game.critic_moves == MOVES


@pytest.mark.parametrize(
    ("way", "slope", "inputs"),
    [("plain", 0.2, 2), ("r1", 0, 2), ("pack", 0, 4), ("relativistic", 0, 2 + 2 * 48)],
)
def test_the_networks_are_those_of_the_way(way, slope, inputs):
    """Three hidden layers flat below 0, or leaky; a critic of points, of packs, or of points and waves."""
    game = recipe("8gaussians", way, seed=0)
    points = 3 * torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    built = game.modules(points)
    leaks = [layer.negative_slope for layer in built["generator"].layers if isinstance(layer, nn.LeakyReLU)]
    assert leaks == [slope] * 3
    waves, critic = built["critic"]
    assert critic.hidden[0][0].in_features == inputs
    assert waves.out == inputs // game.pack
    assert waves.scale == built["generator"].scale == pytest.approx(points.std().item())


@pytest.mark.parametrize("toy", VARIANCE)
def test_a_penalty_falls_at_first_and_is_in_units_of_the_variance(toy):
    game = recipe(toy, "r1", seed=0)
    critic = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Flatten(0)).requires_grad_(False)
    batch = torch.randn(16, 2, generator=torch.Generator().manual_seed(0))
    plain = zero_norm_penalty(critic, batch) * 0.4 * VARIANCE[toy]

    def share(step):
        turn = Turn(step, torch.Generator().manual_seed(0))
        return (game.penalty_term(SimpleNamespace(critic=critic), batch, batch, turn) / plain).item()

    end = WAYS["r1"]["falls_to"]
    assert share(2 * game.steps // 5) == pytest.approx(end**0.5, rel=1e-4)
    assert share(4 * game.steps // 5) == pytest.approx(end, rel=1e-4)
    assert share(game.steps) == pytest.approx(end, rel=1e-4)


def test_the_variances_are_those_of_the_laws():
    for toy, variance in VARIANCE.items():
        law = toy_mixture(toy)
        whole = law.means.square().mean() + law.covariances[0, 0, 0]
        assert whole.item() == pytest.approx(variance, rel=1e-3)
