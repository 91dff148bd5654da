"""Flow maps: from any time of a flow to any earlier one in a single evaluation (MeanFlow).

u(x_t, t, r) is the mean velocity of the flow between r and t, so that φ(x_t; t → r) = x_t − (t − r) u.
"""

import warnings
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.diffusion.flow import FlowVelocity, interpolate
from gdmcourse.diffusion.objective import Batch
from gdmcourse.diffusion.per_image import per_image
from gdmcourse.diffusion.samplers.flow import steps_of

# (x_t, t, r, y=None) → mean velocity between r and t ≥ r.
MeanVelocity = Callable[..., Tensor]


def meanflow_target(
    u: MeanVelocity,
    x_t: Float[Tensor, " n *shape"],
    v: Float[Tensor, " n *shape"],
    t: Float[Tensor, " n"],
    r: Float[Tensor, " n"],
    y: Tensor | None = None,
) -> tuple[Float[Tensor, " n *shape"], Float[Tensor, " n *shape"]]:
    """u itself, and what it should be: v − (t − r) du/dt along the flow, with no gradient.

    du/dt = v · ∂u/∂x + ∂u/∂t comes from one Jacobian–vector product. Source: `eq-meanflow-target` (Geng et
    al. 2025).
    """

    def at(x: Tensor, time: Tensor) -> Tensor:
        return u(x, time, r, y)

    with warnings.catch_warnings():  # torch scripts its own formulas when it is first asked for a product
        warnings.simplefilter("ignore", FutureWarning)
        value, change = torch.func.jvp(at, (x_t, t), (v, torch.ones_like(t)))  # type: ignore[misc]
    return value, (v - per_image(t - r, x_t) * change).detach()


def draw_jumps(
    n: int, generator: torch.Generator, *, equal: float = 0.25, whole: float = 0.25
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Times (t, r) with 0 ≤ r ≤ t ≤ 1: t uniform; r = t for a share `equal`, 0 for a share `whole`.

    For the rest r is uniform in [0, t]. Jumps to the data are what few steps need, and without a share of
    their own they would be rare. Raises ValueError for shares that sum to more than 1.
    """
    if not (equal >= 0 and whole >= 0 and equal + whole <= 1):
        raise ValueError(f"the shares must be at least 0 and sum to 1 at most, not {equal} and {whole}")
    t, r, kind = torch.rand(3, n, generator=generator, device=generator.device)
    return t, torch.where(kind < equal, t, torch.where(kind < equal + whole, 0.0, r * t))


def meanflow_loss(
    u: MeanVelocity,
    batch: Batch,
    generator: torch.Generator,
    *,
    teacher: FlowVelocity | None = None,
    equal: float = 0.25,
    whole: float = 0.25,
) -> Float[Tensor, ""]:
    """Squared error of u at the times of `draw_jumps`, each image's divided by its own size.

    The velocity along the path is that of the `teacher`, a trained flow, or without one ε − x_0 of each
    image, whose mean it is. Where r = t the squared error is flow matching's. The division, by a
    number through which no gradient flows, keeps few images with large errors from drowning the others.
    With a teacher it doesn't move the solution; without one it does, since a mean of targets is then no
    longer what is least (Geng et al. do the same).
    """
    x0, y = (batch[0], batch[1]) if isinstance(batch, tuple) else (batch, None)
    t, r = draw_jumps(len(x0), generator, equal=equal, whole=whole)
    noise = torch.randn(x0.shape, generator=generator, device=x0.device, dtype=x0.dtype)
    x_t, v = interpolate(x0, noise, t), noise - x0
    if teacher is not None:
        with torch.no_grad():
            v = teacher(x_t, t, y)
    value, target = meanflow_target(u, x_t, v, t, r, y)
    errors = (value - target).float().square().flatten(1).mean(1)
    return (errors / (errors.detach() + 1e-3)).mean()


@torch.no_grad()
def jump(
    u: MeanVelocity,
    x_1: Float[Tensor, " n *shape"],
    times: Sequence[float] = (1.0, 0.0),
    *,
    y: Tensor | None = None,
) -> Float[Tensor, " n *shape"]:
    """From noise to data by one evaluation for each pair of neighbours in the decreasing `times`.

    Raises ValueError unless there are two times, decreasing within [0, 1].
    """
    x = x_1
    for t, r in steps_of(times):
        x = x - (t - r) * u(x, x.new_full((len(x),), t), x.new_full((len(x),), r), y)
    return x
