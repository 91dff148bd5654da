"""Inception, the network that most published scores look through, from weights that lie on this machine."""

import hashlib
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.data.errors import CorruptFileError, MissingDataError

SIDE = 299  # pixels, for which it was made


class Inception(nn.Module):
    """torchvision's Inception v3 up to its pooled layer: 2048 features of grey or colour images of any size.

    Its weights aren't those of the first implementation, which published numbers come from, so compare what
    it gives only with what it gives.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.network.fc = nn.Identity()

    def features(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 2048"]:
        """The features of images in [−1, 1], enlarged or reduced to 299 pixels a side."""
        coloured = images.expand(-1, 3, -1, -1)
        sized = F.interpolate(coloured, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        return self.network(sized)


def load_inception(path: Path | None = None) -> Inception:
    """Inception with the weights in `path`, on the CPU, evaluating and frozen; nothing is downloaded.

    Without a path they are looked for where torchvision keeps what it has downloaded. Raises MissingDataError
    where they aren't there, and CorruptFileError where the file is another than its name says.
    """
    from torchvision.models import Inception_V3_Weights, inception_v3

    name = Inception_V3_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    path = path or Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.is_file():
        raise MissingDataError(
            f"Inception's weights are not in {path}. Run `python -c 'from torchvision.models import *; "
            'inception_v3(weights="DEFAULT")\'` where there is a network and bring the file here, or score '
            "with the classifier or vicreg."
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(name.rpartition("-")[2].removesuffix(".pth")):
        raise CorruptFileError(f"{path} is damaged or another file: delete it, and fetch {name} again")
    network = inception_v3(weights=None, init_weights=False, transform_input=False)
    network.load_state_dict(torch.load(path, weights_only=True))
    return Inception(network).eval().requires_grad_(False)
