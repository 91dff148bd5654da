"""Critics that see more than one point: packs of them, and the closeness of a batch."""

import pytest
import torch

from gdmcourse.gan import PointCritic, PointGenerator
from gdmcourse.gan.minibatch import MinibatchDiscrimination
from tests.oracles import gen

POINTS = torch.randn(12, 2, generator=gen())


def test_a_pack_is_judged_as_a_whole():
    """A logit for each three points, which depends on all three and on no other."""
    critic = PointCritic(dim=2, width=8, pack=3)
    logits = critic(POINTS)
    assert logits.shape == (4,)
    for k in range(3):
        moved = POINTS.clone()
        moved[3 + k] += 1
        changed = (critic(moved) - logits).abs() > 1e-6
        assert changed.tolist() == [False, True, False, False]
    with pytest.raises(ValueError, match="10 points can't be put into packs of 3"):
        critic(POINTS[:10])


def test_closeness_is_the_sum_over_the_others_by_hand():
    layer = MinibatchDiscrimination(2, kernels=3, dim=4)
    told = layer(POINTS)
    assert torch.equal(told[:, :2], POINTS)
    rows = (POINTS @ layer.map.weight.T).reshape(12, 3, 4)
    for i in range(12):
        for b in range(3):
            near = sum(torch.exp(-(rows[i, b] - rows[j, b]).abs().sum()).item() for j in range(12) if j != i)
            assert told[i, 2 + b].item() == pytest.approx(near, rel=1e-4)
    with pytest.raises(ValueError, match="give the critic at least two"):
        layer(POINTS[:1])


def test_a_critic_with_kernels_sees_a_batch_repeat_itself():
    """The same point gets another logit among copies of itself; without kernels it doesn't."""
    copies = POINTS[:1].expand(12, 2)
    for kernels, sees in ((4, True), (0, False)):
        critic = PointCritic(dim=2, width=8, kernels=kernels)
        assert (not torch.isclose(critic(POINTS)[0], critic(copies)[0], atol=1e-6).item()) == sees


def test_networks_see_points_in_units_of_their_scale():
    torch.manual_seed(0)
    small = PointCritic(width=8), PointGenerator(width=8)
    torch.manual_seed(0)
    large = PointCritic(width=8, scale=5.0), PointGenerator(width=8, scale=5.0)
    torch.testing.assert_close(large[0](5 * POINTS), small[0](POINTS))
    torch.testing.assert_close(large[1](POINTS), 5 * small[1](POINTS))
