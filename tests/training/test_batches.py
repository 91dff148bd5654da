"""Batches: each example once a pass, disjoint shares, and nothing matters but the seed and the number."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdmcourse.training import Batches


def machine(rank: int = 0, processes: int = 1) -> SimpleNamespace:
    """What `Batches` asks of a Fabric."""
    return SimpleNamespace(device=torch.device("cpu"), global_rank=rank, world_size=processes)


@given(size=st.integers(1, 40), batch_size=st.integers(1, 60), seed=st.integers(0, 5))
def test_each_example_comes_once_in_each_pass(size: int, batch_size: int, seed: int) -> None:
    batches = Batches(torch.arange(size), batch_size, seed, machine())
    count = 3 * size // batch_size + 1
    seen = torch.cat([batches[k] for k in range(count)])
    for start in range(0, len(seen) - size + 1, size):
        assert sorted(seen[start : start + size].tolist()) == list(range(size))


@given(numbers=st.lists(st.integers(0, 50), min_size=1, max_size=6), seed=st.integers(0, 5))
def test_a_batch_depends_on_seed_and_number_alone(numbers: list[int], seed: int) -> None:
    data = torch.arange(23)
    used = Batches(data, 7, seed, machine())
    for number in numbers:  # in any order
        assert torch.equal(used[number], Batches(data, 7, seed, machine())[number])


def test_passes_and_seeds_differ() -> None:
    batches = Batches(torch.arange(64), 64, 0, machine())
    assert not torch.equal(batches[0], batches[1])
    assert not torch.equal(batches[0], Batches(torch.arange(64), 64, 1, machine())[0])


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_one_joint_batch(processes: int) -> None:
    data = torch.arange(50)
    joint = Batches(data, 12, 3, machine())
    shares = [Batches(data, 12, 3, machine(rank, processes)) for rank in range(processes)]
    for number in range(12):
        assert torch.equal(torch.cat([share[number] for share in shares]), joint[number])


def test_tuples_stay_aligned() -> None:
    x = torch.randn(20, 3)
    first, second = Batches((x, x.sum(1)), 8, 0, machine())[4]
    torch.testing.assert_close(first.sum(1), second)


@pytest.mark.parametrize(
    ("data", "batch_size", "processes", "message"),
    [
        (torch.zeros(0, 2), 4, 1, "at least 1"),
        ((torch.zeros(3), torch.zeros(4)), 4, 1, r"\[3, 4\]"),
        (torch.zeros(8), 0, 1, "batch size 0"),
        (torch.zeros(8), 5, 2, "multiple of 2"),
    ],
)
def test_refuses_what_does_not_fit(data: object, batch_size: int, processes: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Batches(data, batch_size, 0, machine(0, processes))
