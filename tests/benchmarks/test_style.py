"""The benchmark of lazy penalties: a period has each penalty as often as the row says."""

import pytest

from benchmarks import style
from gdmcourse.recipes import find_recipe


def test_two_rows_say_what_was_compared_and_penalties_are_taken_in_their_turn(monkeypatch):
    for name, value in {"R1_EVERY": 4, "PATH_EVERY": 2, "REPEATS": 1, "PRESET": "smoke"}.items():
        monkeypatch.setattr(style, name, value)
    monkeypatch.setattr(style.torch, "set_num_threads", lambda threads: None)
    recipe, calls = type(find_recipe("style-digits", "smoke")), {"critic": [], "generator": []}
    for player, seen in calls.items():
        loss = getattr(recipe, f"{player}_loss")

        def counted(self, networks, batch, turn, loss=loss, player=player, seen=seen):
            every = self.penalty_every if player == "critic" else self.path_every
            on = self.penalty is not None if player == "critic" else self.path_weight > 0
            seen.append(on and turn.step % every == 0)
            return loss(self, networks, batch, turn)

        monkeypatch.setattr(recipe, f"{player}_loss", counted)
    lazy, none = style.rows()
    assert "peer: both at each step" in lazy["name"]
    assert "peer: neither" in none["name"]
    assert lazy["unit"] == none["unit"] == "s"
    assert lazy["ours"] == none["ours"]
    # Two runs (one to warm up) of lazy, eager and none, four steps each.
    assert sum(calls["critic"]) == pytest.approx(2 * (1 + 4 + 0))
    assert sum(calls["generator"]) == pytest.approx(2 * (2 + 4 + 0))
