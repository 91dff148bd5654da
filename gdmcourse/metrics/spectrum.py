"""How much fine detail images have: their energy by spatial frequency."""

import torch
from jaxtyping import Float
from torch import Tensor


def energy_by_frequency(
    images: Float[Tensor, "n c h w"], centre: Float[Tensor, "c h w"] | None = None
) -> Float[Tensor, " rings"]:
    """Mean energy of `images` less `centre` at each spatial frequency, 0 … max(h, w) // 2.

    The frequency of a wave is the larger of its two counts of periods across the image. The energies add to
    the mean over images of the squared pixels, summed; `centre` is zero unless given (Parseval). Images are
    taken as periodic. Source: `eq-vae-blur`.
    """
    height, width = images.shape[2:]
    deviation = images.double() - (0.0 if centre is None else centre.double())
    energy = torch.fft.fft2(deviation, norm="ortho").abs().square().sum(1).mean(0)
    rows, columns = ((torch.fft.fftfreq(n) * n).abs().round().long() for n in (height, width))
    ring = torch.maximum(rows[:, None], columns[None, :])
    return torch.zeros(max(height, width) // 2 + 1, dtype=energy.dtype).index_add(
        0, ring.flatten(), energy.flatten().cpu()
    )


def high_frequency_energy(
    images: Float[Tensor, "n c h w"], centre: Float[Tensor, "c h w"] | None = None
) -> float:
    """Mean energy of an image in the upper half of the frequencies, in squared units of a pixel."""
    energy = energy_by_frequency(images, centre)
    return energy[len(energy) // 2 + 1 :].sum().item()
