"""What a recipe is: data, model, loss, loop and metrics, in one small dataclass."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.data import Dataset, load
from gdmcourse.training import Data, GameResult, Result, fit
from gdmcourse.training.fit import Rate
from gdmcourse.training.once import result_hash, use_threads

if TYPE_CHECKING:
    import lightning_fabric


AFTERWARDS = ("sample", "draw", "walk", "metrics")  # methods that use the trained model and can't change it


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Derive from it, add fields for sizes, and define `model` and `loss`; the rest has defaults.

    The fields are what presets set and what a run folder's `config.json` records: numbers and strings. The
    methods say what is done with them. A recipe that generates also defines `sample`, whose images become the
    grid `samples.png`; one that is scored defines `metrics`; one that isn't a single loss, such as a game,
    overrides `train`. Imports that only the methods of AFTERWARDS need belong inside them, so that a
    change there makes no trained model stale; see `hash`.
    """

    dataset: str
    steps: int
    batch_size: int
    lr: float
    ema_decay: float | None = None
    clip_norm: float | None = None
    precision: str = "32-true"
    compile: bool = False
    save_every: int = 500
    threads: int | None = None  # on tiny images 1 is fastest
    seed: int = 0

    def hash(self) -> str:
        """Changes with every field, and with the code that decides what the training gives."""
        return result_hash(asdict(self), type(self), without=AFTERWARDS)

    def data(self, split: str) -> Dataset:
        """The split "train" or "test" of the recipe's data set."""
        return load(self.dataset, split)

    def tensors(self, train: Dataset) -> Data:
        """What batches are drawn from: images and labels, unless a recipe needs something else."""
        return train.images, train.labels

    def rate(self) -> Rate:
        """The learning rate: constant, unless a recipe returns a function of the step."""
        return self.lr

    def model(self, train: Dataset) -> nn.Module:
        """The network before training, made for the images of `train`."""
        raise NotImplementedError

    def loss(self, model: nn.Module, batch: Any, generator: torch.Generator) -> Tensor:
        """The scalar to be made small, for a batch of `tensors`."""
        raise NotImplementedError

    def train(
        self,
        model: nn.Module,
        train: Dataset,
        *,
        checkpoint: Path,
        fabric: "lightning_fabric.Fabric",
        progress: bool | None = None,
    ) -> Result | GameResult:
        """Run the loop, or go on with it from `checkpoint`."""
        with use_threads(self.threads):
            return fit(
                model,
                self.loss,
                self.tensors(train),
                steps=self.steps,
                batch_size=self.batch_size,
                lr=self.rate(),
                seed=self.seed,
                ema_decay=self.ema_decay,
                clip_norm=self.clip_norm,
                compile=self.compile,
                checkpoint=checkpoint,
                save_every=self.save_every,
                fabric=fabric,
                progress=progress,
            )

    def sample(self, model: nn.Module, n: int, generator: torch.Generator) -> Tensor | None:
        """`n` images in [−1, 1] from the trained model, on the generator's device; None if it draws none."""
        return None

    def metrics(self, model: nn.Module, generator: torch.Generator) -> dict[str, float]:
        """Scores of the trained model by name."""
        return {}
