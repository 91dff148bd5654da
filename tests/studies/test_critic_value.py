"""The studies of the chapter on Wasserstein distances, in little."""

import json
import math

import pytest
import torch
from torch import nn

from gdmcourse.data import load
from gdmcourse.recipes.wgan import WassersteinImageRecipe
from gdmcourse.studies.critic_value import GAMES, measure, study
from gdmcourse.studies.study import run_study


def test_value_and_distance_are_written_down_along_each_training(tmp_path):
    run_study(study(seeds=1, steps=6, samples=80, preset="smoke"), to=tmp_path, runs=tmp_path)
    record = json.loads((tmp_path / "critic_value.json").read_text())
    rows = {game: [row for row in record["rows"] if row["game"] == game] for game in GAMES}
    for of_game in rows.values():
        assert [row["step"] for row in of_game] == [1, 2, 3, 4, 5, 6]
        assert all(row["frechet"] > row["reference"] > 0 for row in of_game)
    # A discriminator that knows nothing says 0.
    assert rows["jensen-shannon"][0]["value"] == pytest.approx(0, abs=0.1)
    values = [[row["value"] for row in rows[game]] for game in GAMES]
    assert values[0] != values[1]


class Brightness(nn.Module):
    """A critic that is known, and that nobody can train: the mean of an image."""

    def __init__(self):
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x.flatten(1).mean(1) + 0 * self.idle


class Grey(nn.Module):
    """A generator whose images are nearly grey, at −0.5."""

    def __init__(self):
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(()))

    def forward(self, z):
        return -0.5 + 1e-3 * z[:, :1, None, None].expand(-1, 1, 8, 8) + 0 * self.idle


def test_the_value_is_what_a_known_critic_says_of_held_out_images_and_of_samples(monkeypatch, tmp_path):
    monkeypatch.setattr(
        WassersteinImageRecipe, "modules", lambda self, train: {"generator": Grey(), "critic": Brightness()}
    )
    gap = load("digits", "test").images.mean().item() + 0.5
    told = {
        game: measure(tmp_path, game=game, seed=0, steps=1, samples=80, preset="smoke")[0]["value"]
        for game in GAMES
    }
    assert told["wasserstein"] == pytest.approx(gap, abs=1e-3)
    real = load("digits", "test").images.flatten(1).mean(1)
    loss = (1 + (-real).exp()).log().mean() + math.log1p(math.exp(-0.5))
    assert told["jensen-shannon"] == pytest.approx((math.log(4) - loss.item()) / 2, abs=1e-3)
