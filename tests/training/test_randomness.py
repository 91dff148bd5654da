"""Seeds: streams that differ, and a block that leaves no trace."""

import torch

from gdmcourse.training import derive_seed, seeded


def test_purposes_give_unrelated_streams() -> None:
    seeds = {derive_seed(seed, *why) for seed in range(20) for why in [(), ("a",), ("b",), ("a", 1)]}
    assert len(seeds) == 80
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert derive_seed(3, "a", 1) == derive_seed(3, "a", 1)


def test_a_seeded_block_leaves_the_global_generator_as_it_was() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with seeded(5):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(5):
        assert torch.equal(torch.rand(3), first)
