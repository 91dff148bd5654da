"""The course's feature network: a classifier whose penultimate layer is what every later score looks at.

Networks trained on photographs don't know 8×8 digits, so the course trains its own on the real images of each
data set: on demand, once a machine.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from gdmcourse.data import load
from gdmcourse.data.roots import cache_folder
from gdmcourse.metrics.classifier import Classifier, classifier_loss
from gdmcourse.training import derive_seed, fit, load_weights, make_fabric, seeded, warmup_cosine
from gdmcourse.training.once import result_hash, train_once, use_threads


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

    def hash(self) -> str:
        """Changes with any number here, and with the code of the network, its loss or the training."""
        return result_hash(asdict(self), Classifier, classifier_loss, fit, load)

    def model(self) -> Classifier:
        """The network before training."""
        with seeded(derive_seed(self.seed, "weights")):
            return Classifier(self.shape, self.classes, self.width, self.features)


FEATURE_RECIPES = {
    "digits": FeatureRecipe("digits", (1, 8, 8), 600, batch_size=64, lr=2e-3, width=32),
    "mnist": FeatureRecipe("mnist", (1, 28, 28), 1600, batch_size=128, lr=3e-3, width=16),
}


def feature_network(dataset: str) -> Classifier:
    """The trained classifier of "digits" or "mnist": on the CPU, in evaluation mode, its weights frozen.

    The first call on a machine trains it, in seconds for digits and about a minute for MNIST on two cores;
    later calls read it from the cache (`GDMCOURSE_CACHE`, else the system's folder for caches). Processes
    that ask at once wait for the one that trains. Raises ValueError for a data set without such a network.
    """
    if dataset not in FEATURE_RECIPES:
        raise ValueError(
            f"there is no feature network for {dataset!r}, only for {', '.join(FEATURE_RECIPES)}"
        )
    recipe = FEATURE_RECIPES[dataset]
    folder = cache_folder() / "features" / f"{dataset}-{recipe.hash()}"
    train_once(folder, recipe.steps, lambda folder: _train(recipe, folder))
    return load_weights(folder, recipe.model()).requires_grad_(False)


def _train(recipe: FeatureRecipe, folder: Path) -> None:
    """Train the network, from where an interrupted training left it."""
    train = load(recipe.dataset, "train")
    with use_threads(1):
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
