"""The two heads of an auxiliary-classifier GAN: is it real, and which label has it?"""

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gdmcourse.gan.dcgan import ImageCritic
from gdmcourse.nn.labels import check_labels


class TwoHeadedCritic(nn.Module):
    """Images (N, C, H, W) to a logit of being real and a logit for each label (Odena et al. 2017).

    The first head never sees a label: only the second knows which image was asked for.
    """

    def __init__(
        self, shape: tuple[int, int, int], classes: int, width: int = 16, norm: str = "none"
    ) -> None:
        super().__init__()
        self.body = ImageCritic(shape, width, norm)
        self.label = nn.Linear(self.body.size, classes)

    def forward(self, x: Float[Tensor, "n c h w"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n k"]]:
        """The logits of being real, and those of the labels."""
        features = self.body.features(x)
        return self.body.last(features).squeeze(1), self.label(features)


def label_loss(logits: Float[Tensor, "n k"], y: Int64[Tensor, " n"]) -> Float[Tensor, ""]:
    """Mean of −log C(y|x) in nats, the part that both players of an AC-GAN make small (`def-acgan`).

    Raises ValueError for labels out of range, and for probabilities in the place of logits.
    """
    check_labels(y, logits.shape[1])
    if logits.numel() and bool((logits >= 0).all()) and bool(((logits.sum(1) - 1).abs() < 1e-4).all()):
        raise ValueError(
            "each row is a list of probabilities; give the logits that softmax would be taken of"
        )
    return cross_entropy(logits, y)
