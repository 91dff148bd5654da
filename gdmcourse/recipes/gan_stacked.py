"""Games on stacked digits, whose 1000 modes are counted: `dcgan-stacked` and `r3gan-stacked`."""

from dataclasses import dataclass, replace

import torch
from torch import nn

from gdmcourse.recipes.gan_images import GPU, MODERN, ImageGANRecipe


@dataclass(frozen=True, kw_only=True)
class StackedGANRecipe(ImageGANRecipe):
    """A game whose samples are scored by the modes that they reach."""

    scored: int = 10_000

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Modes found, and the reverse KL divergence in nats."""
        from gdmcourse.metrics.stacked import stacked_modes

        found = stacked_modes(self.sample(model, self.scored, rng).cpu())
        return {"modes": float(found.modes), "reverse_kl": found.reverse_kl}


STACKED = StackedGANRecipe(
    dataset="stacked",
    steps=500,
    batch_size=64,
    lr=1e-3,
    warmup=50,
    ema_decay=0.99,
    critic_norm="batch",
    threads=1,
)
SMOKE = {"width": 4, "scored": 100}

RECIPES = {
    "dcgan-stacked": STACKED.presets(smoke=SMOKE, **GPU, steps=20_000, lr=2e-4),
    "r3gan-stacked": replace(STACKED, **MODERN).presets(smoke=SMOKE, **GPU, steps=20_000, lr=1e-3),
}
