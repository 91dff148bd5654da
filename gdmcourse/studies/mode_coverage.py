"""How many modes of eight and of twenty-five Gaussians each way of training a GAN finds (PacGAN's protocol).

`gdmcourse study mode_coverage` trains every way on both sets, seed by seed, about eight minutes of one core
for a seed. A critic makes as many moves in one way as in another.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.gan.networks import PointCritic, PointGenerator, perceptron
from gdmcourse.gan.waves import Waves
from gdmcourse.recipes.gan_points import PointGANRecipe
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.player import Turn
from gdmcourse.training.randomness import derive_seed

MOVES = 5000  # of a critic
VARIANCE = {"8gaussians": 0.5, "25gaussians": 8.0}  # of a coordinate
# Of what was tried on seed 0: rates at which a penalty is needed, and those of `gan-ring`, which need none.
FAST: dict[str, Any] = {"lr": 2e-3, "betas": (0.0, 0.99), "ema_decay": 0.99}
CALM: dict[str, Any] = {"lr": 1e-3, "betas": (0.5, 0.999), "ema_decay": 0.995}
FALLING: dict[str, Any] = {"penalty_weight": 0.4, "falls_to": 0.05}
# What makes a way. Weights that fall are in units of the variance.
WAYS: dict[str, dict[str, Any]] = {
    "plain": {**CALM, "slope": 0.2},  # a flat one dies
    "minibatch": {**CALM, "kernels": 4},
    "pack": {**CALM, "pack": 2},
    "wgan-gp": {
        **FAST,
        "objective": "wasserstein",
        "penalty": "unit-norm",
        "penalty_weight": 0.1,
        "critic_moves": 2,
    },
    "r1": {**FAST, **FALLING, "penalty": "r1"},
    "relativistic": {
        **FAST,
        **FALLING,
        "objective": "relativistic",
        "penalty": "r1+r2",
        "waves": 48,
        "lr": 3e-3,
        "betas": (0.5, 0.99),
    },
}


@dataclass(frozen=True, kw_only=True)
class CoverageRecipe(PointGANRecipe):
    """A generator of three hidden layers, and a critic that may see waves beside the coordinates.

    The modes are a fiftieth of the data's spread wide. A weak penalty lets the critic see them and loses
    some, a strong one finds all and blurs them. So its weight falls to the share `falls_to`, geometrically
    in the first four fifths of the training, and stays there. Activations that are flat on one side let the
    generator be flat where it stands on a mode, and so steep between two.
    """

    waves: int = 0
    slope: float = 0.0  # of the generator's activations below 0
    falls_to: float = 1.0

    def modules(self, train: Tensor) -> dict[str, nn.Module]:
        """Generator and critic, which see the data in units of their spread."""
        dim, scale = train.shape[1], train.std().item()
        generator = PointGenerator(self.noise_dim, dim, self.width, scale)
        generator.layers = perceptron([self.noise_dim, *3 * [self.width], dim])
        for layer in generator.layers:
            if isinstance(layer, nn.LeakyReLU):
                layer.negative_slope = self.slope
        waves = Waves(dim, self.waves, (0.5, 14.0), scale)
        critic = PointCritic(waves.out, self.width, self.pack, self.kernels)
        return {"generator": generator, "critic": nn.Sequential(waves, critic)}

    def penalty_term(self, networks: Any, batch: Any, fake: Tensor, turn: Turn) -> Tensor | float:
        """The penalty with the weight of this step."""
        falling = self.falls_to ** min(1.0, 1.25 * turn.step / self.steps)
        return falling * super().penalty_term(networks, batch, fake, turn)


def recipe(toy: str, way: str, seed: int, steps: int | None = None) -> CoverageRecipe:
    """The game of one way; with `steps` given, a tiny one that is so long."""
    changes: dict[str, Any] = {"width": 96, "batch_size": 256, "warmup": 50, "critic_moves": 1} | WAYS[way]
    if "falls_to" in changes:
        changes["penalty_weight"] *= VARIANCE[toy]
    if steps is None:
        steps = MOVES // changes["critic_moves"]
    else:
        changes |= {"width": 8, "batch_size": 8, "warmup": None, "points": 200}
    return CoverageRecipe(toy=toy, steps=steps, seed=seed, threads=1, **changes)


def measure(folder: Path, *, toy: str, way: str, seed: int, steps: int | None) -> Rows:
    """Train one game and count: modes found, and the share of samples of high quality."""
    game = recipe(toy, way, seed, steps)
    played = game.train(progress=False)
    rng = torch.Generator().manual_seed(derive_seed(seed, "samples"))
    counted = game.metrics(played.best(game.result), rng)
    return [{"toy": toy, "way": way, "seed": seed, "seconds": played.seconds, **counted}]


def study(*, seeds: int = 10, steps: int | None = None) -> Study:
    """The study with so many seeds, seed by seed; with `steps` given every game is tiny and that long."""
    return Study(
        name="mode_coverage",
        parts=[
            {"toy": toy, "way": way, "seed": seed, "steps": steps}
            for seed in range(seeds)
            for toy in VARIANCE
            for way in WAYS
        ],
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds},
    )


STUDY = study()
