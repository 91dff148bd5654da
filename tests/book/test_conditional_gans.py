"""Claims of the chapter on conditional GANs whose formulas stand on the page, on finite sets of images."""

import math

import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from torch.distributions import Normal

from gdmcourse.gan import hinge_critic_loss

close = torch.testing.assert_close


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def tables(places=7, labels=3, seed=0):
    """Two joint laws of x and y on a finite set, whose labels have different laws."""
    draw = -torch.rand(2, places, labels, generator=seeded(seed), dtype=torch.float64).log()
    return draw / draw.sum((1, 2), keepdim=True)


def value(D, p, g):
    return (p * D.log() + g * (1 - D).log()).sum()


def best_discriminator(p, g):
    """By gradients of the logits, not by the formula."""
    logits = torch.zeros_like(p, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [logits], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def loss():
        optimiser.zero_grad()
        result = -value(logits.sigmoid(), p, g)
        result.backward()
        return result

    optimiser.step(loss)
    return logits.detach()


def js_by_kl(p, g):
    """Jensen–Shannon divergence of two lists of probabilities."""
    middle = (p + g) / 2
    return float(((p * (p / middle).log()).sum() + (g * (g / middle).log()).sum()) / 2)


@pytest.mark.equation("eq-cgan-optimum")
def test_the_best_discriminator_of_pairs_is_found_by_climbing():
    p, g = tables()
    logits = best_discriminator(p, g)
    given_p, given_g = p / p.sum(0), g / g.sum(0)
    close(logits, (given_p / given_g).log() + (p.sum(0) / g.sum(0)).log(), atol=1e-4, rtol=1e-4)
    close(logits.sigmoid(), p / (p + g), atol=1e-5, rtol=1e-5)


@pytest.mark.equation("eq-cgan-value")
def test_with_the_labels_of_the_data_each_label_plays_its_own_game():
    p, g = tables(seed=1)
    g = g / g.sum(0) * p.sum(0)  # q = p
    shares, given_p, given_g = p.sum(0), p / p.sum(0), g / g.sum(0)
    claimed = sum(shares[y].item() * 2 * js_by_kl(given_p[:, y], given_g[:, y]) for y in range(3))
    climbed = value(best_discriminator(p, g).sigmoid(), p, g).item()
    assert climbed == pytest.approx(claimed - math.log(4), abs=1e-8)
    assert claimed > 0.05


@pytest.mark.equation("eq-cgan-labels")
@pytest.mark.parametrize("q", [[1 / 3, 1 / 3, 1 / 3], [0.05, 0.15, 0.8]])
def test_other_shares_of_labels_change_the_value_and_not_what_is_learned(q):
    """The generator's laws by gradients of their logits, from a start far away; D by the maximum at each."""
    p, _ = tables(seed=2)
    q = torch.tensor(q, dtype=torch.float64)
    logits = torch.randn(p.shape, generator=seeded(3), dtype=torch.float64).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [logits], max_iter=1000, tolerance_grad=1e-12, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def loss():
        optimiser.zero_grad()
        g = q * logits.softmax(0)
        result = (p * (p / (p + g)).log() + g * (g / (p + g)).log()).sum()
        result.backward()
        return result

    start = loss().item()
    optimiser.step(loss)
    close(logits.detach().softmax(0), p / p.sum(0), atol=1e-4, rtol=1e-3)
    least = 2 * js_by_kl(p.sum(0), q) - math.log(4)
    assert loss().item() == pytest.approx(least, abs=1e-7)
    assert start > least + 0.05


@pytest.mark.equation("eq-acgan-classifier")
@pytest.mark.parametrize("with_fakes", [True, False])
def test_the_best_classifier_is_the_posterior_of_what_it_is_taught(with_fakes):
    p, g = tables(seed=4)
    taught = p + g if with_fakes else p
    logits = torch.zeros_like(p, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=300, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def loss():
        optimiser.zero_grad()
        result = -(taught * logits.log_softmax(1)).sum()
        result.backward()
        return result

    optimiser.step(loss)
    total = (p + g).sum(1, keepdim=True) if with_fakes else p.sum(1, keepdim=True)
    close(logits.detach().softmax(1), (p + g if with_fakes else p) / total, atol=1e-4, rtol=1e-4)


@pytest.mark.equation("eq-acgan-split")
def test_the_label_s_charge_is_a_divergence_and_an_entropy():
    """Two bells as data, a generator of other bells; the two parts by quadrature with SciPy."""
    data = [Normal(torch.tensor(m).double(), torch.tensor(1.0).double()) for m in (-1.0, 1.0)]
    drawn = [Normal(torch.tensor(m).double(), torch.tensor(0.7).double()) for m in (-0.5, 1.4)]

    def joint(laws, x):
        return [0.5 * law.log_prob(torch.tensor(x).double()).exp().item() for law in laws]

    def charge(x):
        p, g = joint(data, x), joint(drawn, x)
        return -sum(g[y] * math.log(p[y] / sum(p)) for y in (0, 1))

    def parts(x):
        p, g = joint(data, x), joint(drawn, x)
        a, b = [v / sum(g) for v in g], [v / sum(p) for v in p]
        divergence = sum(a[y] * math.log(a[y] / b[y]) for y in (0, 1))
        entropy = -sum(a[y] * math.log(a[y]) for y in (0, 1))
        return sum(g) * divergence, sum(g) * entropy

    left = quad(charge, -6, 6)[0]
    divergence, entropy = (quad(lambda x, i=i: parts(x)[i], -6, 6)[0] for i in (0, 1))
    assert left == pytest.approx(divergence + entropy, abs=1e-7)
    assert min(divergence, entropy) > 0.01


def bells(places=120):
    """p(x, y) of two bells at ±1 on an axis without the tie at 0."""
    x = torch.linspace(-4, 4, places, dtype=torch.float64)
    joint = torch.stack([Normal(m, 1.0).log_prob(x).exp() for m in (-1.0, 1.0)], 1)
    return x, joint / joint.sum()


def cost_of(p, g, weight, real_only):
    """What each pair costs the generator against the best answers, by their definitions."""
    D = p.sum(1, keepdim=True) / (p + g).sum(1, keepdim=True)
    taught = p if real_only else p + g
    return (1 - D).log() - weight * (taught / taught.sum(1, keepdim=True)).log()


def played_out(p, weight=1.0, real_only=False, moves=4000, rate=0.2):
    """The generator's law moves towards what is cheap, label by label, until it rests."""
    g, shares = p.clone(), p.sum(0)
    for _ in range(moves):
        g = g * (-rate * cost_of(p, g, weight, real_only)).exp()
        g = shares * g / g.sum(0)
    return g


def misread_removed(p):
    kept = p * (p == p.max(1, keepdim=True).values)
    return kept / kept.sum()


@pytest.mark.equation("eq-acgan-law")
def test_the_game_with_two_heads_ends_at_the_data_without_the_misread():
    _, p = bells()
    ended = played_out(p)
    assert 0.5 * (ended - misread_removed(p)).abs().sum() < 1e-3
    assert 0.5 * (p - misread_removed(p)).abs().sum() > 0.1


@pytest.mark.equation("eq-acgan-law")
@pytest.mark.parametrize("seed", range(3))
def test_at_that_law_no_move_pays_whatever_the_data(seed):
    """Against the best answers no pair at all is cheaper than those in use, with any number of labels."""
    p, _ = tables(places=9, labels=4, seed=10 + seed)
    law = misread_removed(p)
    cost = cost_of(p, law, 1.0, real_only=False)
    used = cost[law > 0]
    close(used, torch.full_like(used, -math.log(1 + p.max(1).values.sum().item())))
    assert cost[law == 0].min() > used.max() + 0.1
    truth = cost_of(p, p, 1.0, real_only=False)
    assert (p * truth).sum() > (p.sum(0) * truth.min(0).values).sum() + 0.05  # where moving pays


@pytest.mark.equation("eq-acgan-weight")
@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_a_classifier_of_real_images_leaves_out_more(weight):
    """The game on the grid against the formula, whose κ is found by SciPy."""
    _, p = bells()
    total, sure = p.sum(1), p.max(1).values / p.sum(1)

    def off(log_excess):
        return abs(float((total / ((1 + math.exp(log_excess)) * sure**-weight - 1)).sum()) - 1)

    kappa = 1 + math.exp(minimize_scalar(off, bounds=(-12, 6), method="bounded").x)
    formula = (total / (kappa * sure**-weight - 1))[:, None] * (p == p.max(1, keepdim=True).values)
    assert formula.sum().item() == pytest.approx(1, abs=1e-3)
    ended = played_out(p, weight, real_only=True, moves=12_000)
    assert 0.5 * (ended - formula).abs().sum() < 0.005
    assert 0.5 * (formula - misread_removed(p)).abs().sum() > 0.01


@pytest.mark.equation("eq-acgan-law")
@pytest.mark.parametrize("seed", range(3))
def test_with_the_labels_of_the_data_each_label_s_part_is_divided_by_its_own_share(seed):
    p, _ = tables(places=12, labels=3, seed=10 + seed)
    kept = p * (p == p.max(1, keepdim=True).values)
    read_right = kept.sum(0) / p.sum(0)
    assert read_right.min() > 0
    law = kept / read_right
    close(law.sum(0), p.sum(0))  # q = p
    cost = cost_of(p, law, 1.0, real_only=False)
    for y, share in enumerate(read_right.tolist()):
        used = law[:, y] > 0
        close(cost[used, y], torch.full_like(cost[used, y], -math.log(1 + share)))
        assert cost[~used, y].min() >= -1e-9
    assert read_right.std() > 0.01


@pytest.mark.equation("eq-acgan-law")
@pytest.mark.parametrize(("border", "rests"), [(0.42, True), (0.6, False)])
def test_near_the_border_other_labels_are_at_rest_too(border, rests):
    """Labels exchanged near 0: at rest as long as the odds are at most 1 + 1/Z."""
    x, p = bells(160)
    kept = p * ((p == p.max(1, keepdim=True).values) ^ (x.abs() < border)[:, None])
    accuracy = kept.sum()
    assert (p.max(1).values / kept.sum(1)).max() > 1.5
    assert ((p.max(1).values / kept.sum(1)).max() <= 1 + 1 / accuracy) == rests
    law = kept / accuracy
    cost = cost_of(p, law, 1.0, real_only=False)
    gain = (law * cost).sum() - (law.sum(0) * cost.min(0).values).sum()
    assert (gain.item() < 1e-9) == rests


@pytest.mark.equation("eq-acgan-law")
def test_labels_that_say_nothing_leave_the_truth_at_rest():
    p = torch.tensor([0.2, 0.5, 0.3]).double()[:, None] * torch.tensor([0.4, 0.6]).double()
    cost = cost_of(p, p, 1.0, real_only=False)
    assert (p * cost).sum().item() == pytest.approx((p.sum(0) * cost.min(0).values).sum().item(), abs=1e-12)


@pytest.mark.equation("eq-acgan-weight")
def test_for_a_very_large_weight_no_number_makes_the_mass_one():
    _, p = bells()
    total, sure = p.sum(1), p.max(1).values / p.sum(1)
    mass = {weight: (total / (sure**-weight - 1)).sum().item() for weight in (3.0, 200.0)}  # at κ = 1
    assert mass[200.0] < 1 < mass[3.0]


@pytest.mark.equation("eq-projection-split")
def test_the_logit_splits_into_label_and_image():
    p, g = tables(seed=6)
    logits = best_discriminator(p, g)
    label = (p / p.sum(1, keepdim=True) / (g / g.sum(1, keepdim=True))).log()
    image = (p.sum(1) / g.sum(1)).log()[:, None]
    close(logits, label + image, atol=1e-4, rtol=1e-4)


@pytest.mark.equation("eq-projection")
def test_two_linear_classifiers_make_the_best_logit_an_inner_product():
    """Bells of one width in the plane: fitted by least squares on (x, 1), nothing is left."""
    x = torch.randn(200, 2, generator=seeded(7), dtype=torch.float64)
    means = torch.tensor([[0.0, 0.0], [2.0, 1.0], [-1.0, 3.0]], dtype=torch.float64)
    others = means + torch.tensor([[0.3, 0.0], [0.0, -0.5], [0.4, 0.4]], dtype=torch.float64)

    def log_joint(centres, std, shares):
        square = (x[:, None] - centres).square().sum(2) / std**2
        return torch.tensor(shares).double().log() - square / 2 - 2 * math.log(std)

    features = torch.cat([x, torch.ones(200, 1).double()], 1)
    data = log_joint(means, 0.8, [0.5, 0.3, 0.2])

    def left(std):
        f = data - log_joint(others, std, [0.2, 0.2, 0.6])
        against_first = f[:, 1:] - f[:, :1]  # ψ cancels
        v = torch.linalg.lstsq(features, against_first).solution
        return against_first - features @ v, v

    nothing, v = left(0.8)
    assert nothing.abs().max() < 1e-9
    rows = (means - others) / 0.8**2  # a_y − b_y
    close(v[:2].T, rows[1:] - rows[:1])
    # Widths that depend on the label aren't of this form.
    shared = data - log_joint(others, 0.8, [0.2, 0.2, 0.6])
    shared[:, 1] -= (x - others[1]).square().sum(1)
    gap = shared[:, 1:] - shared[:, :1]
    assert (gap - features @ torch.linalg.lstsq(features, gap).solution).abs().max() > 0.1


@pytest.mark.equation("eq-hinge-tv")
def test_the_hinge_s_least_loss_is_one_of_total_variation():
    """A search over the logit of each pair, in the library's loss."""
    p, g = (table.flatten() for table in tables(seed=8))
    tried = torch.linspace(-3, 3, 2401, dtype=torch.float64)[:, None]
    never = torch.full((1,), math.inf, dtype=torch.float64)  # a logit that costs nothing on its side
    one_by_one = torch.func.vmap(hinge_critic_loss, in_dims=(0, None))
    of_real, of_fake = one_by_one(tried, -never), torch.func.vmap(hinge_critic_loss, (None, 0))(never, tried)
    losses = p * of_real[:, None] + g * of_fake[:, None]
    best = losses.min(0)
    assert best.values.sum().item() == pytest.approx(2 - (p - g).abs().sum().item(), abs=1e-9)
    close(tried[best.indices, 0], (p - g).sign(), atol=1e-9, rtol=0)
