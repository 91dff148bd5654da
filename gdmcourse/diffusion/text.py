"""Text to image: captions made from digits, a small text encoder, and a U-Net that attends to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gdmcourse.nn.unet import UNet

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Number 0 is the padding; a caption of nothing but padding says nothing, and is the null caption.
VOCABULARY = ("", "a", "thin", "thick", *NAMES, "slanted", "left", "right")
CAPTION_LENGTH = 5
NULL_TOKEN = 0


def thickness(images: Float[Tensor, "n 1 h w"]) -> Float[Tensor, " n"]:
    """Share of ink in each image, 0 … 1, for images in [−1, 1] with ink at 1."""
    return ((images + 1) / 2).mean(dim=(1, 2, 3))


def slant(images: Float[Tensor, "n 1 h w"]) -> Float[Tensor, " n"]:
    """How far the ink moves right for each pixel up, from the second moments: Cov(column, −row)/Var(row).

    Positive for a digit that leans right. An image without ink has slant 0. Source: `def-slant`.
    """
    ink = ((images[:, 0] + 1) / 2).clamp(min=0)
    _n, h, w = ink.shape
    rows, columns = torch.arange(h).to(ink)[:, None], torch.arange(w).to(ink)[None, :]
    mass = ink.sum(dim=(1, 2)).clamp(min=1e-6)
    row = (ink * rows).sum(dim=(1, 2)) / mass
    column = (ink * columns).sum(dim=(1, 2)) / mass
    from_row, from_column = rows - row[:, None, None], columns - column[:, None, None]
    covariance = -(ink * from_row * from_column).sum(dim=(1, 2))
    return covariance / (ink * from_row**2).sum(dim=(1, 2)).clamp(min=1e-6)


@dataclass(frozen=True)
class Captions:
    """Rules that describe a digit as "a thick three slanted left", relative to other digits of its class.

    For each class the lowest and highest thirds of `thickness` and of `slant` have a word, the middle
    third has none. Build one with `Captions.fit` from training images.
    """

    thickness_thirds: Tensor  # (classes, 2)
    slant_thirds: Tensor  # (classes, 2)

    @classmethod
    def fit(cls, images: Float[Tensor, "n 1 h w"], labels: Int[Tensor, " n"]) -> "Captions":
        """Find the thirds of each class."""
        thirds = torch.tensor([1 / 3, 2 / 3]).to(images)
        tables = [
            torch.stack([measure[labels == k].quantile(thirds) for k in range(int(labels.max()) + 1)])
            for measure in (thickness(images), slant(images))
        ]
        return cls(*tables)

    def describe(self, images: Float[Tensor, "n 1 h w"], labels: Int[Tensor, " n"]) -> list[str]:
        """One caption an image."""
        weight = self._third(thickness(images), self.thickness_thirds[labels])
        lean = self._third(slant(images), self.slant_thirds[labels])
        weights, leans = ("thin ", "", "thick "), (" slanted left", "", " slanted right")
        return [
            f"a {weights[w]}{NAMES[k]}{leans[s]}"
            for w, k, s in zip(weight.tolist(), labels.tolist(), lean.tolist(), strict=True)
        ]

    def obeyed(
        self, images: Float[Tensor, "n 1 h w"], labels: Int[Tensor, " n"], captions: Sequence[str]
    ) -> tuple[float, float]:
        """Shares of the images whose thickness, and whose slant, lies in the third that the caption names.

        By chance alone that is a third. The thirds are those of the class `labels`.
        """
        found = self.describe(images, labels)
        weight, lean = (
            sum(_one_of(words, a) == _one_of(words, b) for a, b in zip(found, captions, strict=True))
            for words in (("thin", "thick"), ("left", "right"))
        )
        return weight / len(found), lean / len(found)

    @staticmethod
    def _third(values: Tensor, thirds: Tensor) -> Tensor:
        return (values[:, None] > thirds).sum(1)


def _one_of(words: Sequence[str], caption: str) -> str:
    """The first word of the caption that is among `words`, or nothing."""
    return next((word for word in caption.split() if word in words), "")


def tokenize(captions: Sequence[str]) -> Int[Tensor, "n length"]:
    """Captions as word numbers (N, 5), zero-padded; "" is the null caption; commas and case do not count.

    Raises ValueError naming an unknown word, or a caption of more than five words.
    """
    numbers = {word: number for number, word in enumerate(VOCABULARY)}
    rows = torch.zeros(len(captions), CAPTION_LENGTH, dtype=torch.long)
    for row, caption in zip(rows, captions, strict=True):
        words = caption.lower().replace(",", " ").split()
        unknown = [word for word in words if word not in numbers]
        if unknown:
            raise ValueError(
                f"unknown word {unknown[0]!r} in {caption!r}; known are: {', '.join(VOCABULARY[1:])}"
            )
        if len(words) > CAPTION_LENGTH:
            raise ValueError(f"a caption has at most {CAPTION_LENGTH} words: {caption!r}")
        row[: len(words)] = torch.tensor([numbers[word] for word in words], dtype=torch.long)
    return rows


class TextEncoder(nn.Module):
    """Word numbers (N, L) to a sequence (N, L, dim): word and place embeddings, then transformer layers."""

    def __init__(self, dim: int = 64, *, layers: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.words = nn.Embedding(len(VOCABULARY), dim)
        self.places = nn.Parameter(0.02 * torch.randn(CAPTION_LENGTH, dim))
        layer = nn.TransformerEncoderLayer(
            dim, heads, 4 * dim, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(dim), enable_nested_tensor=False)

    def forward(self, tokens: Int[Tensor, "n length"]) -> Float[Tensor, "n length dim"]:
        """One vector a word. Padding is a word like any other: it says where the caption ends."""
        return self.layers(self.words(tokens) + self.places)


class TextUNet(nn.Module):
    """A denoiser (x_t, t, tokens): a text encoder, and a U-Net whose attention also looks at the caption.

    Without tokens it is given the null caption, so it can be guided like a label-conditional one.
    `options` are those of `UNet`. Encoder and U-Net are trained together, by `denoising_loss(…,
    null=NULL_TOKEN)`. Source: `def-cross-attention` (Rombach et al. 2022).
    """

    def __init__(self, channels: int = 1, *, text_dim: int = 64, **options: int | Sequence[int]) -> None:
        super().__init__()
        self.encoder = TextEncoder(text_dim)
        self.unet = UNet(channels, context_dim=text_dim, **options)  # type: ignore[arg-type]

    def forward(
        self, x: Float[Tensor, "n c h w"], t: Tensor, y: Int[Tensor, "n length"] | None = None
    ) -> Float[Tensor, "n c_out h w"]:
        """Predict from the noisy image, its time and its caption's tokens."""
        if y is None:
            y = torch.full((len(x), CAPTION_LENGTH), NULL_TOKEN, device=x.device)
        return self.unet(x, t, context=self.encoder(y))
