"""The claims that the course set out to measure, as they were written down before the runs.

The sources compare in adjectives. Here each sentence has a measure, the sign that would confirm it, and the
size below which a difference counts as none. `evidence.py` fills them with numbers, `verdicts.py` judges.
"""

from dataclasses import dataclass
from typing import Literal

HERE = "gans_vs_diffusion"


@dataclass(frozen=True)
class Claim:
    """A sentence that can be wrong.

    `measure` is what is positive if the claim is true, and `margin` what it has to pass. With `needs` "all"
    each condition under which it is measured has to hold, as the claim has several halves.
    """

    number: int
    says: str
    measure: str
    margin: float
    record: str = HERE
    needs: Literal["all", "any"] = "any"


HALF, TENTH, TWENTIETH = 0.405, 0.0953, 0.0488  # logarithms of 1.5, 1.1 and 1.05
TWICE = 0.693
CLAIMS = (
    Claim(1, "GANs sample fast, diffusion slowly", "log of seconds an image, over the GAN's", TWICE),
    Claim(
        2,
        "diffusion trains stably, GANs do not",
        "log of the distance at a wrong learning rate over that at the right one: the GAN's less the DDPM's",
        TENTH,
    ),
    Claim(
        3,
        "mode collapse is common in GANs and rare in diffusion",
        "share of 25 modes found, and of good points: the flow's less the GAN's",
        0.04,
    ),
    Claim(
        4,
        "GANs lead early, diffusion later",
        "log of the ratio of distances, by share of the budget: in favour of the GAN, then of the DDPM",
        TWENTIETH,
        needs="all",
    ),
    Claim(5, "diffusion ends with the smaller distance", "log of the GAN's distance over the DDPM's", TENTH),
    Claim(
        6,
        "a training image costs diffusion ten times the GAN's",
        "log of the ratio of seconds, less log 10",
        0.0,
    ),
    Claim(
        7,
        "the guidance scale has an optimum",
        "log of the distance at the largest scale over the best",
        TWENTIETH,
        "guidance_scale",
    ),
    Claim(
        8,
        "the best guided model beats the unguided",
        "log of the distance unguided over the best scale's",
        TWENTIETH,
        "guidance_scale",
    ),
    Claim(
        9,
        "a classifier for guidance has to see noise",
        "log of the distance, each at its best scale: clean classifier over noisy",
        TWENTIETH,
        "guidance_scale",
    ),
    Claim(
        10,
        "more steps give clearer digits",
        "log of the distance with fewer steps over that with more",
        TWENTIETH,
    ),
    Claim(
        11,
        "Diffusion-GAN improves on a GAN",
        "log of the GAN's distance over Diffusion-GAN's",
        TWENTIETH,
        "diffusion_gan",
    ),
    Claim(
        12,
        "Diffusion-GAN costs a fifth more time",
        "log of the ratio of seconds a training image",
        TENTH,
        "diffusion_gan",
    ),
    Claim(
        13,
        "samples of a VAE are blurred",
        "log of the energy of high frequencies, over the VAE's",
        TENTH,
    ),
    Claim(
        14,
        "autoregressive sampling is slow and sequential",
        "log of seconds an image: of 8×8 over 4×4 pixels, and over the GAN's",
        TWICE,
    ),
    Claim(
        15,
        "Gaussian mixtures fail in high dimension",
        "log of the mixture's distance over the DDPM's",
        TENTH,
    ),
    Claim(
        16,
        "a sure critic starves the generator, Wasserstein's does not",
        "log of the gradient's norm: early over late, and Wasserstein's over the other's late",
        TWICE,
        "sure_critic",
        needs="all",
    ),
    Claim(
        17,
        "latent diffusion saves cost at equal score",
        "log of operations a pass, and of the distance plus a half: pixels over latents",
        0.0,
        "compression_factor",
        needs="all",
    ),
    Claim(
        18,
        "diffusion covers more than a GAN of equal precision",
        "recall at matched precision: the DDPM's less the GAN's",
        0.02,
    ),
    Claim(
        19,
        "large guidance lowers diversity",
        "recall at scale 1 less that at scale 5",
        0.02,
        "guidance_scale",
    ),
)
