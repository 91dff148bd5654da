"""The course's feature network: a classifier whose penultimate layer is what every later score looks at.

Networks trained on photographs don't know 8×8 digits, so the course trains its own on the real images of each
data set: on demand, once a machine.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

from gdmcourse.data.catalog import CATALOG, is_folder, load
from gdmcourse.data.roots import cache_for
from gdmcourse.metrics.classifier import Classifier, classifier_loss
from gdmcourse.training.cached_training import train_once, use_threads
from gdmcourse.training.checkpoint import load_weights
from gdmcourse.training.code_hash import result_hash
from gdmcourse.training.device import make_fabric
from gdmcourse.training.fit import fit
from gdmcourse.training.randomness import derive_seed, seeded
from gdmcourse.training.rates import warmup_cosine


@dataclass(frozen=True)
class FeatureRecipe:
    """All that decides what a feature network becomes; its hash names the network in the cache."""

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
    size: int | None = None  # of a reader's own images, which `contents` tells from others of that name
    contents: str = ""

    def hash(self) -> str:
        """Changes with any number here, and with the code of the network, its loss or the training."""
        loader = [CATALOG[self.dataset].load] if self.dataset in CATALOG else []
        parts, stop = (type(self), *loader), ("gdmcourse.data.catalog",)
        return result_hash(asdict(self), *parts, methods=("train", "contents"), stop=stop)

    def model(self) -> Classifier:
        """The network before training."""
        with seeded(derive_seed(self.seed, "weights")):
            return Classifier(self.shape, self.classes, self.width, self.features)

    def train(self, folder: Path) -> None:
        """Train the network in `folder`, from where an interrupted training left it."""
        train = load(self.dataset, "train", size=self.size)
        with use_threads(1):
            fit(
                self.model(),
                classifier_loss,
                (train.images, train.labels),
                steps=self.steps,
                batch_size=self.batch_size,
                lr=warmup_cosine(self.lr, self.steps, self.warmup),
                seed=self.seed,
                checkpoint=folder,
                fabric=make_fabric(devices=1, nodes=1),
            )


FEATURE_RECIPES = {
    "digits": FeatureRecipe("digits", (1, 8, 8), 600, batch_size=64, lr=2e-3, width=32),
    "mnist": FeatureRecipe("mnist", (1, 28, 28), 1600, batch_size=128, lr=3e-3, width=16),
}
OWN_STEPS = 1000  # on a folder of images


def feature_network(dataset: str, size: int | None = None) -> Classifier:
    """The trained classifier of "digits", "mnist" or a folder of images: on the CPU, evaluating, frozen.

    The first call on a machine trains it, in seconds for digits and about a minute for MNIST on two cores;
    later calls read it from the cache (`GDMCOURSE_CACHE`, else the system's folder for caches). Processes
    that ask at once wait for the one that trains. `size` is for a folder, as in `image_folder`. Raises
    ValueError for a data set without such a network, and for a folder of a single class.
    """
    recipe = _own(dataset, size) if is_folder(dataset) else FEATURE_RECIPES.get(dataset)
    if recipe is None:
        raise ValueError(
            f"there is no feature network for {dataset!r}, only for {', '.join(FEATURE_RECIPES)} and for a "
            "folder of images"
        )
    folder = cache_for("features") / f"{Path(dataset).name}-{recipe.hash()}"
    train_once(folder, recipe.steps, recipe.train)
    return load_weights(folder, recipe.model()).requires_grad_(False)


def _own(dataset: str, size: int | None) -> FeatureRecipe:
    """The recipe for a folder of images, of any number of classes and colours."""
    train = load(dataset, "train", size=size)
    if len(train.classes) < 2:
        raise ValueError(
            f"{dataset} has one class, and a feature network learns by telling classes apart: put the images "
            "into a sub-folder for each class"
        )
    contents = hashlib.sha256(train.images.numpy().tobytes() + train.labels.numpy().tobytes())
    return FeatureRecipe(
        dataset,
        (train.images.shape[1], train.images.shape[2], train.images.shape[3]),
        steps=OWN_STEPS,
        batch_size=min(128, len(train)),
        lr=2e-3,
        width=16,
        classes=len(train.classes),
        size=size,
        contents=contents.hexdigest(),
    )
