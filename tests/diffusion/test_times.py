"""What may stand for a time, and how many of them: one for the batch or one an image, in whole numbers."""

import numpy as np
import pytest
import torch

from gdmcourse.diffusion import linear_schedule, posterior, q_sample, transition, velocity, x0_from_noise
from gdmcourse.diffusion.per_image import per_image
from gdmcourse.diffusion.schedule import ScheduleError
from gdmcourse.diffusion.score import score_from_noise

SCHEDULE = linear_schedule(100)
X = torch.randn(4, 1, 2, 2, generator=torch.Generator().manual_seed(0))

ASKED = {
    "q_sample": lambda t: q_sample(SCHEDULE, X, t, X),
    "velocity": lambda t: velocity(SCHEDULE, X, t, X),
    "x0_from_noise": lambda t: x0_from_noise(SCHEDULE, X, t, X),
    "posterior": lambda t: posterior(SCHEDULE, X, X, t, s=0),
    "transition": lambda t: transition(SCHEDULE, X, t, s=0),
    "score": lambda t: score_from_noise(SCHEDULE, X, t),
}


def parts(answer):
    """A function's one result, or the mean and variance of two."""
    return answer if isinstance(answer, tuple) else (answer,)


every_function = pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)


@every_function
@pytest.mark.parametrize(
    ("t", "kind"),
    [
        (10.0, "float"),
        ([10, 20, 30, 40], "list"),
        (np.array([10, 20, 30, 40]), "ndarray"),
        (torch.tensor([10.0, 20.0, 30.0, 40.0]), "float32"),
        (torch.tensor([True, False, True, True]), "bool"),
        (torch.tensor([1, 2, 3, 4], dtype=torch.uint8), "uint8"),
        (None, "NoneType"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_whole_number_is_refused_and_a_way_named(ask, t, kind, unchecked):
    with pytest.raises(ScheduleError, match=rf"times are whole numbers.*not .*{kind}: write torch\.tensor"):
        ask(t)


@every_function
@pytest.mark.parametrize("t", [torch.tensor([1, 2, 3]), torch.tensor([[1, 2, 3, 4]])])
def test_as_many_times_as_there_are_no_images_are_refused(ask, t, unchecked):
    with pytest.raises(ValueError, match=r"for 4 images: give one, or one an image, \(4,\)"):
        ask(t)


@every_function
def test_one_time_in_any_whole_form_is_the_same_time(ask, unchecked):
    for same in (np.int64(7), torch.tensor(7), torch.full((4,), 7, dtype=torch.int32)):
        for answer, expected in zip(parts(ask(same)), parts(ask(7)), strict=True):
            torch.testing.assert_close(answer.expand_as(X), expected.expand_as(X))


def test_noise_of_another_shape_is_refused_and_not_shared(unchecked):
    with pytest.raises(
        ValueError, match=r"the noise has shape \(1, 1, 2, 2\), but the images \(4, 1, 2, 2\)"
    ):
        q_sample(SCHEDULE, X, 10, X[:1])
    with pytest.raises(ValueError, match=r"x_t has shape \(4, 1, 2, 1\)"):
        posterior(SCHEDULE, X, X[..., :1], 10)


def test_a_python_number_takes_the_images_type_and_a_tensor_keeps_its_own():
    assert per_image(0.1, X.double()).dtype == torch.float64
    assert per_image(0.1, X.double()).item() == 0.1
    half = per_image(torch.tensor(0.5), X.half()) * X.half()
    assert half.dtype == torch.float32
