"""What noise before the critic costs: training of a DCGAN behind noise against the same without.

Both sides are the recipe's own training, of networks that differ in the critic's vector of the time.
"""

import torch

from benchmarks import gan
from benchmarks.row import row

ALLOWED = 1.2  # of the time without noise: a fifth more, as the paper has it


def rows() -> list[dict[str, str | float]]:
    """Median time an image of interleaved trainings."""
    torch.set_num_threads(gan.THREADS)
    sides = gan.game("diffusion-gan-digits"), gan.game("dcgan-digits")
    train = sides[0].data("train")
    seconds = gan.medians(*[lambda recipe=recipe: recipe.train(train, progress=False) for recipe in sides])
    per_image = 1e3 / (gan.STEPS * gan.BATCH)
    return [
        row(
            "diffusion_gan, training behind noise, one image (peer: without)",
            *[side * per_image for side in seconds],
            "ms",
            ALLOWED,
        )
    ]
