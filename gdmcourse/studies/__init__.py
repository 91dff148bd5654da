"""Studies: what a chapter shows and a chapter can't wait for. `gdmcourse study NAME` runs one.

Each is a module with a `STUDY` (see `study.py`), and its record lies beside it: what a run wrote down, with
the machine and the date. To add one, write the module, name it below, and run it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from gdmcourse.studies.record import picture, record

if TYPE_CHECKING:
    from gdmcourse.studies.study import Study

# name, which is the module's and the record's: what it finds out
CATALOG = {
    "compression_factor": "what an autoencoder's factor buys and costs, where diffusion runs in its latents",
    "critic_value": "whether a critic's value tells how good a game's samples are",
    "ddpm_mnist": "what a quarter of an hour of one core buys on MNIST",
    "diffusion_gan": "what noise before the critic buys a GAN, on few images and on all, and augmentation",
    "equal_search": "the best of as many random configurations for each family of models",
    "few_images": "what augmentation or noise buys a style-based generator that has 200 digits",
    "gan_stability": "how often a small GAN fails at other rates, momenta and balances",
    "gans_vs_diffusion": "GANs, diffusion models and others of one budget, over ten seeds",
    "gans_vs_diffusion_mnist": "a GAN and a DDPM of one budget on MNIST, over three seeds",
    "guidance_scale": "what the guidance scale buys and costs, by three ways to guide",
    "held_out_bits": "how many bits a pixel each model of likelihood needs",
    "mode_coverage": "how many modes of a known mixture each way of training a GAN finds",
    "number_of_steps": "what the number of steps T buys and costs",
    "sure_critic": "what a critic that gets ever better tells a generator that stands still",
}

__all__ = ["CATALOG", "find_study", "picture", "record"]


def find_study(name: str) -> "Study":
    """The study `name`; for an unknown one raises ValueError, which lists the known."""
    if name not in CATALOG:
        raise ValueError(f"there is no study {name!r}; there are: {', '.join(CATALOG)}")
    return import_module(f"gdmcourse.studies.{name}").STUDY
