"""The course's feature network: a classifier whose penultimate layer is what every later score looks at.

Networks trained on photographs don't know 8×8 digits, so the course trains its own on the real images of each
data set: on demand, once a machine.
"""

import hashlib
import inspect
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from gdmcourse.data import load
from gdmcourse.data.roots import cache_folder
from gdmcourse.metrics.classifier import Classifier, classifier_loss
from gdmcourse.training import (
    derive_seed,
    fit,
    load_checkpoint,
    load_weights,
    make_fabric,
    seeded,
    warmup_cosine,
)


@dataclass(frozen=True)
class FeatureRecipe:
    """All that decides what a feature network becomes; its hash names the network in the cache.

    On tiny images a second thread costs more time than it saves, and much more where cores are busy; hence
    `one_thread`.
    """

    dataset: str
    shape: tuple[int, int, int]
    steps: int
    batch_size: int
    lr: float
    width: int
    classes: int = 10
    features: int = 64
    warmup: int = 100
    seed: int = 0
    one_thread: bool = False

    def hash(self) -> str:
        """Changes with any number here, and with the code of the network or its loss."""
        code = inspect.getsource(Classifier) + inspect.getsource(classifier_loss)
        return hashlib.sha256((json.dumps(asdict(self)) + code).encode()).hexdigest()[:16]

    def model(self) -> Classifier:
        """The network before training."""
        with seeded(derive_seed(self.seed, "weights")):
            return Classifier(self.shape, self.classes, self.width, self.features)


FEATURE_RECIPES = {
    "digits": FeatureRecipe("digits", (1, 8, 8), 600, batch_size=64, lr=2e-3, width=32, one_thread=True),
    "mnist": FeatureRecipe("mnist", (1, 28, 28), 1600, batch_size=128, lr=3e-3, width=16),
}


def feature_network(dataset: str) -> Classifier:
    """The trained classifier of "digits" or "mnist": on the CPU, in evaluation mode, its weights frozen.

    The first call on a machine trains it, in seconds for digits and about a minute for MNIST on two cores;
    later calls read it from the cache (`GDMCOURSE_CACHE`, else the system's folder for caches). Processes
    that ask at once wait for the one that trains. Raises ValueError for a data set without such a network.
    """
    from filelock import FileLock

    if dataset not in FEATURE_RECIPES:
        raise ValueError(
            f"there is no feature network for {dataset!r}, only for {', '.join(FEATURE_RECIPES)}"
        )
    recipe = FEATURE_RECIPES[dataset]
    folder = cache_folder() / "features" / f"{dataset}-{recipe.hash()}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not _is_trained(folder, recipe.steps):
            _train(recipe, folder)
    return load_weights(folder, recipe.model()).requires_grad_(False)


def _is_trained(folder: Path, steps: int) -> bool:
    """Whether the training in `folder` has reached its end; one that can't be read is thrown away."""
    try:
        checkpoint = load_checkpoint(folder)
    except ValueError:
        shutil.rmtree(folder)
        return False
    return checkpoint is not None and checkpoint.step == steps


def _train(recipe: FeatureRecipe, folder: Path) -> None:
    """Train the network, from where an interrupted training left it."""
    train = load(recipe.dataset, "train")
    with _one_thread() if recipe.one_thread else nullcontext():
        fit(
            recipe.model(),
            classifier_loss,
            (train.images, train.labels),
            steps=recipe.steps,
            batch_size=recipe.batch_size,
            lr=warmup_cosine(recipe.lr, recipe.steps, recipe.warmup),
            seed=recipe.seed,
            checkpoint=folder,
            fabric=make_fabric(devices=1, nodes=1),
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Within the block torch uses one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
