"""A test of membership: against all ways in which the members could have been chosen."""

import itertools
import math
from statistics import fmean, pvariance

import pytest
import torch

from gdmcourse.metrics.copies import nearest_share
from gdmcourse.metrics.membership import closeness, membership
from tests.oracles import normal


@pytest.mark.equation("eq-app-membership")
@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 5), (4, 3)])
def test_the_law_where_nothing_leaks_is_that_of_all_choices(n, m):
    scores = normal(n + m)
    found = []
    for chosen in itertools.combinations(range(n + m), n):
        others = [i for i in range(n + m) if i not in chosen]
        found.append(membership(scores[list(chosen)], scores[others]))
    aucs = [one.auc for one in found]
    assert fmean(aucs) == pytest.approx(0.5)
    assert fmean((auc - 0.5) ** 2 for auc in aucs) == pytest.approx(found[0].deviation ** 2)
    assert found[0].deviations == pytest.approx((aucs[0] - 0.5) / math.sqrt((n + m + 1) / (12 * n * m)))


def test_members_are_above_and_equals_count_half():
    assert membership(torch.tensor([2.0, 3.0]), torch.tensor([1.0])).auc == 1
    assert membership(torch.tensor([1.0]), torch.tensor([1.0, 2.0])).auc == 0.25
    with pytest.raises(ValueError, match="at least one member"):
        membership(torch.zeros(0), torch.zeros(3))


def test_the_closest_record_counts():
    records, released = torch.tensor([[0.0, 0.0], [5.0, 0.0]]), torch.tensor([[3.0, 4.0], [5.0, 1.0]])
    torch.testing.assert_close(closeness(records, released), torch.tensor([-5.0, -1.0]).double())


@pytest.mark.equation("eq-app-nearest")
@pytest.mark.parametrize(("n", "h"), [(3, 2), (1, 4), (4, 3)])
def test_the_nearest_record_is_a_training_one_as_often_as_over_all_choices(n, h):
    records, samples = normal(n + h, 2, seed=1), normal(7, 2, seed=2)
    found = []
    for chosen in itertools.combinations(range(n + h), n):
        others = [i for i in range(n + h) if i not in chosen]
        found.append(nearest_share(samples, records[list(chosen)], records[others]))
    shares = [one.share for one in found]
    assert len(set(shares)) > 1
    assert fmean(shares) == pytest.approx(n / (n + h)) == found[0].expected
    for one in found:
        assert one.deviation**2 == pytest.approx(pvariance(shares))
    assert found[0].deviations == pytest.approx((shares[0] - n / (n + h)) / math.sqrt(pvariance(shares)))


def test_a_memoriser_is_many_deviations_off():
    training, held_out = normal(100, 5, seed=3), normal(50, 5, seed=4)
    assert nearest_share(training[:80] + 0.01, training, held_out).deviations > 5
    assert abs(nearest_share(normal(80, 5, seed=5), training, held_out).deviations) < 3
