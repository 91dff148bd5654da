"""Networks of images: the sizes that they can make, and those that they name."""

import pytest

from gdmcourse.gan import ImageCritic, ImageGenerator
from gdmcourse.gan.style import StyleGenerator


@pytest.mark.parametrize("network", [ImageGenerator, ImageCritic, StyleGenerator])
@pytest.mark.parametrize(("side", "better"), [(10, 8), (3, 4), (30, 32)])
def test_a_size_that_no_halving_leads_to_is_named_and_a_better_one_said(network, side, better):
    with pytest.raises(ValueError, match=rf"{side}×{side} pixels can't be halved . times; .* size={better}$"):
        network((1, side, side), width=4)
    network((1, better, better), width=4)
