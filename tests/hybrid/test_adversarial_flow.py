"""Maps of the line: bounds of the cost against other maps, minima against a search."""

import math

import pytest
import torch

from gdmcourse.hybrid.adversarial_flow import LineNetworks, best_affine_maps, flipped, transport_cost
from gdmcourse.recipes import find_recipe
from tests.oracles import gen, normal

close = torch.testing.assert_close
M, S = 1.0, 0.5


def standard(n: int = 200_001):
    """Numbers that are evenly spaced in probability, as a standard normal draw without luck."""
    u = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return u, torch.distributions.Normal(0.0, 1.0).icdf(u)


@pytest.mark.equation("eq-transport-bounds")
def test_every_map_with_the_right_law_costs_between_the_two_lines():
    """Other maps: the probabilities folded, cut and exchanged, or shuffled; all have the law of the data."""
    u, z = standard()
    quantile = torch.distributions.Normal(M, S).icdf
    thirds = torch.where(u < 1 / 3, 3 * u, torch.where(u < 2 / 3, 2 - 3 * u, 3 * u - 2))
    others = {
        "folded": quantile((1 - (1 - 2 * u).abs()).clamp(1e-7, 1 - 1e-7)),
        "thrice": quantile(thirds.clamp(1e-7, 1 - 1e-7)),
        "halves": quantile(((u + 0.5) % 1.0).clamp(1e-7, 1 - 1e-7)),
        "chance": (M + S * z)[torch.randperm(len(z), generator=torch.Generator().manual_seed(0))],
    }
    least, most = M**2 + (1 - S) ** 2, M**2 + (1 + S) ** 2
    assert transport_cost(z, M + S * z).item() == pytest.approx(least, abs=1e-3)
    assert transport_cost(z, M - S * z).item() == pytest.approx(most, abs=1e-3)
    for x in others.values():
        assert x.mean().item() == pytest.approx(M, abs=1e-2)
        assert x.std().item() == pytest.approx(S, abs=1e-2)
        assert least + 0.05 < transport_cost(z, x) < most - 0.05


def judged(mu, r, weight):
    """KL of N(mu, r²) from N(M, S²) plus the cost, by their definitions."""
    divergence = torch.log(S / r.abs()) + (r**2 + (mu - M) ** 2) / (2 * S**2) - 0.5
    return divergence + weight * (mu**2 + (r - 1) ** 2)


@pytest.mark.equation("eq-transport-minima")
@pytest.mark.parametrize("weight", [0.0, 0.1, 0.5, 3.0])
def test_the_two_minima_are_those_of_a_search(weight):
    slopes = torch.linspace(0.01, 1.5, 299, dtype=torch.float64)
    axes = torch.linspace(-0.5, 1.5, 401, dtype=torch.float64), torch.cat([-slopes, slopes])
    mu, r = torch.meshgrid(*axes, indexing="ij")
    table, lowest = judged(mu, r, weight), []
    for side, found in zip((r > 0, r < 0), best_affine_maps(M, S, weight), strict=True):
        at = torch.where(side, table, math.inf).argmin()
        assert mu.flatten()[at].item() == pytest.approx(found.shift, abs=0.01)
        assert r.flatten()[at].item() == pytest.approx(found.slope, abs=0.01)
        point = torch.tensor([found.shift, found.slope], dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(judged(point[0], point[1], weight), point)
        assert slope.abs().max() < 1e-9
        lowest.append(judged(*point.detach(), weight).item())
    assert lowest[0] == pytest.approx(lowest[1]) if weight == 0 else lowest[0] < lowest[1] - 1e-3


@pytest.mark.parametrize(("std", "weight", "word"), [(0.0, 1.0, "std"), (1.0, -0.1, "weight")])
def test_what_is_no_game_is_refused(std, weight, word):
    with pytest.raises(ValueError, match=word):
        best_affine_maps(0.0, std, weight)


def test_games_start_alike_at_each_weight_and_do_not_see_each_other():
    torch.manual_seed(0)
    networks = LineNetworks(3, copies=2, width=4)
    x = normal(1, 7).float().expand(6, -1)
    values = networks(x)
    close(values[:3], values[3:])
    assert (values[0] - values[1]).abs().max() > 0.1
    values[4].sum().backward()
    for parameter in networks.parameters():
        assert parameter.grad[[0, 1, 2, 3, 5]].abs().max() == 0


def test_a_flipped_map_goes_down():
    z = normal(2, 500)
    assert flipped(z, torch.stack([1 + z[0], 1 - 0.1 * z[1]])).tolist() == [False, True]


def test_games_at_all_weights_may_share_their_numbers():
    """As a page asks for them, weights by starts by numbers; and each game has its own cost and direction."""
    z = normal(500)
    x = torch.stack([1 + z, 1 - z]).reshape(1, 2, -1).repeat(3, 1, 1)
    assert flipped(z, x).tolist() == [[False, True]] * 3
    close(transport_cost(z, x)[:, 0], torch.ones(3).double())
    close(transport_cost(z, x)[0, 1], (1 - 2 * z).square().mean())


def test_untrained_games_are_scored_and_drawn():
    recipe = find_recipe("adversarial-flow-line", "smoke")
    generator = recipe.build(recipe.data("train"))["generator"]
    scores = recipe.metrics(generator, gen(0))
    assert set(scores) == {f"{kind}_{w:g}" for kind in ("flipped", "spread") for w in recipe.weights}
    shares = {scores[f"flipped_{w:g}"] for w in recipe.weights}
    assert len(shares) == 1  # the same two starts at each weight
    assert shares <= {0.0, 0.5, 1.0}
    axes = recipe.figure(generator, gen(0)).axes
    assert [len(ax.lines) for ax in axes] == [recipe.starts] * 3
