"""Guidance where the conditional law is known: mixtures, with the component as the label."""

import math

import pytest
import torch
from torch import Tensor

from gdmcourse.diffusion import (
    Schedule,
    ScheduleError,
    as_denoiser,
    autoguidance,
    classifier_free_guidance,
    classifier_guidance,
    exact_classifier,
    exact_denoiser,
    guided_between,
    linear_schedule,
)
from gdmcourse.diffusion.classifier import NoisyClassifier, noisy_classifier_loss
from gdmcourse.diffusion.denoiser import alpha_bar_at
from gdmcourse.diffusion.guidance import Classifier, classifier_gradient, guided_mean
from gdmcourse.diffusion.samplers import ddim, spaced_times
from gdmcourse.nn import NoNullClass, UNet
from gdmcourse.probability import GaussianMixture

SCHEDULE = linear_schedule(1000)
MEANS = torch.tensor([[-1.2, 0.0], [1.0, 0.8], [0.6, -1.0]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
LAW = GaussianMixture.isotropic(MEANS, 0.4, WEIGHTS)
X = torch.randn(30, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
T = torch.tensor([1, 30, 200, 500, 1000]).repeat(6)
Y = torch.arange(30) % 3


def unet(**options: bool) -> UNet:
    torch.manual_seed(0)
    model = UNet(1, width=8, num_classes=3, **options)
    for parameter in model.parameters():
        if not parameter.any():  # layers that start at zero
            torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


@pytest.mark.equation("eq-classifier-guidance")
def test_exact_parts_at_scale_one_give_the_exact_conditional():
    guided = classifier_guidance(
        exact_denoiser(LAW, SCHEDULE), exact_classifier(LAW, SCHEDULE), SCHEDULE, scale=1.0
    )
    torch.testing.assert_close(guided(X, T, Y), exact_denoiser(LAW, SCHEDULE)(X, T, Y), atol=1e-6, rtol=1e-5)


@pytest.mark.equation("eq-classifier-guidance")
@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_the_guided_score_is_that_of_the_product(scale):
    """−ε̂/√(1 − ᾱ) against a numerical gradient of log p(x_t) + s log p(y | x_t)."""
    guided = classifier_guidance(
        exact_denoiser(LAW, SCHEDULE), exact_classifier(LAW, SCHEDULE), SCHEDULE, scale=scale
    )
    for t in (30, 500):
        noisy = LAW.diffused(alpha_bar_at(SCHEDULE, t))

        def log_product(x: Tensor, noisy: GaussianMixture = noisy) -> Tensor:
            return noisy.log_prob(x) + scale * noisy.log_responsibilities(x).gather(1, Y[:, None])[:, 0]

        got = -guided(X, torch.full((30,), t), Y) / (1 - alpha_bar_at(SCHEDULE, t)) ** 0.5
        for i in range(2):
            shift = 1e-5 * torch.eye(2, dtype=torch.float64)[i]
            wanted = (log_product(X + shift) - log_product(X - shift)) / 2e-5
            torch.testing.assert_close(got[:, i], wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.equation("eq-classifier-guidance")
def test_scale_zero_is_the_unguided_denoiser_to_the_bit():
    guided = classifier_guidance(
        exact_denoiser(LAW, SCHEDULE), exact_classifier(LAW, SCHEDULE), SCHEDULE, scale=0.0
    )
    assert torch.equal(guided(X, T, Y), exact_denoiser(LAW, SCHEDULE)(X, T))


def test_a_gradient_is_found_where_gradients_are_off_and_leaves_no_trace():
    classifier = NoisyClassifier(1, 3, width=8)
    x = torch.randn(4, 1, 8, 8)
    with torch.no_grad():
        gradient = classifier_gradient(
            classifier, x, torch.tensor([0, 1, 500, 1000]), torch.tensor([0, 1, 2, 0])
        )
    assert gradient.shape == x.shape
    assert gradient.flatten(1).norm(dim=1).min() > 0
    assert not gradient.requires_grad
    assert all(p.grad is None for p in classifier.parameters())


def test_classifier_guidance_needs_labels():
    guided = classifier_guidance(
        exact_denoiser(LAW, SCHEDULE), exact_classifier(LAW, SCHEDULE), SCHEDULE, 1.0
    )
    with pytest.raises(ValueError, match="labels y"):
        guided(X, T)


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_of_no_class_are_named(label):
    """A negative one would count from the end, and the others stop with a message about indices."""
    y = torch.full((30,), label)
    with pytest.raises(ValueError, match=rf"labels must be in 0 … 2; got {label}"):
        classifier_guidance(exact_denoiser(LAW, SCHEDULE), exact_classifier(LAW, SCHEDULE), SCHEDULE, 1.0)(
            X, T, y
        )
    with pytest.raises(ValueError, match=r"in 0 … 2"):
        exact_denoiser(LAW, SCHEDULE)(X, T, y)
    classifier, images = NoisyClassifier(1, 3, width=8), torch.zeros(30, 1, 8, 8)
    with pytest.raises(ValueError, match=rf"labels must be in 0 … 2; got {label}"):
        noisy_classifier_loss(SCHEDULE)(classifier, (images, y), torch.Generator())


@pytest.mark.parametrize("time", [-1, 1001])
def test_times_that_the_schedule_has_not_are_named(time):
    t = torch.full((30,), time)
    for ask in (
        lambda: exact_denoiser(LAW, SCHEDULE)(X, t),
        lambda: exact_classifier(LAW, SCHEDULE)(X, t),
        lambda: classifier_guidance(lambda *_: X, exact_classifier(LAW, SCHEDULE), SCHEDULE, 1.0)(X, t, Y),
    ):
        with pytest.raises(ScheduleError, match=f"time {time} is outside"):
            ask()


@pytest.mark.equation("eq-guided-mean")
def test_the_guided_mean_is_exact_in_small_steps():
    """μ + Σg against the mean of the exact q(x_{t−1} | x_t, y): the error falls faster than the shift."""
    shares = []
    for beta in (0.02, 0.01, 0.005):
        schedule = Schedule.from_betas(torch.tensor([0.3, beta]))
        before, after = (LAW.diffused(alpha_bar_at(schedule, t)) for t in (1, 2))
        kept = 1 - beta

        def step_back(law: GaussianMixture, x: Tensor, kept: float = kept, after=after) -> Tensor:
            """Tweedie for one step: E[x_1 | x_2] = (x_2 + β ∇ log p(x_2)) / √(1 − β)."""
            noisy = GaussianMixture(
                law.weights,
                kept**0.5 * law.means,
                kept * law.covariances + (1 - kept) * torch.eye(2, dtype=torch.float64),
            )
            return (x + (1 - kept) * noisy.score(x)) / kept**0.5

        mean = step_back(before, X)
        conditional = torch.cat([step_back(before.given(int(k)), x[None]) for x, k in zip(X, Y, strict=True)])
        gradient = classifier_gradient(exact_classifier(LAW, schedule), X, torch.full((30,), 2), Y)
        error = guided_mean(mean, beta, gradient, 1.0) - conditional
        shares.append(float(error.norm() / (conditional - mean).norm()))
    assert shares[0] < 0.05
    assert shares[1] / shares[0] == pytest.approx(0.5, abs=0.1)
    assert shares[2] / shares[1] == pytest.approx(0.5, abs=0.1)


@pytest.mark.equation("eq-guided-mean")
@pytest.mark.parametrize("s", [-0.5, 1.0, 2.5])
def test_the_guided_mean_completes_the_square(s):
    """N(μ, Σ) times e^(s gᵀ(x − μ)) on a grid: its mass is the factor, and it has the mean and Σ claimed."""
    mu, g = torch.tensor([0.4, -0.7], dtype=torch.float64), torch.tensor([1.1, -0.6], dtype=torch.float64)
    sigma = torch.tensor([[0.5, 0.3], [0.3, 0.4]], dtype=torch.float64)
    axis = torch.linspace(-6, 6, 601, dtype=torch.float64)
    x = torch.cartesian_prod(axis, axis)
    bell = torch.distributions.MultivariateNormal(mu, sigma).log_prob(x)
    product = (bell + s * (x - mu) @ g).exp() * (axis[1] - axis[0]) ** 2
    assert float(product.sum()) == pytest.approx(math.exp(s**2 * float(g @ sigma @ g) / 2), rel=1e-6)
    weight = product / product.sum()
    mean = weight @ x
    torch.testing.assert_close(mean, mu + s * sigma @ g)
    torch.testing.assert_close((x - mean).T @ (weight[:, None] * (x - mean)), sigma)


@pytest.mark.equation("eq-guided-mean")
def test_the_library_shifts_by_the_variance_of_each_coordinate():
    """A step has the same variance for all coordinates, or one for each: the diagonal of Σ."""
    mean, gradient = torch.tensor([0.4, -0.7]), torch.tensor([1.1, -0.6])
    for variance in (torch.tensor(0.04), torch.tensor([0.04, 0.25])):
        shift = torch.diag(variance.expand(2)) @ gradient
        torch.testing.assert_close(guided_mean(mean, variance, gradient, 2.5), mean + 2.5 * shift)


@pytest.mark.equation("eq-classifier-free-guidance")
@pytest.mark.parametrize("model", [exact_denoiser(LAW, SCHEDULE), unet()], ids=["exact", "U-Net"])
def test_the_two_ends_of_classifier_free_guidance_are_exact_to_the_bit(model):
    x = X if not isinstance(model, UNet) else torch.randn(30, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(classifier_free_guidance(model, 0.0)(x, T, Y), model(x, T))
        assert torch.equal(classifier_free_guidance(model, 1.0)(x, T, Y), model(x, T, Y))
        assert not torch.equal(model(x, T), model(x, T, Y))


@pytest.mark.equation("eq-classifier-free-guidance")
@pytest.mark.parametrize("scale", [0.3, 2.0, 7.5])
def test_free_and_classifier_guidance_agree_where_both_are_exact(scale):
    denoiser = exact_denoiser(LAW, SCHEDULE)
    free = classifier_free_guidance(denoiser, scale)(X, T, Y)
    with_classifier = classifier_guidance(denoiser, exact_classifier(LAW, SCHEDULE), SCHEDULE, scale)(X, T, Y)
    torch.testing.assert_close(free, with_classifier, atol=1e-5, rtol=1e-5)
    unconditional, conditional = denoiser(X, T), denoiser(X, T, Y)
    w = scale - 1  # Ho and Salimans' scale
    torch.testing.assert_close(free, (1 + w) * conditional - w * unconditional)


def test_guidance_towards_a_label_that_is_not_there_is_refused():
    classifier = exact_classifier(LAW, SCHEDULE)
    for wrong in (3, -1):
        with pytest.raises(ValueError, match=f"labels must be in 0 … 2; got {wrong}"):
            classifier_gradient(classifier, X, T, torch.full((30,), wrong))
    guided = classifier_free_guidance(unet(), 2.0)
    with pytest.raises(ValueError, match="labels must be in"):
        guided(torch.randn(1, 1, 8, 8), torch.tensor([5]), torch.tensor([7]))


def test_guidance_wants_one_label_for_each_image(unchecked):
    """`gather` would take one label for the first image alone, and leave the others without guidance."""
    classifier = exact_classifier(LAW, SCHEDULE)
    with pytest.raises(ValueError, match=r"one label for each image, not labels of shape \(1,\) for 30"):
        classifier_gradient(classifier, X, T, torch.tensor([1]))


@pytest.mark.slip(8)
def test_a_classifier_of_clean_data_pushes_too_hard_at_noise():
    """The exact classifier of clean data, asked at noisy points: its gradient against the exact one."""
    t = int((SCHEDULE.alpha_bar - 0.2).abs().argmin())
    x, y = LAW.diffused(alpha_bar_at(SCHEDULE, t)).sample_with_labels(500, torch.Generator().manual_seed(0))
    times = torch.full((500,), t)
    exact = exact_classifier(LAW, SCHEDULE)

    def clean(x: Tensor, t: Tensor) -> Tensor:
        return LAW.log_responsibilities(x)

    wanted, got = (classifier_gradient(c, x, times, y) for c in (exact, clean))
    assert (got - wanted).norm() > 10 * wanted.norm()  # far worse than no gradient at all

    def spread(classifier: Classifier) -> float:
        y = torch.full((400,), 2)
        x_T = torch.randn(400, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        guided = classifier_guidance(exact_denoiser(LAW, SCHEDULE), classifier, SCHEDULE, 1.0)
        return float(ddim(guided, SCHEDULE, x_T, spaced_times(1000, 100), y=y).std(0).mean())

    assert spread(exact) == pytest.approx(0.4, abs=0.02)  # that of the component
    assert spread(clean) < 0.3


def test_without_a_label_guidance_is_unconditional():
    denoiser = exact_denoiser(LAW, SCHEDULE)
    assert torch.equal(classifier_free_guidance(denoiser, 4.0)(X, T), denoiser(X, T))


def test_guidance_without_a_null_class_is_refused():
    with pytest.raises(NoNullClass, match="null_class=True"):
        classifier_free_guidance(unet(null_class=False), 2.0)
    # Behind another target nobody can see it beforehand, so the first call says so.
    guided = classifier_free_guidance(as_denoiser(unet(null_class=False), SCHEDULE, "velocity"), 2.0)
    with pytest.raises(NoNullClass, match="null_class=True"):
        guided(torch.zeros(2, 1, 8, 8), torch.tensor([1, 2]), torch.tensor([0, 1]))


def test_samples_follow_the_label_and_lose_spread_with_the_scale():
    y, x = torch.zeros(400, dtype=torch.long), torch.randn(400, 2, dtype=torch.float64)
    spread = []
    for scale in (0.0, 1.0, 4.0):
        denoiser = classifier_free_guidance(exact_denoiser(LAW, SCHEDULE), scale)
        samples = ddim(denoiser, SCHEDULE, x, spaced_times(1000, 50), y=y)
        hits = (LAW.responsibilities(samples).argmax(1) == 0).double().mean()
        spread.append(samples.std(0).mean())
        assert hits == pytest.approx({0.0: 0.5, 1.0: 0.98, 4.0: 1.0}[scale], abs=0.08)
    assert spread[0] > spread[1] > spread[2]


def test_the_noisy_classifier_learns_at_every_noise_level():
    """Bright against dark images: easy at low noise, and a coin flip at the end."""
    torch.manual_seed(0)
    model = NoisyClassifier(1, 2, width=8)
    y = torch.arange(128) % 2
    x0 = (2 * y - 1).view(-1, 1, 1, 1) * torch.full((128, 1, 8, 8), 0.3)
    loss, generator = noisy_classifier_loss(SCHEDULE), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss(model, (x0, y), generator).backward()
        optimizer.step()
    from gdmcourse.diffusion import q_sample

    def accuracy(t: int) -> float:
        times, noise = torch.full((128,), t), torch.randn(x0.shape, generator=generator)
        return float((model(q_sample(SCHEDULE, x0, times, noise), times).argmax(1) == y).double().mean())

    assert accuracy(100) > 0.95
    assert accuracy(1000) < 0.8


WIDE = GaussianMixture.isotropic(MEANS, 0.7, WEIGHTS)  # what a worse network might take LAW for


@pytest.mark.equation("eq-autoguidance")
@pytest.mark.parametrize("scale", [0.5, 3.0])
@pytest.mark.parametrize("t", [30, 500])
def test_the_autoguided_score_is_that_of_the_product_with_a_ratio(scale, t):
    """−ε̂/√(1 − ᾱ) against a numerical gradient of log p + (s − 1)(log p − log p') of the label's laws."""
    guided = autoguidance(exact_denoiser(LAW, SCHEDULE), exact_denoiser(WIDE, SCHEDULE), scale)
    kept = alpha_bar_at(SCHEDULE, t)

    def log_product(x: Tensor) -> Tensor:
        better, worse = (
            torch.stack([law.given(k).diffused(kept).log_prob(x) for k in range(3)]).gather(0, Y[None])[0]
            for law in (LAW, WIDE)
        )
        return better + (scale - 1) * (better - worse)

    got = -guided(X, torch.full((30,), t), Y) / (1 - kept) ** 0.5
    for i in range(2):
        shift = 1e-5 * torch.eye(2, dtype=torch.float64)[i]
        wanted = (log_product(X + shift) - log_product(X - shift)) / 2e-5
        torch.testing.assert_close(got[:, i], wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.equation("eq-autoguidance")
def test_autoguidance_is_exact_at_both_ends_and_the_classifier_free_kind_for_a_worse_one_without_a_label():
    better, worse = exact_denoiser(LAW, SCHEDULE), exact_denoiser(WIDE, SCHEDULE)
    assert torch.equal(autoguidance(better, worse, 0.0)(X, T, Y), worse(X, T, Y))
    assert torch.equal(autoguidance(better, worse, 1.0)(X, T, Y), better(X, T, Y))
    untold = autoguidance(better, lambda x, t, y: better(x, t), 3.0)(X, T, Y)
    torch.testing.assert_close(untold, classifier_free_guidance(better, 3.0)(X, T, Y))


def test_guidance_between_two_times_asks_one_of_the_two_in_a_sampler():
    asked = []

    def named(name: str, value: float):
        def denoiser(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
            asked.append(name)
            return torch.full_like(x, value)

        return denoiser

    between = guided_between(named("guided", 1.0), named("plain", 0.0), 30, 500)
    got = between(X, T, Y)
    assert torch.equal(got[:, 0] == 1, (T > 30) & (T <= 500))
    assert sorted(asked) == ["guided", "plain"]
    for time, name in ((1, "plain"), (30, "plain"), (31, "guided"), (500, "guided"), (501, "plain")):
        asked.clear()
        between(X, torch.full((30,), time), Y)
        assert asked == [name]


@pytest.mark.parametrize(("low", "high"), [(500, 500), (-1, 3), (700, 200)])
def test_an_interval_that_holds_no_time_is_refused(low, high):
    best = exact_denoiser(LAW, SCHEDULE)
    with pytest.raises(ValueError, match=f"needs 0 ≤ low < high, not low = {low} and high = {high}"):
        guided_between(best, best, low, high)
