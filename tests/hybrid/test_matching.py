"""Gradients from two scores against the derivative of a closed form, and of quadrature."""

import math

import pytest
import torch

from gdmcourse.diffusion import cosine_schedule, exact_denoiser
from gdmcourse.hybrid.distillation import distillation_loss, score_distillation_target
from gdmcourse.hybrid.matching import (
    Guesses,
    loss_with_gradient,
    normalised_gap,
    score_gap,
    two_guesses,
)
from gdmcourse.probability import GaussianMixture, gaussian_kl, kl
from tests.oracles import normal

close = torch.testing.assert_close
SCHEDULE, TIME = cosine_schedule(1000), 400
LEVEL = SCHEDULE.noise_levels([TIME])[0]
A, B = LEVEL.signal, LEVEL.sigma
DATA = GaussianMixture(
    torch.tensor([0.4, 0.6]).double(),
    torch.tensor([[-1.0], [0.7]]).double(),
    torch.tensor([[[0.1]], [[0.3]]]).double(),
)


def nodes(n: int = 40):
    """Points and weights of Gauss and Hermite for a standard normal number."""
    matrix = torch.diag(torch.arange(1, n, dtype=torch.float64).sqrt(), 1)
    values, vectors = torch.linalg.eigh(matrix + matrix.T)
    return values, vectors[0].square()


def grid():
    """All pairs (z, ε) of nodes, as columns, with their weights."""
    points, weights = nodes()
    z, noise = torch.meshgrid(points, points, indexing="ij")
    return z.reshape(-1, 1), noise.reshape(-1, 1), torch.outer(weights, weights).reshape(-1, 1)


def student(mean, spread):
    return GaussianMixture.isotropic(torch.tensor([[mean]]).double(), spread)


@pytest.mark.equation("eq-matching-gradient")
@pytest.mark.parametrize("time", [150, 400, 900])
def test_the_gap_is_the_derivative_of_the_divergence_of_gaussians(time):
    level = SCHEDULE.noise_levels([time])[0]
    a, b = level.signal, level.sigma
    mu, r = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (-0.3, 1.1))
    laws = student(0.5, 0.4), student(-0.3, 1.1)
    z, noise, weights = grid()
    x = mu + r * z
    t = torch.full((len(x),), time)
    guesses = two_guesses(*(exact_denoiser(law, SCHEDULE) for law in laws), SCHEDULE, x.detach(), t, noise)
    gradients = torch.autograd.grad((weights * x * (a * score_gap(SCHEDULE, guesses, t))).sum(), (mu, r))
    divergence = gaussian_kl(
        a * mu, (a**2 * r**2 + b**2)[:, None],
        torch.tensor([a * 0.5]).double(), torch.tensor([[a**2 * 0.16 + b**2]]).double(),
    )  # fmt: skip
    close(gradients, torch.autograd.grad(divergence, (mu, r)), atol=1e-5, rtol=1e-4)


@pytest.mark.equation("eq-matching-gradient")
def test_the_gap_is_the_derivative_of_the_divergence_from_a_mixture():
    """KL by quadrature, differentiated by central differences; the student is a Gaussian."""
    z, noise, weights = grid()
    x, t = -0.3 + 0.5 * z, torch.full((len(z),), TIME)
    guesses = two_guesses(
        *(exact_denoiser(law, SCHEDULE) for law in (DATA, student(-0.3, 0.5))), SCHEDULE, x, t, noise
    )
    gap = A * score_gap(SCHEDULE, guesses, t)
    by_gap = [(weights * gap).sum().item(), (weights * gap * z).sum().item()]
    line = torch.linspace(-8, 8, 6001, dtype=torch.float64)

    def divergence(mean, spread):
        return kl(
            student(mean, spread).diffused(A**2).log_prob_1d, DATA.diffused(A**2).log_prob_1d, line
        ).item()

    h = 1e-3
    slopes = [
        (divergence(-0.3 + h, 0.5) - divergence(-0.3 - h, 0.5)) / (2 * h),
        (divergence(-0.3, 0.5 + h) - divergence(-0.3, 0.5 - h)) / (2 * h),
    ]
    assert by_gap == pytest.approx(slopes, rel=1e-3, abs=1e-5)


@pytest.mark.equation("eq-own-score")
def test_the_change_of_the_own_density_is_zero_on_average():
    """Of the Gaussian and of a mixture whose weight moves: by quadrature over the law itself."""
    line = torch.linspace(-9, 9, 6001, dtype=torch.float64)

    def weighted(share):
        parts = student(-1.0, 0.5).log_prob_1d(line), student(1.5, 0.8).log_prob_1d(line)
        return torch.logaddexp(parts[0] + share.log(), parts[1] + (1 - share).log())

    def wide(spread):
        return torch.distributions.Normal(0.3, spread).log_prob(line)

    for law, value in ((weighted, 0.3), (wide, 0.9)):
        theta, h = torch.tensor(value, dtype=torch.float64), 1e-5
        log_p, change = law(theta), (law(theta + h) - law(theta - h)) / (2 * h)
        mean = torch.trapezoid(log_p.exp() * change, line)
        assert abs(mean.item()) < 1e-8
        assert torch.trapezoid(log_p.exp() * change.abs(), line) > 0.1
        other = torch.trapezoid(student(0.5, 0.7).log_prob_1d(line).exp() * change, line)
        assert abs(other.item()) > 0.05  # over another law it is not


@pytest.mark.equation("eq-gap-of-guesses")
def test_two_guesses_tell_both_scores_apart():
    x, noise = normal(6, 1), normal(6, 1, seed=1)
    t = torch.tensor([100, 300, 400, 600, 800, 950])
    fake = student(0.2, 0.6)
    guesses = two_guesses(
        exact_denoiser(DATA, SCHEDULE), exact_denoiser(fake, SCHEDULE), SCHEDULE, x, t, noise
    )
    for row, level in enumerate(SCHEDULE.noise_levels(t.tolist())):
        x_t = level.signal * x[row : row + 1] + level.sigma * noise[row : row + 1]
        scores = [law.diffused(level.signal**2).score(x_t) for law in (fake, DATA)]
        gap = score_gap(SCHEDULE, Guesses(*(g[row : row + 1] for g in guesses)), t[row : row + 1])
        close(gap, scores[0] - scores[1], atol=1e-3, rtol=1e-3)


@pytest.mark.equation("eq-price-of-a-mode")
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_a_dropped_mode_costs_at_most_its_share(share):
    """By quadrature at several distances: near, far, and so far that the bound is reached."""
    line = torch.linspace(-6, 16, 8001, dtype=torch.float64)
    found = []
    for distance in (0.0, 1.0, 3.0, 10.0):
        means = torch.tensor([[0.0], [distance]], dtype=torch.float64)
        law = GaussianMixture.isotropic(means, 0.5, torch.tensor([share, 1 - share]).double())
        mode = student(0.0, 0.5)
        found.append(kl(mode.log_prob_1d, law.log_prob_1d, line).item())
        if distance == 10.0:
            forward = kl(law.log_prob_1d, mode.log_prob_1d, line).item()
    assert found == sorted(found)
    assert max(found) <= math.log(1 / share) + 1e-6
    assert found[-1] == pytest.approx(math.log(1 / share), rel=1e-3)
    assert forward > 10 * found[-1]


@pytest.mark.equation("eq-score-distillation")
def test_the_teachers_own_guess_is_the_cross_entropy():
    """Its gradient in mean and spread of a Gaussian student against differences of a quadrature."""
    z, noise, weights = grid()
    mu, r = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (-0.3, 0.5))
    x, t = mu + r * z, torch.full((len(z),), TIME)
    target = score_distillation_target(exact_denoiser(DATA, SCHEDULE), SCHEDULE, x.detach(), t, noise)
    assert not target.requires_grad
    gradients = torch.autograd.grad((weights * (x - target).square() / 2).sum(), (mu, r))
    line = torch.linspace(-8, 8, 6001, dtype=torch.float64)
    law = DATA.diffused(A**2).log_prob_1d(line)

    def cross_entropy(mean, spread):
        return -torch.trapezoid(
            student(mean, spread).diffused(A**2).log_prob_1d(line).exp() * law, line
        ).item()

    h = 1e-3
    slopes = [
        (cross_entropy(-0.3 + h, 0.5) - cross_entropy(-0.3 - h, 0.5)) / (2 * h),
        (cross_entropy(-0.3, 0.5 + h) - cross_entropy(-0.3, 0.5 - h)) / (2 * h),
    ]
    found = [gradient.item() * A**2 / B**2 for gradient in gradients]
    assert found == pytest.approx(slopes, rel=1e-3, abs=1e-5)


def test_a_given_gradient_is_the_losss():
    x = normal(3, 2).requires_grad_()
    wanted = normal(3, 2, seed=1)
    loss_with_gradient(x, wanted).backward()
    close(x.grad, wanted / 6)
    with pytest.raises(ValueError, match="the gradient has shape"):
        loss_with_gradient(x, wanted[:2])


def test_the_normalised_gap_is_the_gap_in_units_of_what_is_left_to_guess():
    guesses, x = Guesses(normal(4, 3), normal(4, 3, seed=1)), normal(4, 3, seed=2)
    gap = normalised_gap(guesses, x)
    close(gap[2], (guesses.fake - guesses.real)[2] / (x - guesses.real)[2].abs().mean())
    assert torch.isfinite(normalised_gap(Guesses(x, guesses.fake), x)).all()


def test_distillation_stops_at_the_teacher():
    ours, theirs = (normal(2, 3, seed=k).requires_grad_() for k in (0, 1))
    distillation_loss(ours, theirs).backward()
    close(ours.grad, (2 * (ours - theirs) / 6).detach())
    assert theirs.grad is None
    with pytest.raises(ValueError, match="the teacher's image has shape"):
        distillation_loss(ours, theirs[:1])
