"""Recipes: everything that `gdmcourse train NAME` can train.

To add one, write a file here with a dataclass derived from `Recipe` (see `recipe.py`; `classifier.py` is the
shortest example) and a dictionary RECIPES from the recipe's name to its presets, then name it below.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdmcourse.recipes.recipe import Recipe

PRESETS = ("smoke", "laptop", "gpu")

# name: (module of this package, what it trains)
CATALOG = {
    "classifier-digits": ("classifier", "the feature network of the scores, on scikit-learn's 8×8 digits"),
    "classifier-mnist": ("classifier", "the feature network of the scores, on MNIST"),
    "vicreg-digits": ("self_supervised", "a second feature network, which never sees a label (VICReg)"),
    "hmm-dice": ("hmm", "a hidden Markov model of a casino's dice, by EM"),
    "hmm-digits": ("hmm_images", "a hidden Markov model of the columns of digits, by EM"),
    "flow-toy": ("flow", "a normalizing flow (RealNVP) on two half moons"),
    "flow-digits": ("flow", "the same on digits, exact likelihoods in bits"),
    "made-digits": ("autoregressive", "masked linear layers that give every pixel's law at once, on digits"),
    "pixelcnn-digits": ("autoregressive", "masked convolutions in two stacks, on digits"),
    "rowlstm-digits": ("autoregressive", "a recurrent network that goes down row by row, on digits"),
    "transformer-digits": ("autoregressive", "a causal transformer that reads digits pixel by pixel"),
    "transformer-text": ("text_transformer", "a causal transformer on the sentences of this course"),
    "wavenet-waves": ("wavenet", "dilated causal convolutions on the waves of a plucked string"),
    "vae-digits": ("vae", "a variational autoencoder with 16 latents, on digits"),
    "vae-map-digits": ("vae", "the same with two latents, which can be drawn as a map"),
    "gan-ring": ("gan_points", "a plain GAN on eight Gaussians in a ring"),
    "gan-grid": ("gan_points", "a GAN with the penalty R1 on twenty-five Gaussians in a grid"),
    "dcgan-digits": ("gan_images", "a GAN of convolutions with batch norm (DCGAN), on digits"),
    "wgan-gp-ring": ("wgan", "a Wasserstein GAN with gradient penalty on eight Gaussians in a ring"),
    "wgan-gp-digits": ("wgan", "the same on digits"),
    "wgan-gp-mnist": ("wgan", "the same on MNIST"),
    "wgan-digits": ("wgan", "a Wasserstein GAN whose critic's weights are clipped, on digits"),
    "pix2pix-digits": ("paired", "fills outlines of digits, by L1 and a critic of patches (Pix2Pix)"),
    "pix2pix-mnist": ("paired", "the same on MNIST"),
    "cyclegan-digits": ("cyclegan", "the same without pairs, by two games and a cycle (CycleGAN), on digits"),
    "cyclegan-mnist": ("cyclegan", "the same on MNIST"),
    "srgan-digits": ("srgan", "makes 8×8 digits of 4×4 ones, by features and a critic (SRGAN)"),
    "srgan-mnist": ("srgan", "makes 28×28 MNIST images of 14×14 ones"),
    "style-digits": ("style", "a generator told at each resolution what to do there (StyleGAN2), on digits"),
    "style-mnist": ("style", "the same on MNIST"),
    "style-cifar10": ("style", "the same on colour photographs"),
    "dcgan-mnist": ("gan_images", "the same on MNIST"),
    "dcgan-cifar10": ("gan_images", "the same on colour photographs"),
    "dcgan-stacked": ("gan_stacked", "the same on stacked digits, which have 1000 modes"),
    "augmented-gan-digits": ("gan_augmented", "a DCGAN whose critic sees digits turned and moved (ADA)"),
    "r3gan-digits": ("gan_images", "a GAN of pairs with R1 and R2 (R3GAN), on digits"),
    "r3gan-stacked": ("gan_stacked", "the same on stacked digits"),
    "cgan-digits": ("gan_conditional", "a GAN that is told a label, and so is its critic, on digits"),
    "cgan-mnist": ("gan_conditional", "the same on MNIST"),
    "projection-digits": ("gan_conditional", "the same with the label in an inner product, on digits"),
    "acgan-digits": ("gan_auxiliary", "a GAN whose critic also classifies (AC-GAN), on digits"),
    "acgan-64": ("gan_auxiliary", "the same on colour photographs at 64×64; `gpu` is that of a source"),
    "diffusion-gan-grid": ("diffusion_gan", "a GAN whose critic sees noisy points, on Gaussians in a grid"),
    "diffusion-gan-digits": ("diffusion_gan", "a DCGAN whose critic sees noisy images, on digits"),
    "diffusion-gan-mnist": ("diffusion_gan", "the same on MNIST"),
    "diffusion-style-digits": ("diffusion_gan", "a style-based generator whose critic sees noisy digits"),
    "ddpm-digits": ("ddpm", "a denoising diffusion model with labels, on digits"),
    "ddpm-mnist": ("ddpm", "the same on MNIST; `gpu` is the network of the sources"),
    "ddpm-cifar10": ("ddpm", "the same on colour photographs"),
    "improved-ddpm-digits": ("improved_ddpm", "a diffusion model that learns its variance too, on digits"),
    "dit-digits": ("dit", "the same with a transformer of patches in the U-Net's place, on digits"),
    "flow-matching-digits": ("flow_matching", "a flow with straight paths, on digits, with labels"),
    "flow-grid": ("flow_points", "a flow with straight paths, on twenty-five Gaussians in a grid"),
    "reflow-ring": ("reflow", "a flow from noise to eight Gaussians, made straight"),
    "meanflow-digits": ("flow_matching", "a flow map that jumps from noise to digits in one step"),
    "distilled-digits": ("student", "four steps of ddpm-digits in one, by their distance alone"),
    "adversarial-distillation-digits": ("student", "the same with a critic (after SDXL-Turbo)"),
    "matching-digits": ("matching", "one step whose law follows the scores of ddpm-digits (DMD)"),
    "matching-gan-digits": ("matching", "the same with a critic (DMD2)"),
    "denoising-gan-digits": ("denoising_gan", "a diffusion of four steps, each drawn by a generator"),
    "adversarial-flow-line": (
        "adversarial_flow",
        "maps of the line, many games at once, with a cost",
    ),
    "guide-digits": ("guide", "a classifier of noisy digits, for classifier guidance"),
    "guide-clean-digits": ("guide", "the same on clean digits alone, to see what noise is good for"),
    "guide-mnist": ("guide", "a classifier of noisy MNIST images, for classifier guidance"),
    "guide-clean-mnist": ("guide", "the same on clean images alone"),
    "autoencoder-digits": ("autoencoder", "the autoencoder of latent diffusion, on digits"),
    "latent-digits": ("latent", "a diffusion model with labels in the latents of autoencoder-digits"),
    "text-digits": ("text", "a diffusion model with captions in the same latents"),
    "cascade-base-digits": ("cascade", "the first stage of a cascade: digits of 4×4 pixels, with labels"),
    "cascade-digits": ("cascade", "its second stage: from 4×4 to 8×8, the small image noised"),
    "cascade-plain-digits": ("cascade", "the second stage without noise on the small image"),
    "gan-films": ("gan_volumes", "a GAN of films, of a ball that bounces, by convolutions in space and time"),
    "gan-shapes": ("gan_volumes", "the same on chairs and tables of voxels"),
    "transformer-molecules": ("molecules", "a causal transformer on strings of a toy chemistry"),
    "ncsn-digits": ("ncsn", "a score network for many noise levels, with annealed Langevin, on digits"),
    "vp-sde-digits": ("score_sde", "the variance-preserving SDE with predictor–corrector, on digits"),
    "ve-sde-digits": ("score_sde", "the variance-exploding SDE with predictor–corrector, on digits"),
}


def find_recipe(name: str, preset: str = "laptop") -> "Recipe":
    """The recipe `name` at the size `preset`; for an unknown one raises ValueError, which lists the known."""
    if name not in CATALOG:
        raise ValueError(f"there is no recipe {name!r}; there are: {', '.join(CATALOG)}")
    if preset not in PRESETS:
        raise ValueError(f"there is no preset {preset!r}; there are: {', '.join(PRESETS)}")
    module = import_module(f"gdmcourse.recipes.{CATALOG[name][0]}")
    return module.RECIPES[name][preset]
