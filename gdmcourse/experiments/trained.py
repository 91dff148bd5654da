"""The book's trained models, each trained once a machine when a chapter first asks for it."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from gdmcourse.data.roots import cache_folder
from gdmcourse.experiments import find_recipe
from gdmcourse.experiments.recipe import Recipe
from gdmcourse.training import History, derive_seed, load_weights, make_fabric, seeded
from gdmcourse.training.once import train_once


@dataclass(frozen=True)
class Trained:
    """A trained network on the CPU, in evaluation mode and frozen, with its recipe and what training noted.

    `model` is the moving average where the recipe keeps one, `seconds` what its training took.
    """

    recipe: Recipe
    model: nn.Module
    history: History
    seconds: float


def trained(name: str, preset: str = "laptop") -> Trained:
    """The result of the recipe `name`, from the cache, or trained now if this machine hasn't got it.

    The cache is in `GDMCOURSE_CACHE`, else in the system's folder for caches; an entry's name has the
    recipe's hash, so a change of the recipe or of the code below it trains anew. Processes that ask at once
    wait for the one that trains. Recipes of one network only. Raises ValueError for an unknown recipe.
    """
    recipe = find_recipe(name, preset)
    train = recipe.data("train")
    folder = cache_folder() / "trained" / f"{name}-{preset}-{recipe.hash()}"
    with seeded(derive_seed(recipe.seed, "weights")):
        model = recipe.model(train)

    def run(folder: Path) -> None:
        fabric = make_fabric(devices=1, nodes=1, precision=recipe.precision)
        recipe.train(model, train, checkpoint=folder, fabric=fabric)

    state = train_once(folder, recipe.steps, run).state
    load_weights(folder, model.cpu())
    return Trained(recipe, model.requires_grad_(False), History.from_json(state["history"]), state["seconds"])
