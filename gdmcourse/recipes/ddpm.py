"""Denoising diffusion models of images: `ddpm-digits`, `ddpm-mnist` and `ddpm-cifar10`."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.denoiser import Denoiser, as_denoiser, check_target
from gdmcourse.diffusion.objective import denoising_loss
from gdmcourse.diffusion.schedule import Schedule, cosine_schedule, linear_schedule
from gdmcourse.nn.unet import UNet
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.fit import Loss


def unscaled_schedule(T: int) -> Schedule:
    """β from 1e-4 to 0.02 whatever T is, so that few steps leave much of the image at the end."""
    return Schedule.from_betas(torch.linspace(1e-4, 0.02, T))


SCHEDULES = {"cosine": cosine_schedule, "linear": linear_schedule, "linear-unscaled": unscaled_schedule}


@dataclass(frozen=True, kw_only=True)
class DDPMRecipe(ImageRecipe):
    """L_simple on a U-Net that takes labels, with a null class, so that one network serves with and without.

    The learning rate warms up and then falls to zero. Samples are ancestral.
    """

    noise: str = "cosine"  # the schedule, one of SCHEDULES
    T: int = 1000
    target: str = "noise"
    width: int
    multipliers: tuple[int, ...]
    blocks: int = 1
    attention: tuple[int, ...] = (1,)
    dropout: float = 0.0
    drop: float = 0.15  # share of the labels that training hides
    flip: bool = False  # whether training mirrors half of the images
    clip_norm: float | None = 1.0
    sample_steps: int = 250
    sample_batch: int = 1000
    scored: int = 1000  # samples that `metrics` draws with labels, and without

    def check(self) -> None:
        """Raise ValueError for a schedule, a target or a number of steps that can't be."""
        super().check()
        if self.noise not in SCHEDULES:
            raise ValueError(f"there is no schedule {self.noise!r}; there are: {', '.join(SCHEDULES)}")
        check_target(self.target)
        self.schedule()  # T ≥ 1, and every β in (0, 1)
        if not 1 <= self.sample_steps <= self.T:
            raise ValueError(f"sample_steps must be in 1 … T = {self.T}, not {self.sample_steps}")

    def schedule(self, device: torch.device | str = "cpu") -> Schedule:
        """The noise schedule, its tables on `device`."""
        return SCHEDULES[self.noise](self.T).to(device)

    def model(self, train: Dataset) -> UNet:
        """The U-Net for the shape and the classes of `train`."""
        return UNet(
            train.images.shape[1],
            width=self.width,
            multipliers=self.multipliers,
            blocks=self.blocks,
            attention=self.attention,
            num_classes=len(train.classes),
            dropout=self.dropout,
        )

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """L_simple, at a random time and noise for each image; each label is hidden with chance `drop`."""
        schedule = self.schedule(device)

        def loss(model: Any, batch: Any, rng: torch.Generator) -> Tensor:
            images, labels = batch
            if self.flip:
                mirrored = torch.rand(len(images), 1, 1, 1, generator=rng, device=rng.device) < 0.5
                images = torch.where(mirrored, images.flip(3), images)
            simple = denoising_loss(schedule, target=self.target, drop=self.drop, null=model.null_class)
            return simple(model, (images, labels), rng)

        return loss

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """The mean square of what is to be predicted."""
        return {"loss": (1.0, 0.8)}

    def denoiser(self, model: nn.Module) -> Denoiser:
        """The trained network as a denoiser (x_t, t, y=None) → ε̂."""
        return as_denoiser(model, self.schedule(next(model.parameters()).device), self.target)

    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """Samples with the labels 0, 1, 2, … in turn."""
        return self.draw(model, self._labels(n), rng)

    def draw(self, model: nn.Module, labels: Tensor, rng: torch.Generator, *, hide: bool = False) -> Tensor:
        """A sample in `sample_steps` steps for each label, which `hide` keeps from the network."""
        images = []
        for part in labels.to(rng.device).split(self.sample_batch):
            noise = torch.randn((len(part), *self.shape()), generator=rng, device=rng.device)
            images.append(self.walk(model, noise, None if hide else part, rng))
        return torch.cat(images)

    def walk(self, model: nn.Module, x_T: Tensor, y: Tensor | None, rng: torch.Generator) -> Tensor:
        """From noise to images, by ancestral sampling."""
        from gdmcourse.diffusion.samplers import ancestral, spaced_times

        schedule, times = self.schedule(rng.device), spaced_times(self.T, self.sample_steps)
        return ancestral(self.denoiser(model), schedule, x_T, times, y=y, generator=rng, clip=1.0)

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """L_simple on held-out images, and the scores of samples where there is a feature network."""
        from gdmcourse.metrics.features import FEATURE_RECIPES
        from gdmcourse.metrics.report import score_samples

        scores = {"test_loss": self._test_loss(model, rng)}
        if self.dataset in FEATURE_RECIPES:
            labels = self._labels(self.scored)
            told = score_samples(self.draw(model, labels, rng).cpu(), labels, dataset=self.dataset)
            untold = score_samples(self.draw(model, labels, rng, hide=True).cpu(), dataset=self.dataset)
            assert told.accuracy is not None
            scores |= {"class_accuracy": told.accuracy, "frechet_reference": told.reference}
            for suffix, drawn in (("", told), ("_unlabelled", untold)):
                scores["frechet" + suffix] = drawn.frechet
                scores["precision" + suffix], scores["recall" + suffix] = drawn.precision, drawn.recall
        return scores

    @torch.no_grad()
    def _test_loss(self, model: Denoiser, rng: torch.Generator) -> float:
        test = self.data("test")
        loss = denoising_loss(self.schedule(rng.device), target=self.target)
        values = []
        for start in range(0, 5000, 250):  # as many draws of time and noise, however few images there are
            rows = torch.arange(start, start + 250) % len(test.images)
            batch = test.images[rows].to(rng.device), test.labels[rows].to(rng.device)
            values.append(loss(model, batch, rng).item())
        return sum(values) / len(values)

    def _labels(self, n: int) -> Tensor:
        return torch.arange(n) % 10


def presets(laptop: DDPMRecipe, *, smoke: dict[str, Any] | None = None, **gpu: Any) -> dict[str, DDPMRecipe]:
    """The presets of a diffusion model, with what makes one tiny."""
    return laptop.presets(smoke={"width": 8, "sample_steps": 4, "scored": 100} | (smoke or {}), **gpu)


RECIPES = {
    # About a minute on one core.
    "ddpm-digits": presets(
        DDPMRecipe(
            dataset="digits",
            steps=2200,
            batch_size=64,
            lr=4e-3,
            warmup=100,
            ema_decay=0.995,
            target="velocity",
            drop=0.2,
            width=16,
            multipliers=(1, 3, 4),
            threads=1,
            sample_steps=100,
            scored=2000,
        ),
        width=64,
        steps=20_000,
        batch_size=256,
        lr=1e-3,
        ema_decay=0.999,
    ),
    # On a GPU the U-Net of the sources with their 60 epochs and EMA; on a laptop a small one, which takes a
    # quarter of an hour of one core, scoring included.
    "ddpm-mnist": presets(
        DDPMRecipe(
            dataset="mnist",
            steps=4500,
            batch_size=32,
            lr=3e-3,
            warmup=100,
            ema_decay=0.998,
            target="velocity",
            width=16,
            multipliers=(1, 2, 4),
            attention=(2,),
            sample_steps=50,
            sample_batch=250,
            scored=500,
            threads=1,
        ),
        width=64,
        multipliers=(1, 2, 4),
        attention=(1,),
        target="noise",
        steps=60 * 60_000 // 128,
        batch_size=128,
        lr=2e-4,
        warmup=1000,
        ema_decay=0.9999,
        sample_steps=1000,
        scored=5000,
    ),
    # Colour photographs need a day on a GPU; what a laptop can do in minutes has the right colours at best.
    "ddpm-cifar10": presets(
        DDPMRecipe(
            dataset="cifar10",
            steps=2000,
            batch_size=64,
            lr=1e-3,
            warmup=100,
            ema_decay=0.995,
            flip=True,
            width=32,
            multipliers=(1, 2, 2, 2),
            sample_steps=100,
            sample_batch=250,
        ),
        width=128,
        blocks=2,
        dropout=0.1,
        steps=200_000,
        batch_size=128,
        lr=2e-4,
        warmup=5000,
        ema_decay=0.9999,
        sample_steps=1000,
        save_every=5000,
    ),
}
