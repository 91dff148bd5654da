"""The Dirac-GAN: its field against autograd through the library's losses, its motion by scipy."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from gdmcourse.gan import OBJECTIVES, PENALTIES, DiracGAN

PLACES = torch.tensor([[1.0, 0.5], [-0.7, 1.2], [0.3, -2.0], [2.0, -0.1]], dtype=torch.float64)
ORIGIN = torch.zeros(2, dtype=torch.float64)


@pytest.mark.equation("eq-dirac-field")
@pytest.mark.parametrize("penalty", ["none", "r1", "r1+r2", "unit-norm"])
@pytest.mark.parametrize("objective", ["saturating", "non-saturating", "wasserstein"])
def test_the_field_is_minus_the_slopes_of_the_players_losses(objective, penalty):
    field = DiracGAN(objective, penalty, 0.7 if penalty != "none" else 0.0).field(PLACES)
    for (theta, phi), velocity in zip(PLACES, field, strict=True):
        theta, phi = theta.clone().requires_grad_(), phi.clone().requires_grad_()

        def critic(x, phi=phi):
            return phi * x[:, 0]

        real, fake = torch.zeros(1, 1, dtype=torch.float64), theta.reshape(1, 1)
        game = OBJECTIVES[objective]
        critic_loss, generator_loss = (
            loss(critic(real), critic(fake)) for loss in (game.critic, game.generator)
        )
        if penalty != "none":
            rng = torch.Generator().manual_seed(0)
            critic_loss = critic_loss + 0.7 * PENALTIES[penalty](critic, real, fake, rng)
        wanted = -torch.stack(
            [
                torch.autograd.grad(generator_loss, theta, retain_graph=True)[0],
                torch.autograd.grad(critic_loss, phi)[0],
            ]
        )
        torch.testing.assert_close(velocity, wanted)


def by_differences(function, place: torch.Tensor) -> torch.Tensor:
    """The derivative of a map of the plane, (2, 2): central differences, a column for each number."""
    h = 1e-5
    steps = h * torch.eye(2, dtype=torch.float64)
    return torch.stack([(function(place + step) - function(place - step)) / (2 * h) for step in steps], dim=1)


@pytest.mark.equation("eq-dirac-eigenvalues")
@pytest.mark.parametrize("objective", ["saturating", "non-saturating"])
@pytest.mark.parametrize("gamma", [0.0, 0.2, 0.9, 1.0, 2.0])
def test_the_eigenvalues_at_the_goal(objective, gamma):
    """Of central differences of the field, by numpy."""
    game = DiracGAN(objective, "r1", gamma)
    at_the_goal = by_differences(game.field, ORIGIN)
    matrix = torch.tensor([[0.0, 0.5], [-0.5, -gamma]], dtype=torch.float64)
    torch.testing.assert_close(at_the_goal, matrix, atol=1e-8, rtol=0)
    torch.testing.assert_close(game.jacobian(ORIGIN), matrix)
    found = np.sort_complex(np.linalg.eigvals(at_the_goal.numpy()))
    root = complex(gamma**2 - 1) ** 0.5
    wanted = np.sort_complex(np.array([(-gamma + root) / 2, (-gamma - root) / 2]))
    # Where the two eigenvalues meet, an error of the matrix shows as its root.
    np.testing.assert_allclose(found, wanted, atol=1e-8 if gamma != 1 else 1e-4)
    by_func = np.sort_complex(torch.linalg.eigvals(game.jacobian(ORIGIN)).numpy())
    np.testing.assert_allclose(by_func, wanted, atol=1e-12 if gamma != 1 else 1e-7)


def test_away_from_the_goal_the_jacobian_is_the_field_s_derivative_there():
    game = DiracGAN("non-saturating", "r1", 0.3)
    for place in PLACES:
        torch.testing.assert_close(game.jacobian(place), by_differences(game.field, place), atol=1e-8, rtol=0)


def sigma(f: float) -> float:
    return 1 / (1 + math.exp(-f))


def follow(field, start: list[float], end: float, **options):
    """The flow of (θ, φ) → velocity, plain numbers, by scipy's integrator."""
    return solve_ivp(lambda t, state: field(*state), (0, end), start, rtol=1e-7, atol=1e-9, **options)


@pytest.mark.equation("eq-dirac-radius")
def test_the_flow_keeps_the_radius_in_the_minimax_game_alone():
    """The radius along the flow; and its slope as the formula has it, at places all over the plane."""
    run = follow(lambda a, b: (b * sigma(a * b), -a * sigma(a * b)), [1.0, 0.5], 30)
    np.testing.assert_allclose((run.y**2).sum(0), 1.25, rtol=1e-5)
    assert run.y[0].min() < -1  # it went round
    theta, phi = PLACES.unbind(-1)
    for objective, wanted in (
        ("saturating", torch.zeros(4).double()),
        ("non-saturating", -2 * theta * phi * torch.tanh(theta * phi / 2)),
    ):
        grown = 2 * (PLACES * DiracGAN(objective).field(PLACES)).sum(-1)
        torch.testing.assert_close(grown, wanted)
    late = follow(lambda a, b: (b * sigma(-a * b), -a * sigma(a * b)), [1.0, 0.5], 600)
    assert (late.y[:, -1] ** 2).sum() == pytest.approx(8 / 600, rel=0.1)


def spectrum(game: DiracGAN, rate: float, order: str) -> np.ndarray:
    """Eigenvalues of one step near the goal, by central differences."""
    step = by_differences(lambda state: game.play(state, steps=1, rate=rate, order=order)[-1], ORIGIN)
    return np.linalg.eigvals(step.numpy())


@pytest.mark.equation("eq-dirac-steps")
@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("rate", [0.1, 0.5, 1.5])
def test_what_a_step_multiplies_a_deviation_by(gamma, rate):
    game = DiracGAN("non-saturating", "r1", gamma)
    for order, square in (
        ("simultaneous", 1 - rate * gamma + rate**2 / 4),
        ("alternating", 1 - rate * gamma),
    ):
        found = spectrum(game, rate, order)
        assert abs(found[0].imag) > 1e-3  # a pair that turns
        np.testing.assert_allclose(abs(found), math.sqrt(square), atol=1e-8)


@pytest.mark.equation("eq-dirac-steps")
@pytest.mark.parametrize(("rate", "settles"), [(0.7, True), (0.9, False)])
def test_together_the_players_settle_only_below_four_gamma(rate, settles):
    """γ = 0.2, so that the border is at 0.8; the nonlinear game itself, played long."""
    game = DiracGAN("saturating", "r1", 0.2)
    states = game.play(torch.tensor([0.01, 0.0]).double(), steps=600, rate=rate)
    assert (states[-1].norm() < states[0].norm()).item() == settles


@pytest.mark.equation("eq-dirac-cycle")
@pytest.mark.parametrize("weight", [0.05, 0.3, 0.6])
@pytest.mark.parametrize("start", [[0.1, 0.2], [6.0, 1.0]])
def test_wgan_gp_ends_in_a_cycle_of_known_size(weight, start):
    """|θ| where φ changes sign, after a long time, by scipy's integrator with events."""

    def field(a, b):
        return b, -a - 2 * weight * (abs(b) - 1) * np.sign(b)

    ours = DiracGAN("wasserstein", "unit-norm", weight).field(PLACES)
    torch.testing.assert_close(ours, torch.tensor([field(*place) for place in PLACES.tolist()]).double())
    run = follow(field, start, 30 + 12 / weight, events=lambda t, state: state[1])
    crossings = np.abs(run.y_events[0][-4:, 0])
    assert len(crossings) == 4
    wanted = 2 * weight / math.tanh(math.pi * weight / (2 * math.sqrt(1 - weight**2)))
    np.testing.assert_allclose(crossings, wanted, rtol=2e-3)


@pytest.mark.parametrize("weight", [1.0, 1.25])
@pytest.mark.parametrize(("start", "end"), [([0.1, 0.2], 1), ([6.0, 1.0], -1), ([-0.1, -0.2], -1)])
def test_a_strong_wgan_gp_comes_to_rest_beside_the_goal(start, end, weight):
    game = DiracGAN("wasserstein", "unit-norm", weight)
    last = game.play(torch.tensor(start).double(), steps=600, rate=0.05, order="flow")[-1]
    torch.testing.assert_close(last, torch.tensor([2 * weight * end, 0.0]).double(), atol=1e-3, rtol=0)


@pytest.mark.equation("eq-dirac-steps")
def test_in_turn_the_players_keep_to_a_ring_near_the_goal_and_below_a_rate_of_four():
    near = torch.tensor([0.01, 0.0]).double()
    for rate, stays in ((0.4, True), (3.9, True), (4.1, False)):
        radius = DiracGAN().play(near, steps=300, rate=rate, order="alternating").norm(dim=1)
        assert (radius.max() < 0.1).item() == stays


@pytest.mark.equation("eq-dirac-steps")
@pytest.mark.parametrize(("start", "steps"), [(0.1, 300), (0.05, 900)])
def test_the_ring_is_kept_to_first_order_alone(start, steps):
    """At quarter turns what is left out adds up, a quarter as fast from half as far; at others it doesn't."""
    for rate, stays in ((2.5, True), (math.sqrt(8), False), (3.2, True)):
        path = DiracGAN().play(
            torch.tensor([start, 0.0]).double(), steps=steps, rate=rate, order="alternating"
        )
        assert (path.norm(dim=1).max() < 3 * start).item() == stays


def test_flow_is_followed_and_players_alternate():
    game = DiracGAN("saturating", "r1", 0.3)
    ours = game.play(PLACES, steps=200, rate=0.05, order="flow")[-1]
    theirs = [
        follow(lambda a, b: (b * sigma(a * b), -a * sigma(a * b) - 0.3 * b), place.tolist(), 10.0).y[:, -1]
        for place in PLACES
    ]
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5)
    # Critic first: its answer to (1, 1), then the generator's to the critic that moved.
    phi = 1 - 0.5 * (sigma(1) + 0.3)
    theta = 1 + 0.5 * phi * sigma(phi)
    one = torch.ones(2, dtype=torch.float64)
    assert game.play(one, steps=1, rate=0.5, order="alternating")[-1].tolist() == pytest.approx([theta, phi])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: DiracGAN("hinge"), "has no 'hinge'; it has: saturating"),
        (lambda: DiracGAN(penalty="r3"), "has no 'r3'; it has: none, r1"),
        (lambda: DiracGAN(penalty="r1", weight=-1.0), "must be at least 0 and finite, not -1"),
        (lambda: DiracGAN(penalty="r1", weight=math.nan), "must be at least 0 and finite, not nan"),
        (lambda: DiracGAN(penalty="r1", weight=math.inf), "must be at least 0 and finite, not inf"),
        (lambda: DiracGAN(weight=0.5), "a weight of 0.5 needs a penalty: r1, r1\\+r2, unit-norm"),
        (lambda: DiracGAN().play(ORIGIN, steps=1, rate=0.1, order="random"), "there is no order 'random'"),
    ],
)
def test_what_the_game_cannot_be_is_told(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
