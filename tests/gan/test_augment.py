"""Augmentations as operators on laws: by linear algebra on images that hold one pixel of ink."""

import math

import pytest
import torch

from gdmcourse.gan.augment import Adaptive, augmented, quarter_turned, shifted

close = torch.testing.assert_close
SIDE = 4
STATES = SIDE * SIDE
ONE_HOT = torch.eye(STATES).view(STATES, 1, SIDE, SIDE)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def moves(image_map) -> torch.Tensor:
    """The matrix that takes a law of one-pixel images to the law behind a fixed map of images."""
    return image_map(ONE_HOT).flatten(1).T.double()


def turn(k: int) -> torch.Tensor:
    return moves(lambda x: x.rot90(k, (2, 3)))


def shift(down: int, right: int) -> torch.Tensor:
    return moves(lambda x: x.roll((down, right), (2, 3)))


TURNS = sum(turn(k) for k in range(4)) / 4
GENTLE = sum(shift(i, j) * (2 - abs(i)) * (2 - abs(j)) / 16 for i in (-1, 0, 1) for j in (-1, 0, 1))
FLAT = sum(shift(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9
SAME = torch.eye(STATES).double()


def skipped(kernel: torch.Tensor, p: float) -> torch.Tensor:
    return (1 - p) * SAME + p * kernel


def test_turns_and_shifts_are_those_of_torch():
    x = torch.randn(6, 2, 5, 5, generator=rng())
    turns = torch.tensor([0, 1, 2, 3, 4, -1])
    close(
        quarter_turned(x, turns),
        torch.stack([i.rot90(int(k), (1, 2)) for i, k in zip(x, turns, strict=True)]),
    )
    down, right = torch.tensor([0, 1, -1, 2, 7, 0]), torch.tensor([1, 0, -2, 3, 0, 0])
    for images in (x, torch.randn(6, 2, 3, 7, generator=rng(1))):
        rolled = [i.roll((int(a), int(b)), (1, 2)) for i, a, b in zip(images, down, right, strict=True)]
        close(shifted(images, down, right), torch.stack(rolled))
    with pytest.raises(ValueError, match="square"):
        quarter_turned(x[:, :, :4], turns)


@pytest.mark.equation("eq-style-nonleaking")
@pytest.mark.parametrize("strength", [0.3, 0.8])
def test_what_is_drawn_is_the_operator(strength):
    """Where each of 16 pixels goes in 40,000 draws each, against the product of the two matrices."""
    x = ONE_HOT.repeat_interleave(40_000, 0)
    found = augmented(x, strength, rng()).flatten(1).view(STATES, 40_000, STATES).double().mean(1).T
    claimed = skipped(TURNS, strength) @ skipped(GENTLE, strength)
    bound = 6 * (claimed * (1 - claimed) / 40_000).clamp(min=0).sqrt() + 1e-6
    assert ((found - claimed).abs() <= bound).all()


@pytest.mark.parametrize("strength", [-0.1, 1.5])
def test_a_strength_that_is_no_probability_is_refused(strength):
    with pytest.raises(ValueError, match="probability"):
        augmented(ONE_HOT, strength, rng())
    with pytest.raises(ValueError, match="leaks"):
        Adaptive(most=1.0)


@pytest.mark.equation("eq-style-nonleaking")
def test_the_eigenvalues_say_which_strengths_can_be_undone():
    for kernel in (TURNS, GENTLE):
        assert torch.linalg.eigvals(kernel).real.min() > -1e-6
        for p in (0.0, 0.4, 0.9, 0.99):
            assert torch.linalg.matrix_rank(skipped(kernel, p)) == STATES
    assert torch.linalg.matrix_rank(skipped(TURNS, 1.0)) < STATES
    assert torch.linalg.matrix_rank(skipped(turn(1), 0.5)) < STATES
    assert torch.linalg.matrix_rank(skipped(turn(1), 0.499)) == STATES
    # Nine equally likely moves: the smallest eigenvalue is −1/3 on a side divisible by two.
    least = torch.linalg.eigvalsh(FLAT).min().item()
    assert least == pytest.approx(-1 / 3, abs=1e-6)
    assert torch.linalg.matrix_rank(skipped(FLAT, 0.75)) < STATES
    for kernel in (TURNS, GENTLE, FLAT, turn(1)):
        values = torch.linalg.eigvals(kernel)
        close(
            torch.linalg.eigvals(skipped(kernel, 0.3)).abs().sort().values,
            (0.7 + 0.3 * values).abs().sort().values,
            atol=1e-6,
            rtol=0,
        )


@pytest.mark.equation("eq-style-nonleaking")
@pytest.mark.parametrize(
    "kernel",
    [
        torch.rand(STATES, STATES, generator=rng()).double(),
        turn(1),
        shift(1, 0),
        torch.eye(STATES).double().flip(0),  # pairs of images are swapped
    ],
)
def test_below_one_half_any_kernel_can_be_undone_and_the_series_does_it(kernel):
    kernel = kernel / kernel.sum(0)
    p = 0.45
    series, power = torch.zeros_like(SAME), SAME
    for _ in range(120):
        series, power = series + power / (1 - p), -p / (1 - p) * kernel @ power
    close(series @ skipped(kernel, p), SAME, atol=1e-8, rtol=0)


def value(p: torch.Tensor, q: torch.Tensor) -> float:
    """max over D of Σ p log D + q log(1 − D), by search over each D on a fine grid."""
    d = torch.linspace(1e-4, 1 - 1e-4, 20_001, dtype=torch.float64)[:, None]
    return float((p * d.log() + q * (1 - d).log()).max(0).values.sum())


@pytest.mark.equation("eq-style-leak")
def test_an_augmented_game_is_won_by_every_law_that_looks_alike_behind_it():
    p = torch.rand(STATES, generator=rng()).double()
    p = p / p.sum()
    least = -math.log(4)
    other = turn(1) @ p  # all images lie on their side
    assert value(p, p) == pytest.approx(least, abs=1e-6)
    assert value(TURNS @ p, TURNS @ other) == pytest.approx(least, abs=1e-6)
    behind = [skipped(TURNS, 0.8) @ law for law in (p, other)]
    assert value(*behind) > least + 1e-3
    # 2 JS − log 4 of the laws behind the augmentation, by its definition.
    middle = (behind[0] + behind[1]) / 2
    js = sum((law * (law / middle).log()).sum() for law in behind) / 2
    assert value(*behind) == pytest.approx(2 * js.item() + least, abs=1e-6)


def test_gradients_reach_the_images():
    x = torch.randn(8, 1, 8, 8, generator=rng()).requires_grad_()
    weight = torch.randn(8, 1, 8, 8, generator=rng(1))
    (augmented(x, 0.7, rng()) * weight).sum().backward()
    close(
        x.grad.flatten(1).sort(1).values, weight.flatten(1).sort(1).values
    )  # pixels are moved, none is lost
    same = augmented(x, 0.0, rng())
    close(same, x)


def test_the_strength_goes_up_while_too_many_real_images_are_recognised():
    adaptive = Adaptive(target=0.6, step=0.1, most=0.25)
    sure, unsure = torch.tensor([1.0] * 9 + [-1.0]), torch.tensor([1.0] * 7 + [-1.0] * 3)
    path = []
    for logits in (sure, sure, sure, unsure, unsure, unsure, unsure):
        adaptive.observe(logits)
        path.append(round(float(adaptive.strength), 6))
    assert path == pytest.approx([0.1, 0.2, 0.25, 0.15, 0.05, 0, 0], abs=1e-6)
    assert set(adaptive.state_dict()) == {"strength"}
