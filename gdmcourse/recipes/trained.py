"""The book's trained networks, each trained once a machine when a chapter first asks for it."""

from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from gdmcourse.data.roots import cache_folder
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.cached_training import train_once
from gdmcourse.training.checkpoint import load_weights
from gdmcourse.training.history import History


@dataclass(frozen=True)
class Trained:
    """A trained network on the CPU, in evaluation mode and frozen, with its recipe and what training noted.

    `model` is the recipe's result, its moving average where the recipe keeps one; `networks` holds it by its
    name and, of a game, the others. `seconds` is what the training took.
    """

    recipe: Recipe
    model: nn.Module
    networks: dict[str, nn.Module]
    history: History
    seconds: float


def trained(name: str, preset: str = "laptop", **changes: Any) -> Trained:
    """The result of the recipe `name`, from the cache, or trained now if this machine hasn't got it.

    `changes` replace fields of the preset, such as `seed=1`. The cache is in `GDMCOURSE_CACHE`, else in the
    system's folder for caches; an entry's name has the recipe's hash, so a change of the recipe or of the
    code below it trains anew. Processes that ask at once wait for the one that trains. Raises ValueError for
    an unknown recipe or field.
    """
    recipe = find_recipe(name, preset)
    try:
        recipe = replace(recipe, **changes)
    except TypeError as error:
        raise ValueError(f"{name} has no such field: {error}") from None
    train = recipe.data("train")
    folder = cache_folder() / "trained" / f"{name}-{preset}-{recipe.hash()}"
    state = train_once(folder, recipe.steps, lambda folder: recipe.train(train, checkpoint=folder)).state
    modules = recipe.build(train)
    networks = {
        player: load_weights(folder, modules[player], player).requires_grad_(False)
        for player in state["optimizers"]
    }
    history = History.from_json(state["history"])
    return Trained(recipe, networks[recipe.result], networks, history, state["seconds"])
