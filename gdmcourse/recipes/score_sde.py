"""Scores in continuous time, sampled by predictor–corrector: `vp-sde-digits` and `ve-sde-digits`."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.recipes.ddpm import RECIPES as DDPM
from gdmcourse.recipes.ddpm import DDPMRecipe
from gdmcourse.recipes.ncsn import RECIPES as NCSN
from gdmcourse.recipes.ncsn import NCSNRecipe

# `corrector_steps` and `snr` below are those of `reverse_sde`; training knows nothing of them.


@dataclass(frozen=True, kw_only=True)
class VPSDERecipe(DDPMRecipe):
    """A noise predictor of the linear schedule, read as the score of the variance-preserving SDE.

    Source: `eq-vp-limit`, `eq-reverse-sde` (Song et al. 2021).
    """

    corrector_steps: int = 1
    snr: float = 0.16

    def check(self) -> None:
        """Raise ValueError for another schedule, and for a target that only whole times translate."""
        super().check()
        if (self.noise, self.target) != ("linear", "noise"):
            raise ValueError('the VP SDE is the limit of noise="linear", and here needs target="noise"')

    def walk(self, model: nn.Module, x_T: Tensor, y: Tensor | None, rng: torch.Generator) -> Tensor:
        """From noise to images, by `sample_steps` steps of the reverse SDE with the corrector after each."""
        from gdmcourse.diffusion.samplers.reverse_sde import reverse_sde
        from gdmcourse.diffusion.sde import VPSDE, vp_score

        sde = VPSDE()
        return reverse_sde(
            vp_score(lambda x, t, _: model(x, t, y), sde, self.T),
            sde,
            x_T,
            torch.linspace(1, 1 / self.T, self.sample_steps + 1).tolist(),
            generator=rng,
            corrector_steps=self.corrector_steps,
            snr=self.snr,
        ).clamp(-1, 1)


@dataclass(frozen=True, kw_only=True)
class VESDERecipe(NCSNRecipe):
    """The network of `ncsn-digits`, read as the score of the variance-exploding SDE.

    Source: `def-ve-sde`, `eq-reverse-sde` (Song et al. 2021).
    """

    sample_steps: int = 200
    corrector_steps: int = 1
    snr: float = 0.16

    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """From noise to images as for VP, down to the smallest level; Tweedie's estimate takes the rest."""
        from gdmcourse.diffusion.samplers.reverse_sde import reverse_sde
        from gdmcourse.diffusion.score import tweedie
        from gdmcourse.diffusion.sde import VESDE

        sde = VESDE(self.smallest, self.largest)

        def score(x: Tensor, t: Tensor) -> Tensor:
            return model(x, torch.full_like(t, sde.marginal(float(t[0]))[1]))

        end = math.log(2) / (2 * math.log(self.largest / self.smallest))  # where σ is `smallest`
        shape = (n, *self.shape())
        with torch.no_grad():
            x = reverse_sde(
                score,
                sde,
                sde.prior_std * torch.randn(shape, generator=rng, device=rng.device),
                torch.linspace(1, end, self.sample_steps + 1).tolist(),
                generator=rng,
                corrector_steps=self.corrector_steps,
                snr=self.snr,
            )
            level = torch.full((n,), self.smallest, device=x.device)
            return tweedie(x, model(x, level), self.smallest).clamp(-1, 1)


def _vp(recipe: DDPMRecipe) -> VPSDERecipe:
    fields: dict[str, Any] = {**asdict(recipe), "noise": "linear", "target": "noise"}
    return VPSDERecipe(**fields)


def _ve(recipe: NCSNRecipe, preset: str) -> VESDERecipe:
    fields: dict[str, Any] = asdict(recipe) | ({"sample_steps": 4} if preset == "smoke" else {})
    return VESDERecipe(**fields)


RECIPES = {
    "vp-sde-digits": {preset: _vp(recipe) for preset, recipe in DDPM["ddpm-digits"].items()},
    "ve-sde-digits": {preset: _ve(recipe, preset) for preset, recipe in NCSN["ncsn-digits"].items()},
}
