"""What a training costs in multiplications, counted on a step of a few examples."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.player import Turn, frozen

FEW = 8  # examples of the step that is counted


class Products(TorchDispatchMode):
    """Counts the multiplications of matrix products and convolutions while it is on, by torch's formulas.

    torch's own counter follows modules as well, by hooks that fail where a penalty differentiates.
    """

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, and count it if it has a formula: of additions and multiplications, so half."""
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            self.count += flop_registry[func.overloadpacket](*args, **(kwargs or {}), out_val=result) // 2
        return result


def training_multiplications(recipe: ImageRecipe) -> int:
    """Multiplications of the whole training: every move of every player, forward and backward, each step.

    What is made of the data before the first step counts, as a teacher's images do; networks below don't. Of
    a lazy penalty a whole period is counted. Trains what is below, if need be.
    """
    train = recipe.data("train")
    few = replace(train, images=train.images[:FEW], labels=train.labels[:FEW])
    modules = recipe.build(few)
    players = recipe.players(modules)
    networks, rng = SimpleNamespace(**modules), torch.Generator().manual_seed(0)
    period = getattr(recipe, "penalty_every", 1)
    with Products() as prepared, sdpa_kernel(SDPBackend.MATH):
        data = recipe.tensors(few)
    batch = tuple(part[:FEW] for part in data) if isinstance(data, tuple) else data[:FEW]
    with Products() as counter, sdpa_kernel(SDPBackend.MATH):
        for name, player in players.items():
            with frozen([network for other, network in modules.items() if other != name]):
                for move in range(period * player.moves):
                    player.loss(networks, batch, Turn(move % period, rng)).backward()
    once = prepared.count / FEW * len(train.images)
    step = counter.count / period / FEW * recipe.batch_size
    return round(once + step * recipe.steps)
