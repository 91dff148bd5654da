"""The noise before a critic: T follows the signs of real logits, and everything is made anew with it."""

import math

import pytest
import torch

from gdmcourse.hybrid import Diffusion, TimedImageCritic, TimedPointCritic

SURE, TORN = torch.ones(8), torch.tensor([1.0, -1.0] * 4)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_T_climbs_while_too_many_real_examples_are_recognised_and_stays_in_its_range():
    noise = Diffusion(low=4, high=9, step=2, every=2, target=0.6)
    path = []
    for logits in [SURE] * 8 + [TORN] * 8:
        noise.observe(3 * logits)
        path.append(int(noise.T))
    assert path == [4, 6, 6, 8, 8, 9, 9, 9, 9, 7, 7, 5, 5, 4, 4, 4]


def test_all_examples_since_the_last_move_count_alike_and_only_their_signs():
    """Of 12 logits 10 are positive, r = ⅔; the mean of the two batches' own r would be ½."""
    noise = Diffusion(low=4, high=9, step=1, every=2, target=0.6)
    noise.observe(torch.tensor([0.1] * 10))
    noise.observe(torch.tensor([-99.0] * 2))
    assert int(noise.T) == 5
    at_target = Diffusion(low=4, high=9, every=1, target=0.5)
    at_target.rebuild(6)
    at_target.observe(torch.tensor([1.0, 1.0, 1.0, -1.0]))
    assert int(at_target.T) == 6


@pytest.mark.parametrize("T", [1, 5, 20])
def test_the_schedule_is_made_anew_for_each_T(T):
    noise = Diffusion(sigma=0.3, low=1, high=20, kind="priority")
    noise.rebuild(20)
    noise.rebuild(T)
    kept = 1.0
    for t in range(1, T + 1):
        kept *= 1 - (1e-4 + (0.02 - 1e-4) * (t - 1) / max(1, T - 1))
        assert noise.signal[t].item() == pytest.approx(math.sqrt(kept), rel=1e-5)
        assert noise.spread[t].item() == pytest.approx(0.3 * math.sqrt(1 - kept), rel=1e-4)
        assert noise.weights[t].item() == pytest.approx(2 * t / (T * (T + 1)), rel=1e-5)
    assert noise.weights[T + 1 :].sum() == 0
    assert noise.weights[0] == 0


def test_what_is_shown_has_the_noise_of_the_time_that_is_told_and_lets_gradients_through():
    noise = Diffusion(sigma=0.5, low=3, high=3, kind="uniform")
    x = torch.full((60_000, 1), 2.0, requires_grad=True)
    y, t = noise(x, rng())
    assert t.unique().tolist() == [1, 2, 3]
    for k in (1, 2, 3):
        some = y[t == k]
        assert some.mean().item() == pytest.approx(2 * noise.signal[k].item(), abs=2e-3)
        assert some.std().item() == pytest.approx(noise.spread[k].item(), rel=0.03)
    y.sum().backward()
    torch.testing.assert_close(x.grad[:, 0], noise.signal[t])


def test_a_checkpoint_holds_all_of_it():
    noise, other = Diffusion(low=2, high=30, every=3), Diffusion(low=2, high=30, every=3)
    for _ in range(7):
        noise.observe(SURE)
    other.load_state_dict(noise.state_dict())
    x = torch.randn(20, 2, generator=rng(1))
    for one, same in zip(noise(x, rng()), other(x, rng()), strict=True):
        assert torch.equal(one, same)
    for each in (noise, other):
        each.observe(SURE)
        each.observe(SURE)
    assert int(noise.T) == int(other.T) == 8


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Diffusion(sigma=-1.0), "σ above 0"),
        (lambda: Diffusion(kind="often"), "no weights 'often'"),
        (lambda: Diffusion(low=0), "1 ≤ low ≤ high"),
        (lambda: Diffusion(low=9, high=8), "1 ≤ low ≤ high"),
        (lambda: Diffusion(step=0), "T moves by at least 1"),
        (lambda: Diffusion(low=2, high=5).rebuild(6), "T must stay between 2 and 5, not 6"),
        (lambda: Diffusion(low=2, high=5).rebuild(1), "T must stay between 2 and 5, not 1"),
    ],
)
def test_what_cannot_be_is_named(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.slip(10)
@pytest.mark.parametrize("image", [False, True])
def test_one_critic_answers_at_every_time_and_each_answer_is_of_its_own_time(image):
    torch.manual_seed(0)
    critic = TimedImageCritic((1, 8, 8), width=4) if image else TimedPointCritic(width=8)
    torch.nn.init.normal_(critic.of_time.project.weight)  # 0 before training
    y = torch.randn(1, *((1, 8, 8) if image else (2,)), generator=rng()).expand(
        5, *[-1] * (3 if image else 1)
    )
    t = torch.tensor([1, 2, 50, 300, 1])
    critic.requires_grad_(False)
    logits = critic(y, t)
    assert logits.shape == (5,)
    assert logits[0] == pytest.approx(logits[4].item())
    assert len({round(value, 5) for value in logits.tolist()}) == 4
    one = torch.cat([critic(y[k : k + 1], t[k : k + 1]) for k in range(5)])
    torch.testing.assert_close(logits, one)
