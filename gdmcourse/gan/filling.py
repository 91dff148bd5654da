"""Inpainting with a generator that was trained on whole images: look for the noise whose image fits."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def fill_by_search(
    generator: nn.Module,
    known: Float[Tensor, "n c h w"],
    mask: Float[Tensor, "..."],
    rng: torch.Generator,
    *,
    noise_dim: int,
    starts: int = 4,
    steps: int = 100,
    lr: float = 0.1,
    weight: float = 0.01,
) -> Float[Tensor, "n c h w"]:
    """`known` where `mask` is 1, and where it is 0 the image G(z) that comes nearest to `known` elsewhere.

    For each image Adam takes `steps` steps from each of `starts` noises on the mean squared error of the
    known pixels plus `weight` times the mean of z²; the best of the ends counts. After Yeh et al. (2017),
    who hold z by the critic's loss in place of z². The generator must be in evaluation mode, so that no image
    depends on its neighbours. What `known` holds where it isn't known is never looked at. Raises ValueError
    for a generator in training, a mask that isn't of zeros and ones or knows no pixel, and for no start.
    """
    if generator.training:
        raise ValueError("call eval() on the generator first: in training its images depend on each other")
    if starts < 1:
        raise ValueError(f"starts must be at least 1, not {starts}: the best of them is the answer")
    if not ((mask == 0) | (mask == 1)).all():
        raise ValueError("the mask must be 1 where a pixel is known and 0 elsewhere")
    mask = mask.to(known.device, torch.bool).expand_as(known)
    seen = mask.flatten(1).sum(1)
    if not (seen > 0).all():
        raise ValueError("there is nothing to fit: the mask is 1 where a pixel is known, and here none is")
    z = torch.randn(starts, len(known), noise_dim, generator=rng, device=rng.device).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=lr)

    def misfit() -> tuple[Tensor, Tensor]:
        made = generator(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        error = torch.where(mask, made - known, 0.0).square().flatten(2).sum(2) / seen
        return made, error + weight * z.square().mean(2)

    with torch.enable_grad():
        for _ in range(steps):
            (z.grad,) = torch.autograd.grad(misfit()[1].sum(), z)  # the generator's weights get none
            optimizer.step()
    with torch.no_grad():
        made, cost = misfit()
    best = made[cost.argmin(0), torch.arange(len(known), device=made.device)]
    return torch.where(mask, known, best)
