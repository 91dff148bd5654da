"""What the chapter on training GANs says of its own runs and of the record, in numbers."""

import math

import pytest
from scipy.stats import binomtest

from gdmcourse.studies import record
from gdmcourse.studies.gan_stability import failed
from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/adversarial/training_gans")


def test_the_hasty_generator_serves_few_places_unless_the_critic_sees_the_batch(said):
    assert said["tg-ring-hasty"] < 4
    assert said["tg-ring-told"] > 6.5


def test_the_losses_of_the_dcgan_stay_away_from_those_of_a_blind_critic(said):
    assert said["tg-dcgan-end-critic"] < 1.2
    assert said["tg-dcgan-end-generator"] > 0.9


def test_by_the_first_mark_most_runs_would_have_failed(said):
    assert said["tg-mark-gaussian"] < 20 < said["tg-study-floor"]
    assert said["tg-mark-failed"] > 1.5 * said["tg-mark-ours"]
    assert said["tg-mark-found"] > 10
    assert said["tg-mark-runs"] == 140


def test_relus_are_dead_more_often_the_deeper_they_lie(said):
    assert said["tg-dead-relu-1"] == pytest.approx(1 / 16, abs=0.01)
    assert said["tg-dead-relu-3"] > 1.8 * said["tg-dead-relu-1"]
    assert said["tg-dead-leaky-3"] == 0


def test_adam_keeps_the_order_of_the_formula(said):
    ends = [said[f"tg-adam-{beta}"] for beta in ("0", "0.5", "0.9")]
    assert ends[0] < 0.9 < 1.02 < ends[1] < ends[2] - 1


def test_spectral_norm_holds_the_slope(said):
    assert said["tg-slope-start"] <= 12
    assert said["tg-slope-none"] > 2 * said["tg-slope-spectral"]
    assert 1 < said["tg-conv-ratio"] <= 2


def test_repetition_is_seen(said):
    assert said["tg-close-few"] >= said["tg-close-least"] - 1e-6
    assert said["tg-close-real"] < 2


def test_penalties_bring_the_game_home_and_a_strong_one_creeps(said):
    ends = {strength: said[f"tg-dirac-{strength}"] for strength in ("0", "0.2", "1", "5")}
    assert ends["0"] == pytest.approx(said["tg-dirac-root"], rel=0.1)
    assert ends["1"] < ends["0.2"] < 0.1
    assert ends["1"] < ends["5"] < 0.5


def test_both_games_draw_digits(said):
    for game in ("dcgan", "r3gan"):
        assert said[f"tg-scores-{game}-relative"] < 6
        assert said[f"tg-scores-{game}-precision"] > 0.45
        assert said[f"tg-scores-{game}-recall"] > 0.7
    assert said["tg-scores-real-relative"] < 1.5


def test_pairs_are_ahead_on_stacked_digits(said):
    assert said["tg-stacked-real-modes"] > 980
    assert said["tg-stacked-real-reverse_kl"] < 0.15
    assert said["tg-stacked-r3gan-modes"] > said["tg-stacked-dcgan-modes"] + 50
    assert said["tg-stacked-r3gan-reverse_kl"] < said["tg-stacked-dcgan-reverse_kl"] - 0.1


def test_torch_s_spectral_norm_agrees(said):
    assert said["tg-eco-weight"] < 1e-5
    assert said["tg-eco-gradient"] < 1e-3


def test_a_generator_left_in_training_looks_at_its_neighbours(said):
    assert said["tg-apart-train"] > 0.05
    assert said["tg-apart-eval"] < 1e-5


# The verdicts on instability, from the record.

TABLE: dict[tuple[str, str], list[dict]] = {}
for entry in record("gan_stability")["rows"]:
    TABLE.setdefault((entry["game"], entry["setting"]), []).append(entry)


def lost(game, setting):
    rows = TABLE[game, setting]
    return sum(map(failed, rows)) / len(rows)


def test_one_run_of_twenty_fails_at_the_recipes_settings_and_none_of_the_first_five_seeds(said):
    found = [row for game in ("plain", "modern") for row in TABLE[game, "as it is"] if failed(row)]
    assert [(row["game"], row["seed"] >= 5) for row in found] == [("modern", True)]
    assert said["tg-study-found"] == "1 of 20"


@pytest.mark.parametrize("game", ["plain", "modern"])
def test_all_runs_fail_with_much_momentum_and_most_with_slow_rates(game):
    assert lost(game, "β₁ = 0.9") == 1
    assert lost(game, "rate × ¼") > 0.5


def test_nine_of_twelve_changes_make_runs_fail_and_slow_rates_nearly_all(said):
    changes = [key for key in TABLE if key[1] != "as it is"]
    assert said["tg-study-changes"] == len(changes) == 12
    assert said["tg-study-lossy"] == sum(lost(*key) > 0 for key in changes) == 9
    assert said["tg-study-slowed"] == "19 of 20"


def test_some_runs_lie_within_three_per_cent_of_their_mark_but_never_two_of_a_row():
    for rows in TABLE.values():
        assert sum(abs(row["relative"] / row["one_by_one"] - 1) < 0.03 for row in rows) <= 1


@pytest.mark.parametrize("game", ["plain", "modern"])
def test_much_momentum_has_the_largest_distances(game):
    mean = {key: sum(row["relative"] for row in rows) / len(rows) for key, rows in TABLE.items()}
    assert mean[game, "β₁ = 0.9"] == max(value for (other, _), value in mean.items() if other == game)


def test_the_plain_game_with_no_momentum_is_the_best_of_the_plain_games():
    mean = {key[1]: sum(r["relative"] for r in rows) for key, rows in TABLE.items() if key[0] == "plain"}
    assert min(mean, key=mean.get) == "β₁ = 0 or ½"


def test_the_plain_game_is_better_without_momentum():
    pairs = zip(TABLE["plain", "β₁ = 0 or ½"], TABLE["plain", "as it is"], strict=True)
    assert all(without["relative"] < with_["relative"] for without, with_ in pairs)


@pytest.mark.parametrize("game", ["plain", "modern"])
def test_a_fast_generator_collapses(game):
    rows = TABLE[game, "generator × 4"]
    assert lost(game, "generator × 4") > 0.5
    assert sum(row["recall"] for row in rows) / len(rows) < 0.15


def test_sixteen_of_twenty_fast_generators_fail(said):
    assert said["tg-study-hasty"] == "16 of 20"


def test_the_game_of_pairs_stands_a_fast_critic_and_not_momentum():
    assert lost("plain", "generator × ¼") > 0.5
    assert lost("modern", "generator × ¼") == 0
    assert lost("modern", "β₁ = 0 or ½") == 1
    assert lost("plain", "β₁ = 0 or ½") == 0
    pairs = zip(TABLE["modern", "rate × 4"], TABLE["modern", "as it is"], strict=True)
    assert all(faster["relative"] < as_it_is["relative"] for faster, as_it_is in pairs)


def test_the_losses_of_the_collapsed_run_are_those_of_an_equilibrium(said):
    """Nearer to 2 log 2 and log 2 than the healthy run's."""
    level = {"critic": 2 * math.log(2), "generator": math.log(2)}
    for name, near in level.items():
        assert abs(said[f"tg-end-hasty-{name}"] - near) < abs(said[f"tg-end-base-{name}"] - near)
        assert abs(said[f"tg-end-hasty-{name}"] - said[f"tg-end-other-{name}"]) < 0.05
    assert said["tg-end-lazy-critic"] < 0.2
    assert said["tg-end-lazy-generator"] > 3


def test_the_intervals_are_wilson_s(said):
    keys = ("base", "slow", "fast", "other", "memory", "hasty", "lazy")
    settings = [setting for game, setting in TABLE if game == "plain"]
    for game in ("plain", "modern"):
        for key, setting in zip(keys, settings, strict=True):
            rows = TABLE[game, setting]
            failures = sum(map(failed, rows))
            assert said[f"tg-fail-{game}-{key}-failed"] == f"{failures} of {len(rows)}"
            exact = binomtest(failures, len(rows)).proportion_ci(method="wilson")
            low, high = map(int, said[f"tg-fail-{game}-{key}-interval"].split("–"))
            assert low == pytest.approx(100 * exact.low, abs=0.51)
            assert high == pytest.approx(100 * exact.high, abs=0.51)
    exact = binomtest(1, said["tg-study-both"]).proportion_ci(method="wilson")
    assert said["tg-study-both"] == 2 * len(TABLE["plain", "as it is"]) == 20
    assert said["tg-study-low"] == pytest.approx(exact.low, abs=1e-3)
    assert said["tg-study-high"] == pytest.approx(exact.high, abs=1e-3)
