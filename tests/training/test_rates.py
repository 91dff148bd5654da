"""The learning rate's shape."""

import math

import pytest

from gdmcourse.training import warmup_cosine


def test_rises_linearly_and_falls_along_a_cosine() -> None:
    rate = warmup_cosine(2.0, steps=110, warmup=10)
    assert [rate(step) for step in (1, 5, 10)] == pytest.approx([0.2, 1.0, 2.0])
    assert rate(60) == pytest.approx(1.0)  # half way down
    assert rate(35) == pytest.approx(1 + math.cos(math.pi / 4))
    assert rate(110) == pytest.approx(0)
    assert rate(500) == pytest.approx(0)


def test_without_warmup_starts_at_the_peak() -> None:
    assert warmup_cosine(1.0, steps=1000)(1) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("warmup", [-1, 10, 11])
def test_refuses_a_warmup_outside_the_run(warmup: int) -> None:
    with pytest.raises(ValueError, match="warmup"):
        warmup_cosine(1.0, steps=10, warmup=warmup)
