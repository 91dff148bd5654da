"""What a teacher asks of a student that draws in one step, and where the gradient stops."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.forward import q_sample, x0_from_noise
from gdmcourse.diffusion.per_image import check_same_shape
from gdmcourse.diffusion.schedule import Schedule


def distillation_loss(
    student: Float[Tensor, " n *shape"], teacher: Float[Tensor, " m *other"]
) -> Float[Tensor, ""]:
    """Mean (student − sg[teacher])² over images and pixels; no gradient flows into the teacher's images.

    A weight λ of it is D times the λ of a sum over the D pixels.

    Raises ValueError for images of different shapes. Source: `def-hybrid-objective`.
    """
    check_same_shape(student, teacher, "the teacher's image")
    return (student - teacher.detach()).square().mean()


@torch.no_grad()
def score_distillation_target(
    denoiser: Denoiser,
    schedule: Schedule,
    x: Float[Tensor, " n *shape"],
    t: Int[Tensor, " n"],
    noise: Float[Tensor, " n *shape"],
    y: Tensor | None = None,
) -> Float[Tensor, " n *shape"]:
    """The teacher's guess at the image behind the student's image x, noised to the times t.

    A student that is drawn to it makes the cross-entropy of its noised law small, and not the divergence.
    Source: `eq-score-distillation` (Sauer et al. 2023).
    """
    x_t = q_sample(schedule, x, t, noise)
    return x0_from_noise(schedule, x_t, t, denoiser(x_t, t, y))
