"""A critic of pairs looks at all that it is given; steps that draw the true x_0 lead to the data."""

import pytest
import torch
from torch import nn

from gdmcourse.diffusion import cosine_schedule
from gdmcourse.hybrid.denoising_gan import DenoisingGenerator, StepCritic, draw_in_steps
from tests.oracles import gen

close = torch.testing.assert_close
SCHEDULE = cosine_schedule(1000)
TIMES = [1000, 750, 500, 250, 0]


class StandIn(DenoisingGenerator):
    """Answers by a function of (x_t, t, z), and notes the times and the z that it was asked with."""

    def __init__(self, answer):
        nn.Module.__init__(self)
        self.schedule, self.noise_dim, self.answer, self.asked = SCHEDULE, 3, answer, []

    def forward(self, x_t, t, z, y=None):
        self.asked.append((t[0].item(), z))
        return self.answer(x_t, t[0].item(), z)


def test_the_critic_looks_at_both_images_at_the_step_and_at_the_label():
    torch.manual_seed(0)
    critic = StepCritic((1, 8, 8), steps=4, classes=10, width=4)
    x_s, x_t, other = torch.randn(3, 5, 1, 8, 8, generator=gen(0))
    step, y = torch.tensor([0, 1, 2, 0, 1]), torch.arange(5)
    logits = critic(x_s, x_t, step, y)
    assert logits.shape == (5,)
    changed = [
        critic(other, x_t, step, y),
        critic(x_s, other, step, y),
        critic(x_s, x_t, step + 1, y),
        critic(x_s, x_t, step, y + 1),
    ]
    assert all((now - logits).abs().min() > 1e-4 for now in changed)
    close(critic(x_s.flip(0), x_t.flip(0), step.flip(0), y.flip(0)), logits.flip(0))
    with pytest.raises(ValueError, match="label"):
        critic(x_s, x_t, step, y + 6)


def test_a_walk_ends_at_the_image_that_the_generator_says_last():
    images = torch.linspace(-1, 1, 6)[:, None, None, None].expand(6, 1, 2, 2)
    model = StandIn(lambda x_t, t, z: images)
    drawn = draw_in_steps(model, torch.randn(6, 1, 2, 2, generator=gen(0)), TIMES, gen(1))
    close(drawn, images)
    assert [t for t, _ in model.asked] == TIMES[:-1]
    z = torch.stack([z for _, z in model.asked])
    assert z.shape == (4, 6, 3)
    assert (z[0] - z[1]).abs().min() > 0  # fresh at each step


@pytest.mark.equation("eq-step-mixture")
def test_steps_that_draw_what_may_be_behind_have_the_law_of_the_data():
    """Bayes' rule gives q(x_0 | x_t) of a table of data; the stand-in draws from it, or says its mean."""
    data, shares = torch.tensor([-1.0, -0.6, 0.3, 1.2]), torch.tensor([0.1, 0.4, 0.2, 0.3])

    def behind(x_t, t):
        signal, noise = SCHEDULE.alpha_bar[t].sqrt(), SCHEDULE.one_minus_alpha_bar[t]
        return (shares.log() - (x_t.flatten()[:, None] - signal * data) ** 2 / (2 * noise)).softmax(1)

    def drawn(x_t, t, z):
        below = torch.distributions.Normal(0.0, 1.0).cdf(z[:, :1])
        return data[(behind(x_t, t).cumsum(1) < below).sum(1).clamp(max=3)].view_as(x_t)

    def mean(x_t, t, z):
        return (behind(x_t, t) @ data).view_as(x_t)

    at = {}
    for answer in (drawn, mean):
        x_T = torch.randn(40_000, 1, 1, 1, generator=gen(0))
        ends = draw_in_steps(StandIn(answer), x_T, TIMES, gen(1)).flatten()
        at[answer] = ((ends[:, None] - data).abs() < 1e-3).float().mean(0)
    close(at[drawn], shares, atol=0.01, rtol=0)
    assert at[mean].sum() < 0.8  # a mean is none of the data
