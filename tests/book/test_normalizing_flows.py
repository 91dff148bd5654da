"""What the chapter on normalizing flows says of its own run, in numbers."""

import math
from itertools import pairwise

import pytest

from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/likelihood/normalizing_flows")


def test_the_density_has_mass_one_and_beats_six_gaussians(said):
    assert said["flow-mass"] == pytest.approx(1, abs=0.01)
    assert said["flow-toy"] > said["flow-six"] + 0.05


def test_ways_there_and_back_end_where_they_began(said):
    assert said["flow-round"] < 1e-12
    assert said["flow-account"] < 1e-4


def test_three_couplings_fill_the_jacobian(said):
    # Blocks of 3×3: a diagonal counts 3, a full one 9.
    assert said["flow-full-p1"] == 3 + 9 + 3
    assert said["flow-full-p2"] == 9 + 9 + 9 + 3
    assert said["flow-full-p3"] == 36


def test_without_noise_the_bits_fall_far_below_the_entropy_and_with_noise_once_they_do_not(said):
    assert said["flow-ring-entropy"] == pytest.approx(math.log2(9) / 2)
    assert said["flow-ring-end-0"] < said["flow-ring-entropy"] - 0.5
    assert said["flow-ring-entropy"] < said["flow-ring-end-1"] < said["flow-ring-entropy"] + 0.6
    assert said["flow-ring-end-2"] > said["flow-ring-end-1"] + 0.2


def test_the_order_of_the_models_is_that_of_the_text(said):
    models = ("five", "forty", "histograms", "plain", "behind")
    bits = [said[f"flow-bits-{name}-mean"] for name in models]
    flow, error = said["flow-bits-flow-mean"], said["flow-bits-flow-error"]
    assert said["flow-bits-uniform"] == pytest.approx(math.log2(17))
    assert bits == sorted(bits, reverse=True)
    assert bits[-1] > flow + 4 * error
    histograms, plain, behind = bits[2:]
    assert 0 < histograms - plain < 0.2
    assert plain - flow > 1.5 * (behind - flow)
    assert said["flow-cost-layer"] == pytest.approx(plain - flow, abs=1e-5)
    assert said["flow-cost-couplings"] == pytest.approx(behind - flow, abs=1e-5)


def test_the_ladder_falls_and_has_not_come_to_rest(said):
    ladder = [said[f"flow-ladder-bits-{m}"] for m in (1, 4, 16, 64)]
    assert all(a > b + 0.003 for a, b in pairwise(ladder))


def test_there_is_a_bridge_and_it_is_as_long_as_it_must_be(said):
    assert said["flow-gap-length"] > said["flow-gap-least"]
    assert said["flow-gap-bridge"] > 0 == said["flow-gap-none"]
    assert said["flow-gap-samples"] > 1.5 * said["flow-gap-data"]
    assert said["flow-gap-lowest"] > said["flow-toy"]  # as dense as the moons


def test_the_table_of_all_models_shows_what_the_text_reads_in_it(said):
    def row(key):
        return said[f"flow-scale-{key}-mean"], said[f"flow-scale-{key}-half"]

    pixelcnn, pixelcnn_half = row("pixelcnn-digits-exact")
    lstm, lstm_half = row("rowlstm-digits-exact")
    made, made_half = row("made-digits-exact")
    histograms, no_half = row("histograms-exact")
    assert no_half == "–"
    # The best exact value is the PixelCNN's, and the VAE's bound lies below it.
    others = ("hmm", "made", "rowlstm", "transformer")
    assert pixelcnn < min(row(f"{name}-digits-exact")[0] for name in others)
    vae, vae_half = row("vae-digits-importance")
    assert vae + vae_half < pixelcnn - pixelcnn_half
    assert said["flow-scale-lead"] == pytest.approx(pixelcnn - vae)
    assert 0.35 < said["flow-scale-images"] / said["flow-scale-lead"] < 0.65
    # The flow, by one draw and by 16.
    one, one_half = row("flow-digits-bound")
    many, many_half = row("flow-digits-importance")
    assert one - one_half > lstm + lstm_half > pixelcnn
    assert many + many_half < lstm - lstm_half
    assert abs(many - pixelcnn) < many_half + pixelcnn_half
    assert row("ddpm-digits-bound")[0] > pixelcnn
    assert made - made_half > pixelcnn + pixelcnn_half
    # Front ends: raw pixels, histograms, and one Gaussian behind them.
    mixture, mixture_half = row("mixture-bound")
    behind = said["flow-bits-behind-mean"]
    assert mixture - mixture_half > histograms
    assert mixture - behind > 1.5 * (behind - one)
    assert abs(histograms - said["flow-bits-histograms-mean"]) < 0.005


def test_the_numbers_of_the_text_that_are_worked_by_hand():
    """The box against the bell; and how much falls into a gap of 4."""
    box = 0.5 * math.log(2 * math.pi * math.e / 12)
    assert box == pytest.approx(0.18, abs=0.005)
    assert box / math.log(2) == pytest.approx(0.25, abs=0.01)
    phi = lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2)))  # noqa: E731
    assert phi(4 / 20) - 0.5 == pytest.approx(0.08, abs=0.002)
    assert phi(4 / 159) - 0.5 > 0.01 > phi(4 / 160) - 0.5
