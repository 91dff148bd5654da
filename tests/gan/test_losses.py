"""The game's losses from logits: against probabilities where these can be had, finite where they can't."""

import math

import pytest
import torch

from gdmcourse.gan import (
    discriminator_loss,
    find_objective,
    hinge_critic_loss,
    non_saturating_loss,
    relativistic_loss,
    saturating_loss,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)

LOGITS = torch.tensor([-3.0, -0.5, 0.0, 2.0], dtype=torch.float64)


def test_they_are_the_logarithms_of_probabilities():
    d = LOGITS.sigmoid()
    value = -d.log().mean() - (1 - d.flip(0)).log().mean()
    torch.testing.assert_close(discriminator_loss(LOGITS, LOGITS.flip(0)), value)
    torch.testing.assert_close(saturating_loss(LOGITS), (1 - d).log().mean())
    torch.testing.assert_close(non_saturating_loss(LOGITS), -d.log().mean())


@pytest.mark.equation("eq-generator-slopes")
@pytest.mark.parametrize(("loss", "sign"), [(saturating_loss, 1), (non_saturating_loss, -1)])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_the_gradient_is_the_closed_form_however_sure_the_critic_is(loss, sign, kind):
    """−D and −(1 − D) = −σ(−f), each divided by the number of examples; at −200 the first is nothing."""
    logits = [-200.0, -30.0, -1.0, 0.0, 30.0, 200.0]
    x = torch.tensor(logits, dtype=kind, requires_grad=True)
    loss(x).backward()
    wanted = [-1 / (1 + math.exp(-sign * logit)) for logit in logits]
    assert (6 * x.grad).tolist() == pytest.approx(wanted, rel=1e-6, abs=1e-40)


def test_a_wasserstein_critic_is_to_be_high_at_real_examples_and_a_generator_where_the_critic_is():
    assert wasserstein_critic_loss(torch.tensor([3.0, 1.0]), torch.tensor([0.0])) == -2
    assert wasserstein_generator_loss(torch.tensor([3.0, 1.0])) == -2


def test_the_hinge_asks_for_a_margin_of_one_on_each_side_and_no_more():
    """Each logit alone, against a sum of its shortfall by hand."""
    tried = [-2.0, -1.0, -0.25, 0.0, 0.5, 1.0, 3.0]
    for real in tried:
        for fake in tried:
            loss = hinge_critic_loss(torch.tensor([real]), torch.tensor([fake])).item()
            assert loss == (1 - real if real < 1 else 0) + (fake + 1 if fake > -1 else 0)


def minus_log_sigmoid(logit):
    return math.log1p(math.exp(-logit))


@pytest.mark.parametrize(
    ("name", "critic", "generator"),
    [
        ("saturating", minus_log_sigmoid(0.25) + minus_log_sigmoid(-0.5), -minus_log_sigmoid(-0.5)),
        ("non-saturating", minus_log_sigmoid(0.25) + minus_log_sigmoid(-0.5), minus_log_sigmoid(0.5)),
        ("wasserstein", 0.5 - 0.25, -0.5),
        ("hinge", 0.75 + 1.5, -0.5),
        ("relativistic", minus_log_sigmoid(0.25 - 0.5), minus_log_sigmoid(0.5 - 0.25)),
    ],
)
def test_each_player_of_a_game_has_its_own_loss_and_not_the_other_s(name, critic, generator):
    real, fake, game = torch.tensor([0.25]), torch.tensor([0.5]), find_objective(name)
    assert game.critic(real, fake).item() == pytest.approx(critic)
    assert game.generator(real, fake).item() == pytest.approx(generator)


def test_pairs_may_be_pairs_of_patches_and_are_compared_place_by_place():
    real, fake = torch.tensor([[[1.0, -2.0]]]), torch.tensor([[[0.5, 3.0]]])
    by_hand = (math.log1p(math.exp(-0.5)) + math.log1p(math.exp(5.0))) / 2
    assert relativistic_loss(real, fake).item() == pytest.approx(by_hand)


def test_patches_that_make_no_pairs_are_refused(unchecked):
    with pytest.raises(ValueError, match=r"not \(1, 1, 2\) and \(1, 2, 1\)"):
        relativistic_loss(torch.zeros(1, 1, 2), torch.zeros(1, 2, 1))


@pytest.mark.slip(6)
def test_the_printed_loss_is_not_that_of_the_printed_game():
    """Source 001: with L_D = −V, the generator's loss of the same game changes as V does."""
    real, fake = LOGITS.flip(0), LOGITS.clone().requires_grad_()
    for loss, belongs in ((saturating_loss, True), (non_saturating_loss, False)):
        theirs, ours = (
            torch.autograd.grad(value, fake)[0]
            for value in (loss(fake), -discriminator_loss(real, fake))  # the second is V
        )
        assert torch.allclose(theirs, ours) == belongs
