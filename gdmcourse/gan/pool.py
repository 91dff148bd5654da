"""A pool of images that a generator made earlier, so that a critic doesn't forget its old mistakes."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Holds `size` images of shape (C, H, W); its buffers are part of checkpoints.

    Until it is full an image that comes is kept, and returned as well. Then a coin is thrown for each: it is
    returned itself, or takes the place of an image in the pool, which is returned and leaves (Zhu et al.
    2017, after Shrivastava et al. 2017). So every second image that a full pool returns is old, and how old
    is `eq-tr-pool`. Without a place (`size=0`) images go straight through. Raises ValueError for a negative
    size, and for images of another shape.
    """

    images: Tensor
    held: Tensor

    def __init__(self, size: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        if size < 0:
            raise ValueError(f"a pool holds 0 images or more, not {size}")
        self.size = size
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("held", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def forward(self, new: Float[Tensor, "n c h w"], rng: torch.Generator) -> Float[Tensor, "n c h w"]:
        """As many images as come in, one after the other, without gradients."""
        returned = new.detach().clone()
        if self.size == 0:
            return returned
        if new.shape[1:] != self.images.shape[1:]:
            raise ValueError(
                f"this pool holds images of shape {tuple(self.images.shape[1:])}, not {tuple(new.shape[1:])}"
            )
        held = int(self.held)
        swapped = (torch.rand(len(new), generator=rng, device=rng.device) < 0.5).tolist()
        places = torch.randint(self.size, (len(new),), generator=rng, device=rng.device).tolist()
        for i, (swap, place) in enumerate(zip(swapped, places, strict=True)):
            if held < self.size:
                self.images[held] = new[i]
                held += 1
            elif swap:
                returned[i] = self.images[place]
                self.images[place] = new[i]
        self.held.fill_(held)
        return returned
