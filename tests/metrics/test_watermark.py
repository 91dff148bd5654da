"""The watermark: its null law over all keys, what it does to pixels, and that it is found."""

import itertools

import pytest
import torch
from scipy.stats import binom

from gdmcourse.metrics.watermark import at_least, find_mark, make_key, mark
from tests.oracles import gen


@pytest.mark.equation("eq-app-watermark")
def test_over_all_keys_green_cells_are_binomial_and_alarms_as_rare_as_asked():
    images = torch.tensor([[0, 2], [0, 1], [0, 2], [1, 2]])  # four images of two pixels, four different cells
    found = []
    for coins in itertools.product([False, True], repeat=6):
        found.append(find_mark(images, torch.tensor(coins).reshape(2, 3)))
    assert {one.cells for one in found} == {4}
    share = torch.tensor([one.green for one in found]).bincount(minlength=5) / len(found)
    expected = torch.tensor([binom.pmf(k, 4, 0.5) for k in range(5)])
    torch.testing.assert_close(share.double(), expected.double(), rtol=1e-6, atol=1e-6)
    for level in (0.05, 0.0625, 0.3, 0.3125, 0.7, 1.0):
        alarms = sum(one.p_value <= level for one in found) / len(found)
        assert alarms <= level
    for one in found:
        assert one.p_value == pytest.approx(binom.sf(one.green - 1, 4, 0.5))


def test_pixels_move_to_a_green_neighbour_and_not_otherwise():
    key = torch.tensor([[True, False, False, False, True]])
    marked = mark(torch.arange(5)[:, None], key)[:, 0].tolist()
    assert marked == [0, 0, 2, 4, 4]
    assert mark(torch.tensor([[4], [0]]), ~key)[:, 0].tolist() == [3, 1]


def test_a_mark_is_found_by_its_key_and_by_no_other():
    images = torch.randint(0, 17, (20, 1, 8, 8), generator=gen(1))
    key, other = (make_key((1, 8, 8), 17, gen(seed)) for seed in (2, 3))
    marked = mark(images, key)
    assert (marked - images).abs().max() == 1
    assert find_mark(marked[:1], key).p_value < 1e-4
    assert find_mark(marked, other).p_value > 1e-3
    assert find_mark(images, key).p_value > 1e-3


def test_tails_of_many_coins_are_exact():
    for heads in (0, 1, 700, 1000):
        assert at_least(heads, 1000) == pytest.approx(binom.sf(heads - 1, 1000, 0.5), rel=1e-9)


def test_images_that_the_key_is_not_for_are_refused():
    key = make_key((2, 2), 3, gen())
    with pytest.raises(ValueError, match=r"for images \(2, 2\) of 3 levels, and these are \(3, 2\)"):
        find_mark(torch.zeros(1, 3, 2, dtype=torch.long), key)
    for look in (find_mark, mark):
        with pytest.raises(ValueError, match="from 0 to 3"):
            look(torch.tensor([[[0, 1], [2, 3]]]), key)
        with pytest.raises(ValueError, match="there is no image"):
            look(torch.zeros(0, 2, 2, dtype=torch.long), key)
