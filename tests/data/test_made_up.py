"""Films, furniture and heartbeats: their laws, by other means."""

import math

import pytest
import torch

from gdmcourse.data.bouncing import WALLS, WIDTH, bounced, films, render
from gdmcourse.data.furniture import KINDS, chair, furniture, table
from gdmcourse.data.heartbeats import NOISE, SAMPLES, WAVES, heartbeats
from tests.oracles import gen


def test_a_ball_turns_back_at_the_walls():
    low, high = WALLS
    place, speed, seen = 3.0, 0.013, []
    for _ in range(2000):
        seen.append(place)
        place += speed
        if not low <= place <= high:
            place = 2 * (high if place > high else low) - place
            speed = -speed
    free = 3.0 + 0.013 * torch.arange(2000, dtype=torch.float64)
    torch.testing.assert_close(bounced(free), torch.tensor(seen, dtype=torch.float64), rtol=0, atol=1e-9)


def test_a_film_shows_the_ball_where_it_is():
    frame = render(torch.tensor([[[2.0, 5.0]]]).double())[0, 0, 0]
    assert divmod(int(frame.argmax()), 8) == (2, 5)
    assert frame.max() == 1
    assert frame[2, 6].item() == pytest.approx(2 * torch.tensor(-1 / (2 * WIDTH**2)).exp().item() - 1)
    made = films(50, gen())
    assert made.shape == (50, 1, 8, 8, 8)
    weight = (made + 1)[:, 0]
    rows = (weight.sum(3) * torch.arange(8)).sum(2) / weight.sum((2, 3))
    assert (rows[:, 1:] - rows[:, :-1]).abs().max() < 1.5


def test_furniture_is_listed_once_and_stands_on_four_legs():
    shapes, kinds = furniture()
    full = shapes[:, 0] > 0
    assert len(full.flatten(1).unique(dim=0)) == len(full) == len(kinds) == 196
    assert kinds.bincount().tolist() == [96, 100]
    assert KINDS == ("chair", "table")
    assert (full[:, 0].sum((1, 2)) == 4).all()
    assert table(3, 4, 5).sum() == 4 * 3 + 4 * 5
    assert chair(2, 4, 5, 3).sum() == 4 * 2 + 4 * 5 + 3 * 4


def test_heartbeats_have_the_means_and_spreads_that_are_said():
    beats = heartbeats(4000, gen())
    assert beats.signals.shape == (4000, SAMPLES)
    for wave, (place, place_std, height, height_std, _) in enumerate(WAVES.values()):
        assert beats.places[:, wave].mean().item() == pytest.approx(place, abs=2e-3)
        assert beats.places[:, wave].std().item() == pytest.approx(place_std, rel=0.05, abs=1e-6)
        assert beats.heights[:, wave].mean().item() == pytest.approx(height, abs=0.01)
        assert beats.heights[:, wave].std().item() == pytest.approx(height_std, rel=0.05)
    assert beats.signals[:, :6].std().item() == pytest.approx(NOISE, rel=0.02)  # before any wave
    at = round(WAVES["R"][0] * SAMPLES)
    seen = [h * math.exp(-((at / SAMPLES - p) ** 2) / (2 * w**2)) for p, _, h, _, w in WAVES.values()]
    assert beats.signals[:, at].mean().item() == pytest.approx(sum(seen), abs=0.01)
