"""Text to image in the latents of an autoencoder, the shape of Stable Diffusion: `text-digits`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from gdmcourse.data.catalog import load
from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.objective import denoising_loss
from gdmcourse.diffusion.text import NULL_TOKEN, Captions, TextUNet, tokenize
from gdmcourse.recipes.latent import LatentRecipe, latent_presets
from gdmcourse.training.batches import Data
from gdmcourse.training.fit import Loss


@dataclass(frozen=True, kw_only=True)
class TextRecipe(LatentRecipe):
    """A latent DDPM that is told a caption, by cross-attention to the output of a small text encoder.

    Encoder and U-Net are trained together. Captions are written by rules (`Captions`), from training images.
    """

    text_dim: int

    def captions(self, split: str) -> list[str]:
        """The caption of each image of a split."""
        images = self.images(split)
        return caption_rules(self.dataset).describe(images.images, images.labels)

    def model(self, train: Dataset) -> TextUNet:  # type: ignore[override]
        """Text encoder and U-Net for the latents of `train`."""
        return TextUNet(
            train.images.shape[1],
            text_dim=self.text_dim,
            width=self.width,
            multipliers=self.multipliers,
            blocks=self.blocks,
            attention=self.attention,
        )

    def tensors(self, train: Dataset) -> Data:
        """Latents and the tokens of their captions."""
        return train.images, tokenize(self.captions(train.split))

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """L_simple; each caption is replaced by the null caption with chance `drop`."""
        return denoising_loss(self.schedule(device), target=self.target, drop=self.drop, null=NULL_TOKEN)

    def draw_captions(self, model: nn.Module, captions: Sequence[str], rng: torch.Generator) -> Tensor:
        """One image a caption, guided."""
        return self.draw(model, tokenize(captions), rng)

    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """Samples for the captions of held-out images, in their order."""
        captions = self.captions("test")
        return self.draw_captions(model, [captions[i % len(captions)] for i in range(n)], rng)

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """How well samples obey captions of held-out images, by the rulers that wrote these; scores.

        `word_weight` and `word_lean` are the shares of samples in the third of thickness, or slant, that
        their caption asks for; by chance that is a third.
        """
        from gdmcourse.metrics.report import score_samples

        test, rules = self.images("test"), caption_rules(self.dataset)
        rows = torch.arange(self.scored) % len(test)
        labels, asked = test.labels[rows], [self.captions("test")[i] for i in rows.tolist()]
        images = self.draw_captions(model, asked, rng).cpu()
        scores = score_samples(images, labels, dataset=self.dataset)
        assert scores.accuracy is not None
        weight, lean = rules.obeyed(images, labels, asked)
        return {
            "class_accuracy": scores.accuracy,
            "word_weight": weight,
            "word_lean": lean,
            "frechet": scores.frechet,
            "frechet_reference": scores.reference,
            "precision": scores.precision,
            "recall": scores.recall,
        }


@lru_cache(maxsize=4)
def caption_rules(dataset: str) -> Captions:
    """The rules of a data set, with the thirds of its training images."""
    train = load(dataset, "train")
    return Captions.fit(train.images, train.labels)


RECIPES = {
    "text-digits": latent_presets(
        TextRecipe(
            dataset="digits",
            autoencoder="autoencoder-digits",
            steps=2400,
            batch_size=64,
            lr=3e-3,
            warmup=100,
            ema_decay=0.995,
            target="velocity",
            drop=0.15,
            guidance=2.0,
            width=32,
            multipliers=(1, 2),
            attention=(0, 1),
            text_dim=32,
            sample_steps=100,
            threads=1,
        ),
        width=96,
        text_dim=64,
        steps=20_000,
        batch_size=256,
        lr=1e-3,
        ema_decay=0.999,
    ),
}
