"""Flows: against Jacobians by automatic differentiation, zuko, known densities, and counts."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal, Normal
from zuko.transforms import CouplingTransform, DependentTransform, MonotonicAffineTransform

from gdmcourse.data import load
from gdmcourse.data.levels import bits_per_dim, dequantise, to_levels
from gdmcourse.likelihood import ActNorm, AffineCoupling, Flow, Gaussianise, Permutation, real_nvp
from tests.oracles import gen, normal

close = torch.testing.assert_close


def stirred(module: nn.Module, seed: int = 0) -> nn.Module:
    """In float64, with weights that make no layer the identity."""
    module.double()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.4, generator=gen(seed))
    return module


def coupling(dim: int, seed: int = 0) -> AffineCoupling:
    """Keeps ⌈D/2⌉ coordinates drawn at random."""
    kept = torch.randperm(dim, generator=gen(seed)) < (dim + 1) // 2
    return stirred(AffineCoupling(kept, 8), seed)


def flow(dim: int, seed: int = 0) -> Flow:
    return stirred(Flow(real_nvp(dim, blocks=2, width=8, rng=gen(seed)), dim), seed)


def pixels(dim: int) -> Gaussianise:
    layer = Gaussianise(dim, 5).double()
    layer.initialise(dequantise(torch.randint(5, (40, dim), generator=gen(1)).double() / 2 - 1, 5, gen(2)))
    return layer


LAYERS = {
    "coupling": coupling,
    "actnorm": lambda dim: stirred(ActNorm(dim)),
    "permutation": lambda dim: Permutation(torch.arange(dim).roll(1)),
    "gaussianise": pixels,
    "flow": flow,
}
each_layer = pytest.mark.parametrize("name", LAYERS)
each_dim = pytest.mark.parametrize("dim", [2, 5])


def log_abs_det(function, points: torch.Tensor) -> torch.Tensor:
    """log |det J| at each point, by automatic differentiation."""
    jacobians = [torch.autograd.functional.jacobian(lambda row: function(row[None])[0][0], x) for x in points]
    return torch.linalg.slogdet(torch.stack(jacobians))[1]


@pytest.mark.equation("eq-coupling-inverse")
@pytest.mark.equation("eq-flow-composition")
@each_dim
@each_layer
def test_the_inverse_undoes_the_layer_in_both_orders(name, dim):
    layer = LAYERS[name](dim)
    x = 0.9 * normal(7, dim, seed=3).tanh()
    z = normal(7, dim, seed=4)
    close(layer.inverse(layer(x)[0])[0], x)
    close(layer(layer.inverse(z)[0])[0], z)
    if name != "gaussianise":
        assert not torch.allclose(layer(x)[0], x, atol=0.01)


@pytest.mark.equation("eq-coupling-log-det")
@pytest.mark.equation("eq-flow-composition")
@pytest.mark.equation("eq-actnorm")
@pytest.mark.equation("eq-gaussianise")
@each_dim
@each_layer
def test_log_determinants_are_those_of_the_jacobian_in_both_directions(name, dim):
    layer = LAYERS[name](dim)
    x, z = 0.9 * normal(6, dim, seed=5).tanh(), normal(6, dim, seed=6)
    close(layer(x)[1], log_abs_det(layer, x))
    close(layer.inverse(z)[1], log_abs_det(layer.inverse, z))
    if name != "permutation":
        assert layer(x)[1].abs().min() > 1e-3


@pytest.mark.equation("eq-coupling-log-det")
def test_the_jacobian_is_triangular_once_what_is_kept_comes_first():
    layer = coupling(5)
    x = normal(5, seed=1)
    jacobian = torch.autograd.functional.jacobian(lambda row: layer(row[None])[0][0], x)
    ordered = jacobian[layer.order][:, layer.order]
    close(ordered.triu(1), torch.zeros(5, 5).double())
    close(ordered[:3, :3], torch.eye(3).double())
    assert ordered[3:, :3].abs().min() > 1e-6


@each_dim
def test_a_coupling_is_zukos(dim):
    layer = coupling(dim)
    kept = torch.zeros(dim, dtype=torch.bool)
    kept[layer.order[: (dim + 1) // 2]] = True

    def univariate(x):
        raw, shift = layer.network(x).chunk(2, dim=1)
        return DependentTransform(MonotonicAffineTransform(shift, raw, math.exp(-layer.largest)), 1)

    peer = CouplingTransform(univariate, kept)
    x = 2 * normal(9, dim, seed=2)
    z, log_det = layer(x)
    exactly = {"rtol": 0, "atol": 1e-12}
    close(z, peer(x), **exactly)
    close(log_det, peer.log_abs_det_jacobian(x, z), **exactly)
    close(layer.inverse(z)[0], peer.inv(z), **exactly)
    close(layer.inverse(z)[1], peer.inv.log_abs_det_jacobian(z, x), **exactly)


def test_a_coupling_without_hidden_layers_is_one_linear_network():
    layer = stirred(AffineCoupling(torch.tensor([True, False, True, False, False]), 8, depth=0))
    assert [type(part) for part in layer.network] == [nn.Linear]
    x = normal(6, 5)
    close(layer(x)[1], log_abs_det(layer, x))


def test_no_coupling_stretches_by_more_than_its_bound():
    layer = AffineCoupling(torch.tensor([True, False]), 4, largest=0.5).double()
    nn.init.normal_(layer.network[-1].weight, std=1e3, generator=gen(0))
    log_det = layer(100 * normal(200, 2))[1]
    assert log_det.abs().max() < 0.5
    assert log_det.abs().max() > 0.49


@each_dim
def test_a_new_flow_is_a_gaussian_of_the_data_mean_and_variances(dim):
    x = normal(500, dim) * torch.arange(1, dim + 1) - 3
    model = Flow(real_nvp(dim, blocks=2, width=8, rng=gen(1)), dim).double()
    model.initialise(x)
    close(model.log_prob(x), Normal(x.mean(0), x.std(0, correction=0)).log_prob(x).sum(1))


@pytest.mark.equation("eq-flow-density")
@pytest.mark.parametrize("seed", range(2))
def test_the_density_of_a_stack_has_mass_one_and_is_where_its_samples_are(seed):
    model = flow(2, seed)
    spread = model.inverse(normal(20_000, 2, seed=9))[0]
    centre, reach = spread.median(0).values, 8.0
    axis = (torch.arange(800) + 0.5).double() / 400 * reach - reach  # midpoints of cells
    grid = torch.cartesian_prod(axis, axis) + centre
    mass = model.log_prob(grid).exp().detach() * (axis[1] - axis[0]) ** 2
    inside = ((spread - centre).abs() < reach).all(1).double().mean()
    assert mass.sum().item() == pytest.approx(inside.item(), abs=0.005)
    corner = (grid > centre).all(1)
    share = (spread > centre).all(1).double().mean()
    assert mass[corner].sum().item() == pytest.approx(share.item(), abs=0.012)


@pytest.mark.equation("eq-flow-density")
def test_the_density_of_a_linear_flow_is_the_gaussian_that_it_makes():
    """Couplings whose network is linear and whose scale is constant make a full covariance."""
    layers = [ActNorm(4), Permutation(torch.tensor([2, 0, 3, 1])), ActNorm(4)]
    for kept in ([True, True, False, False], [False, False, True, True]):
        layer = AffineCoupling(torch.tensor(kept), 4)
        layer.network = nn.Linear(2, 4)
        layers.insert(2, layer)
    model = stirred(Flow(layers, 4), 3)
    for layer in layers[2:4]:
        layer.network.weight.data[:2] = 0  # the log-scales
    origin = model.inverse(torch.zeros(1, 4).double())[0][0]
    factor = torch.autograd.functional.jacobian(
        lambda z: model.inverse(z[None])[0][0], torch.zeros(4).double()
    )
    x = normal(8, 4, seed=1)
    close(model.log_prob(x), MultivariateNormal(origin, factor @ factor.T).log_prob(x))


@pytest.mark.equation("eq-one-coupling")
@each_dim
def test_one_coupling_leaves_half_noise_and_the_rest_gaussian_given_it(dim):
    layer = coupling(dim)
    x = 2 * normal(9, dim, seed=1)
    kept, moved = x[:, layer.order].split(layer.sizes, 1)
    a, b = layer.log_scale_and_shift(kept)
    given = Normal(-b * (-a).exp(), (-a).exp()).log_prob(moved).sum(1)
    close(Flow([layer], dim).log_prob(x), Normal(0.0, 1.0).log_prob(kept).sum(1) + given)
    drawn = Flow([layer], dim).inverse(normal(20_000, dim, seed=2))[0][:, layer.order[0]]
    assert drawn.mean().abs() < 0.03
    assert drawn.std().item() == pytest.approx(1, abs=0.03)


@pytest.mark.equation("eq-actnorm")
def test_actnorm_gives_its_first_batch_mean_zero_and_variance_one_and_stays():
    x = 5 * normal(64, 5) ** 3 + 7
    layer = ActNorm(5).double()
    layer.initialise(x)
    z = layer(x)[0]
    close(z.mean(0), torch.zeros(5).double(), atol=1e-9, rtol=0)
    close(z.square().mean(0), torch.ones(5).double())
    close(layer(x[:3])[0], z[:3])  # no statistics of a later batch


def test_in_a_stack_each_actnorm_sees_what_the_layers_below_pass_on():
    model = flow(5)
    x = normal(300, 5) * 4 + 1
    model.initialise(x)
    for layer in model.layers:
        x, _ = layer(x)
        if isinstance(layer, ActNorm):
            close(x.mean(0), torch.zeros(5).double(), atol=1e-9, rtol=0)
            close(x.square().mean(0), torch.ones(5).double())


@pytest.mark.parametrize(("dim", "filled"), [(6, 30), (5, 19)])
def test_the_two_couplings_of_a_block_move_what_the_other_keeps(dim, filled):
    """Of the second half each coordinate sees itself and all of the first; of the first each sees all."""
    model = stirred(Flow(real_nvp(dim, blocks=1, width=16, rng=gen(2)), dim))
    jacobian = torch.autograd.functional.jacobian(lambda x: model(x[None])[0][0], normal(dim, seed=1))
    assert (jacobian != 0).sum() == filled


def test_samples_come_from_the_generator_and_have_the_density():
    model = flow(5).float()
    x = model.sample(50, gen(1))
    assert torch.equal(x, model.sample(50, gen(1)))
    z = torch.randn(50, 5, generator=gen(1))
    expected = Normal(0.0, 1.0).log_prob(z).sum(1) - model.inverse(z)[1]
    close(model.log_prob(x), expected, rtol=1e-4, atol=1e-4)


def test_samples_of_a_flow_in_float64_are_float64():
    model = flow(5)
    x = model.sample(4, gen(1))
    close(x, model.inverse(torch.randn(4, 5, generator=gen(1), dtype=torch.float64))[0])
    close(model.inverse(model(x)[0])[0], x)
    assert Flow([pixels(2)], 2).sample(3, gen()).dtype == torch.float32  # no weights


@pytest.mark.usefixtures("unchecked")
def test_each_layer_says_what_it_can_not_take():
    with pytest.raises(ValueError, match="mask of true and false, not of torch"):
        AffineCoupling(torch.tensor([1, 0]), 4)
    for layers in ([], [ActNorm(3)], [Permutation(torch.tensor([2, 0, 1]))], [coupling(3)], [pixels(3)]):
        flow = Flow(layers, 3)
        for points in (torch.zeros(2, 5), torch.zeros(2, 1), torch.zeros(3)):
            for ask in (flow.log_prob, flow, flow.inverse, flow.initialise):
                with pytest.raises(ValueError, match="one of 3 coordinates, not of points"):
                    ask(points)
    with pytest.raises(ValueError, match="coordinate 0 has one value in the whole batch, or one that isn't"):
        ActNorm(2).initialise(torch.tensor([[math.nan, 3.0], [1.0, 4.0]]))
    with pytest.raises(ValueError, match="keeps some coordinates"):
        AffineCoupling(torch.tensor([True, True]), 4)
    with pytest.raises(ValueError, match="names each of the coordinates 0 … 2 once"):
        Permutation(torch.tensor([0, 2, 2]))
    with pytest.raises(ValueError, match="at least 2 coordinates, not 1"):
        real_nvp(1, blocks=1, width=4, rng=gen())
    with pytest.raises(ValueError, match="coordinate 1 has one value"):
        ActNorm(2).initialise(torch.tensor([[0.0, 3.0], [1.0, 3.0]]))


@pytest.mark.usefixtures("unchecked")
def test_a_layer_by_itself_says_what_it_can_not_take():
    for layer in (coupling(3), ActNorm(3)):
        for points in (torch.zeros(2, 4).double(), torch.zeros(3).double()):
            with pytest.raises(ValueError, match="layer is one of 3 coordinates, not of points"):
                layer.initialise(points) if isinstance(layer, ActNorm) else layer(points)
    with pytest.raises(ValueError, match="without rows"):
        ActNorm(3).initialise(torch.zeros(0, 3))
    for width, largest in ((0, 2.0), (4, 0.0), (4, -1.0)):
        with pytest.raises(ValueError, match="width must be at least 1 and `largest` above 0, not"):
            AffineCoupling(torch.tensor([True, False]), width, largest=largest)
    with pytest.raises(ValueError, match="at least 2 levels, not 1"):
        Gaussianise(3, 1)
    for pixel in (7.0, -1.3, math.nan):
        with pytest.raises(ValueError, match="nan or pixels outside all bins"):
            Gaussianise(1, 5).initialise(torch.tensor([[0.0], [pixel]]))
    for shape in ((0, 3), (4, 2), (4, 1, 3)):
        with pytest.raises(ValueError, match=r"x must be \(N, 3\) with some rows"):
            Gaussianise(3, 5).initialise(torch.zeros(shape))


# --- pixels ------------------------------------------------------------------------------------------------


@pytest.mark.equation("eq-gaussianise")
@pytest.mark.equation("eq-dequantisation")
def test_the_first_layer_alone_costs_what_the_histograms_cost():
    images = load("digits", "train").images[:200].flatten(1)
    levels = to_levels(images, 17)
    layer = Gaussianise(64, 17)
    layer.initialise(dequantise(images, 17, gen(0)))
    counts = [torch.bincount(column, minlength=17) + 0.5 for column in levels.T]
    chance = torch.stack([count / count.sum() for count in counts])
    exact = sum(chance[d, levels[:, d]].double().log() for d in range(64))
    for seed in (1, 2):  # whatever the noise
        density = Flow([layer], 64).log_prob(dequantise(images, 17, gen(seed)))
        close(bits_per_dim(density.double(), 64, levels=17), bits_per_dim(exact, 64), rtol=1e-5, atol=1e-5)


def test_the_first_layer_makes_its_data_normal_and_its_samples_like_them():
    images = load("digits", "train").images.flatten(1)
    x = dequantise(images, 17, gen(0))
    layer = Gaussianise(64, 17)
    layer.initialise(x)
    z = layer(dequantise(images, 17, gen(1)))[0]
    quantiles = torch.tensor([0.1, 0.5, 0.9])
    close(z.flatten().quantile(quantiles), Normal(0.0, 1.0).icdf(quantiles), atol=0.02, rtol=0)
    drawn = Flow([layer], 64).sample(4000, gen(2))
    close(drawn.mean(0), x.mean(0), atol=0.08, rtol=0)
    assert (to_levels(images, 17).amax(0) < 16).any()  # so that some levels were never seen
    assert (drawn.abs() <= 1 + 1 / 16).all()


def test_histograms_are_counted_from_pixels_of_any_precision_and_nan_stays_nan():
    layers = [pixels(2), pixels(2)]
    x = torch.rand(50, 2, generator=gen(3)) * 2 - 1
    for layer, kind in zip(layers, (torch.float32, torch.float64), strict=True):
        layer.initialise(x.to(kind))
    assert torch.equal(layers[0].chance, layers[1].chance)
    z, log_det = layers[0](torch.tensor([[0.1, math.nan], [0.1, 0.2]]))
    assert z.isnan().tolist() == [[False, True], [False, False]]
    assert log_det.isnan().tolist() == [True, False]


def test_pixels_outside_all_bins_have_density_zero():
    layer = pixels(2)
    inside, outside = torch.tensor([[1.2, -1.2]]).double(), torch.tensor([[1.3, 0.0]]).double()
    assert layer(inside)[1].isfinite().all()
    assert (layer(outside)[1] == -math.inf).all()
    edge = torch.tensor([[1.25, -1.25]]).double()
    assert layer(edge)[0].isfinite().all()
    assert layer(edge)[1].isfinite().all()


# --- dequantisation ----------------------------------------------------------------------------------------


def bell_in_bins(levels: int, dim: int = 1):
    """A normal density on pixels: log p at points, and the exact log-probability of each level."""
    width = 2 / (levels - 1)
    bell = Normal(torch.tensor(0.1).double(), torch.tensor(0.15).double())
    stored = torch.linspace(-1, 1, levels).double()
    chance = bell.cdf(stored + width / 2) - bell.cdf(stored - width / 2)
    return bell, stored, chance, width


@pytest.mark.equation("eq-dequantisation")
@pytest.mark.parametrize("levels", [3, 9, 17])
def test_noisy_log_densities_lie_below_the_log_probability_of_the_bin(levels):
    bell, stored, chance, width = bell_in_bins(levels)
    noisy = dequantise(stored.expand(100_000, -1).contiguous(), levels, gen(0))
    bound = bell.log_prob(noisy).mean(0) + math.log(width)
    # The mean of a quadratic over the bin, exactly: E(u²) = w²/12.
    exact = bell.log_prob(stored) - width**2 / 24 / bell.variance + math.log(width)
    close(bound, exact, rtol=0.02, atol=0.02)
    assert (exact < chance.log()).all()
    bits = bits_per_dim(bell.log_prob(noisy).mean(0), 1, levels=levels)
    close(bits, -exact / math.log(2), rtol=0.02, atol=0.03)


@pytest.mark.equation("eq-dequantisation-draws")
def test_more_draws_close_the_gap_from_below():
    bell, stored, chance, width = bell_in_bins(5)
    at = stored[3:4]
    draws = bell.log_prob(dequantise(at.expand(2**17, -1).contiguous(), 5, gen(0)))[:, 0] + math.log(width)
    ladder = [(draws.view(-1, m).logsumexp(1) - math.log(m)).mean() for m in (1, 2, 4, 16, 256)]
    steps = [float(b - a) for a, b in itertools.pairwise(ladder)]
    assert min(steps) > 0.01
    top = chance[3].log().item()
    assert ladder[-1].item() < top
    assert ladder[-1].item() == pytest.approx(top, abs=0.02)


@pytest.mark.equation("eq-flow-undequantised")
def test_a_coordinate_that_never_varies_raises_the_likelihood_by_what_its_layer_stretches():
    x = normal(40, 5)
    x[:, 2] = 0.7
    found = []
    for a in (0.0, 3.0, 30.0, 300.0):
        layer = ActNorm(5).double()
        layer.log_scale.data[2], layer.shift.data[2] = a, -0.7 * math.exp(a)
        found.append(Flow([layer], 5).log_prob(x).mean().item())
        others = Normal(0.0, 1.0).log_prob(x[:, [0, 1, 3, 4]]).sum(1).mean().item()
        assert found[-1] == pytest.approx(others + a - 0.5 * math.log(2 * math.pi), abs=1e-6)


# --- connectedness -----------------------------------------------------------------------------------------


@pytest.mark.equation("eq-flow-filament")
@pytest.mark.parametrize("factor", [3.0, 20.0, 200.0])
def test_a_steep_map_of_the_line_leaves_the_mass_of_the_bound_in_the_gap(factor):
    """g shifts outside of the gap (−2, 2) and is steep across it: by counting, with the gap in two places."""
    z = normal(400_000, seed=1)
    for rho in (0.5, 0.2):
        start = Normal(0.0, 1.0).icdf(torch.tensor(rho).double())
        bound = (Normal(0.0, 1.0).cdf(start + 4 / factor) - rho).item()

        def share(past, start=start):
            """Of the noise, `past` beyond what is mapped to the left of the gap."""
            d = past(z - start) - 2
            return ((d > -2) & (d < 2)).double().mean().item()

        def steep(d):
            return torch.where(d < 0, d, torch.minimum(factor * d, d + 4))

        def gentle_first(d):  # half as steep in the first half of the gap
            return torch.where(d < 0, d, torch.minimum(torch.maximum(factor * d / 2, factor * d - 2), d + 4))

        assert share(steep) == pytest.approx(bound, abs=0.003)
        assert share(gentle_first) > bound + 0.002
        mirrored = share(lambda d, start=start: steep(-d - 2 * start))  # of −z: g falls
        assert mirrored == pytest.approx(bound, abs=0.003)


def crossing(model: Flow) -> tuple[float, float]:
    """Of a segment from ball to ball, the length that is mapped between them, and what the bound demands."""
    ends = torch.tensor([[-1.5, 0.0], [1.5, 0.4]]).double()
    z = model(ends)[0].detach()
    share = torch.linspace(0, 1, 4001, dtype=torch.float64)[:, None]
    segment = z[0] + share * (z[1] - z[0])
    path = model.inverse(segment)[0].detach()
    step = (segment[1] - segment[0]).norm()
    stretch = ((path[1:] - path[:-1]).norm(dim=1) / step).max()
    radius = 0.5
    between = (torch.cdist(path, ends) > radius).all(1)
    delta = (ends[1] - ends[0]).norm() - 2 * radius
    return (between.sum() * step).item(), (delta / stretch).item()


@pytest.mark.equation("eq-flow-filament")
@pytest.mark.parametrize("seed", range(3))
def test_a_segment_between_two_balls_spends_the_length_of_the_bound_between_them(seed):
    length, least = crossing(flow(2, seed))
    assert length >= 0.999 * least


@pytest.mark.equation("eq-flow-filament")
@pytest.mark.parametrize("factor", [0.1, 1.0, 30.0])
def test_a_map_that_stretches_everything_alike_spends_no_more_than_that_length(factor):
    layer = ActNorm(2).double()
    layer.log_scale.data.fill_(-math.log(factor))
    length, least = crossing(Flow([layer], 2))
    delta = math.hypot(3.0, 0.4) - 1
    assert length == pytest.approx(delta / factor, rel=1e-3)
    assert least == pytest.approx(delta / factor, rel=1e-6)
