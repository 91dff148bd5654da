"""The pool of images: how old what it returns is, that each comes out once, and how it goes on."""

import pytest
import torch

from gdmcourse.gan.pool import ImagePool


def passed(pool, count, seed=0, batch=50, first=0):
    """For each image, which came as number `first` and so on, the number of the one that was returned."""
    rng = torch.Generator().manual_seed(seed)
    numbers = torch.arange(first, first + count, dtype=torch.float32).view(-1, 1, 1, 1)
    return torch.cat([pool(part, rng) for part in numbers.split(batch)]).flatten().long()


@pytest.mark.equation("eq-tr-pool")
@pytest.mark.parametrize("batch", [7, 50])
def test_ages_are_geometric_and_half_are_new(batch):
    places, count = 8, 20_000
    out = passed(ImagePool(places, (1, 1, 1)), count, batch=batch)
    age = (torch.arange(count) - out)[1000:].double()
    old = age[age > 0]
    assert len(old) / len(age) == pytest.approx(0.5, abs=0.015)  # 4 standard deviations
    assert old.mean().item() == pytest.approx(2 * places, rel=0.04)
    assert age.mean().item() == pytest.approx(places, rel=0.06)
    rate = 1 / (2 * places)
    for n in (1, 2, 5, 16, 40):  # P(age ≤ n), to 4 standard deviations
        expected = 0.5 + 0.5 * (1 - (1 - rate) ** n)
        spread = (expected * (1 - expected) / len(age)) ** 0.5
        assert (age <= n).double().mean().item() == pytest.approx(expected, abs=4 * spread + 1e-9)


@pytest.mark.equation("eq-tr-pool")
def test_the_law_of_the_age_by_counting_every_course_of_a_small_pool():
    """All coins and places of six arrivals at a full pool of two, each with its probability."""
    from itertools import product

    law = {}
    steps = 6
    for course in product((None, 0, 1), repeat=steps):  # kept out, or the place that is emptied
        filled, probability, out = [-9, -9], 1.0, None
        for now, place in enumerate(course):
            probability *= 0.5 if place is None else 0.25
            out = now
            if place is not None:
                out, filled[place] = filled[place], now
        age = steps - 1 - out
        law[age] = law.get(age, 0.0) + probability
    for n in range(1, steps):  # older ones came before the count began
        assert law[n] == pytest.approx(0.5 * 0.25 * 0.75 ** (n - 1))
    assert law[0] == pytest.approx(0.5)


def test_a_full_pool_returns_every_image_exactly_once():
    pool = ImagePool(10, (1, 1, 1))
    out = torch.cat([passed(pool, 500, batch=7), pool.images.flatten().long()])
    counts = torch.bincount(out, minlength=500)
    assert counts[:10].tolist() == [2] * 10  # those that filled it were handed on as well
    assert counts[10:].tolist() == [1] * 490


def test_the_counter_moves_and_old_images_come_only_from_a_full_pool():
    pool = ImagePool(20, (1, 1, 1))
    assert passed(pool, 20, batch=6).tolist() == list(range(20))
    assert int(pool.held) == 20
    later = passed(pool, 400, seed=1, first=20)
    assert 150 < (later != torch.arange(20, 420)).sum() < 250


def test_a_pool_without_places_hands_on_and_a_negative_one_is_refused():
    assert passed(ImagePool(0, (1, 1, 1)), 30).tolist() == list(range(30))
    with pytest.raises(ValueError, match="0 images or more, not -1"):
        ImagePool(-1, (1, 1, 1))


@pytest.mark.parametrize("size", [2, 5])  # full after the batch, and not full
def test_images_of_another_shape_are_refused_and_never_spread(size):
    pool = ImagePool(size, (3, 2, 2))
    with pytest.raises(ValueError, match=r"shape \(3, 2, 2\), not \(1, 2, 2\)"):
        pool(torch.ones(4, 1, 2, 2), torch.Generator().manual_seed(0))
    assert int(pool.held) == 0


def test_what_it_returns_has_no_gradient_and_is_no_view_of_the_pool():
    pool = ImagePool(2, (1, 1, 1))
    new = torch.zeros(2, 1, 1, 1, requires_grad=True)
    out = pool(new, torch.Generator().manual_seed(0))
    assert not out.requires_grad
    out.fill_(5.0)
    assert pool.images.abs().max() == 0
    assert new.abs().max() == 0


def test_its_state_goes_on_to_the_bit():
    whole, broken = ImagePool(5, (1, 2, 2)), ImagePool(5, (1, 2, 2))
    rng = torch.Generator().manual_seed(3)
    images = torch.rand(60, 1, 2, 2, generator=rng)
    throw = torch.Generator().manual_seed(4)
    expected = torch.cat([whole(part, throw) for part in images.split(6)])
    throw = torch.Generator().manual_seed(4)
    first = [broken(part, throw) for part in images[:30].split(6)]
    again = ImagePool(5, (1, 2, 2))
    again.load_state_dict(broken.state_dict())
    rest = [again(part, throw) for part in images[30:].split(6)]
    assert torch.equal(torch.cat(first + rest), expected)
