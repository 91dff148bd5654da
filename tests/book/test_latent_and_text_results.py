"""What the chapter on latents and text says of its own run and of the record, in numbers."""

import pytest

from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/diffusion/latent_and_text")


def test_half_the_side_is_a_quarter_of_the_work_until_self_attention_rules(said):
    assert 3.5 < said["lat-middle"] < 4.3 < said["lat-large-count"] < 16
    assert said["lat-large-memory"] > 4
    assert said["lat-small-count"] < said["lat-middle"]


def test_the_decoder_restores_nearly_all(said):
    assert said["lat-lost"] < 0.03
    assert said["lat-real"] - 0.03 < said["lat-coded"] <= said["lat-real"] + 0.01
    assert said["lat-error"] == pytest.approx(0.1, abs=0.06)


def test_latents_save_work_and_memory_and_cost_some_quality(said):
    assert said["lat-saved-count"] > 2
    assert said["lat-saved-mb"] > 2
    assert said["lat-latent-accuracy"] >= 0.95
    assert said["lat-latent-relative"] <= 2
    assert said["lat-latent-relative"] > said["lat-pixel-relative"]


def test_the_largest_of_five_weights_is_nearly_all_without_the_root(said):
    assert said["lat-largest-plain"] > 0.9 > 0.55 > said["lat-largest-scaled"] > 0.2


def test_words_are_obeyed_from_scale_1_on_and_variety_is_the_price(said):
    assert said["lat-scale-0-class"] < 0.3 < 0.9 < said["lat-scale-1-class"]
    assert said["lat-scale-2-class"] >= 0.95
    assert said["lat-scale-2-relative"] <= 2
    assert min(said["lat-scale-2-weight"], said["lat-scale-2-lean"]) >= 0.8
    assert max(said["lat-scale-0-weight"], said["lat-scale-0-lean"]) < 0.5
    assert said["lat-scale-8-recall"] < 0.6 * said["lat-scale-1-recall"]
    assert said["lat-scale-8-relative"] > 1.5 * said["lat-scale-1-relative"]
    for ruler in ("weight", "lean"):  # thirds have edges, for the restored digits as well
        assert 0.8 < said[f"lat-coded-{ruler}"] < 1


def test_noise_mends_a_bad_first_stage_and_not_the_training_on_noise_alone(said):
    plain, believed, mended = (said[f"lat-cascade-{level}-cheap"] for level in ("plain", 1, 200))
    assert plain > 1.5 * mended
    assert said["lat-cascade-200-good"] <= 2
    assert said["lat-cascade-200-good-read"] >= 0.93
    assert believed > 1.3 * mended
    assert abs(said["lat-cascade-plain-good"] - said["lat-cascade-100-good"]) < 0.5


def test_stable_diffusion_as_it_is_laid_out(said):
    """Its own documents say 860 M; 64² times more would be the square of the side alone."""
    assert said["lat-sd-unet"] == pytest.approx(860, abs=1)
    assert said["lat-sd-coder"] == pytest.approx(84, abs=1)
    assert said["lat-sd-half"] > 4
    assert said["lat-sd-pixels"] > 5 * 64
    assert said["lat-sd-drawing"] > 10


def test_the_steps_fall_where_nothing_is_decided_if_latents_are_not_scaled(said):
    right = said["lat-stretched-1-w"]
    assert right < min(said["lat-stretched-0.03-w"], said["lat-stretched-30-w"])


def test_a_heavy_divergence_leaves_nothing_in_a_latent(said):
    assert said["lat-kl-0.0001-lost"] <= said["lat-kl-0.01-lost"] < 0.5 < 0.8 < said["lat-kl-1-lost"]
    assert said["lat-kl-1-std"] > 0.9


def test_a_network_that_always_had_words_goes_to_pieces_under_guidance(said):
    assert said["lat-drop-0-3"] > 2 * said["lat-drop-0.15-3"]
    assert said["lat-drop-0-1"] < 1.5 * said["lat-drop-0.15-1"]


def test_the_factor_of_diffusers_is_one_over_the_deviation(said):
    assert said["lat-scaling-factor"] == pytest.approx(0.18215)
    assert said["lat-scaling-std"] == pytest.approx(5.49, abs=0.01)


def test_a_larger_factor_saves_work_and_loses_more_and_samples_hardly_tell(said):
    names = ("2-2", "4-2", "4-8")
    pixels, half, quarter, wide = (said[f"lat-factor-{name}-count"] for name in ("1-1", *names))
    assert pixels > 3 * half > 9 * wide
    assert wide < 1.1 * quarter
    lost = {name: said[f"lat-factor-{name}-lost"] for name in names}
    assert 0 < lost["2-2"] < lost["4-8"] < lost["4-2"]
    distances = [said[f"lat-factor-{name}-relative"] for name in names]
    assert said["lat-factor-1-1-relative"] < min(distances) <= max(distances) < 1.25 * min(distances)
