"""Schedules: tables without a shift, exact to float32, equal to diffusers', refused where they can't be."""

import math

import pytest
import torch
from diffusers import DDPMScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from gdmcourse.diffusion import Schedule, ScheduleError, cosine_schedule, linear_schedule

MAKERS = {"linear": linear_schedule, "squaredcos_cap_v2": cosine_schedule}
betas = st.lists(st.floats(1e-6, 0.9), min_size=1, max_size=60)


def exact_alpha_bar(beta: list[float]) -> list[float]:
    """ᾱ_0 … ᾱ_T one factor at a time, in Python's double precision."""
    kept = [1.0]
    for b in beta:
        kept.append(kept[-1] * (1 - b))
    return kept


@pytest.mark.parametrize("make", MAKERS.values())
@pytest.mark.parametrize("T", [25, 100, 500, 1000, 1500])
def test_tables_start_with_clean_data_and_have_one_entry_for_each_time(make, T):
    schedule = make(T)
    assert schedule.T == T
    for table in (schedule.beta, schedule.alpha, schedule.alpha_bar, schedule.one_minus_alpha_bar):
        assert table.shape == (T + 1,)
        assert table.dtype == torch.float32
    assert schedule.alpha_bar[0] == 1
    assert schedule.beta[0] == schedule.one_minus_alpha_bar[0] == 0
    assert (schedule.alpha_bar.diff() < 0).all()
    assert (schedule.one_minus_alpha_bar.diff() >= 0).all()
    assert schedule.alpha_bar[-1] < 1e-4, "the process must end close to pure noise"


@settings(max_examples=60, deadline=None)
@given(betas)
def test_tables_agree_with_the_product_in_double_precision(beta):
    schedule = Schedule.from_betas(torch.tensor(beta, dtype=torch.float64))
    exact = torch.tensor(exact_alpha_bar(beta), dtype=torch.float64)
    torch.testing.assert_close(schedule.alpha_bar.double(), exact, rtol=1e-6, atol=1e-40)
    torch.testing.assert_close(
        schedule.one_minus_alpha_bar.double()[1:], (1 - exact)[1:], rtol=1e-6, atol=1e-15
    )
    torch.testing.assert_close(schedule.alpha + schedule.beta, torch.ones(len(beta) + 1))


def test_small_noise_levels_keep_their_digits():
    """1 − ᾱ_1 is 1e-4; taken from the float32 table of ᾱ it is wrong in the fourth digit."""
    schedule = linear_schedule(1000)
    assert float(schedule.one_minus_alpha_bar[1]) == pytest.approx(1e-4, rel=1e-7)
    assert abs(float(1 - schedule.alpha_bar[1]) / 1e-4 - 1) > 1e-5


@pytest.mark.parametrize("name", MAKERS)
def test_agrees_with_diffusers(name):
    ours = MAKERS[name](1000)
    theirs = DDPMScheduler(num_train_timesteps=1000, beta_schedule=name, beta_start=1e-4, beta_end=0.02)
    torch.testing.assert_close(ours.beta[1:], theirs.betas, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(ours.alpha_bar[1:], theirs.alphas_cumprod, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("T", [100, 500, 1500])
def test_cosine_agrees_with_diffusers_for_other_lengths(T):
    theirs = DDPMScheduler(num_train_timesteps=T, beta_schedule="squaredcos_cap_v2")
    torch.testing.assert_close(cosine_schedule(T).alpha_bar[1:], theirs.alphas_cumprod, rtol=1e-4, atol=1e-9)


@pytest.mark.equation("eq-linear-total")
@pytest.mark.parametrize("T", [21, 50, 100, 500, 1000, 1500, 4000])
def test_linear_schedule_spends_the_same_total_for_every_length(T):
    schedule = linear_schedule(T)
    assert float(schedule.beta.double().sum()) == pytest.approx(10.05, rel=1e-6)
    assert schedule.alpha_bar[-1] < math.exp(-10.05)
    assert float(schedule.beta[1] * T) == pytest.approx(0.1, rel=1e-6)
    assert float(schedule.beta[T] * T) == pytest.approx(20, rel=1e-6)


@pytest.mark.parametrize(("T", "step"), [(1, 1), (2, 2), (10, 6), (20, 20)])
def test_linear_schedule_is_refused_where_a_beta_would_reach_one(T, step):
    with pytest.raises(ScheduleError, match=rf"T = {T} steps .*β_{step} = .* at step {step}"):
        linear_schedule(T)


@pytest.mark.parametrize("make", MAKERS.values())
@pytest.mark.parametrize("T", [0, -3])
def test_a_schedule_needs_a_step(make, T):
    with pytest.raises(ScheduleError, match=f"T = {T}"):
        make(T)


def test_an_empty_list_of_betas_is_refused():
    with pytest.raises(ScheduleError, match="at least one step"):
        Schedule.from_betas(torch.tensor([]))


@pytest.mark.parametrize("bad", [0.0, 1.0, -0.1, 1.5, math.nan, math.inf])
def test_a_beta_outside_its_range_is_named_by_step(bad):
    with pytest.raises(ScheduleError, match=r"β_3 = .* at step 3 of 4"):
        Schedule.from_betas(torch.tensor([0.1, 0.2, bad, 0.4]))


def test_the_cosine_schedule_checks_its_own_arguments():
    with pytest.raises(ScheduleError, match="offset s"):
        cosine_schedule(10, s=-0.1)
    with pytest.raises(ScheduleError, match="max_beta"):
        cosine_schedule(10, max_beta=1.0)


@pytest.mark.parametrize("T", [1, 2, 10, 1000])
def test_cosine_betas_are_capped(T):
    schedule = cosine_schedule(T)
    assert schedule.beta.max() <= 0.999
    assert schedule.beta[T] == pytest.approx(0.999), "the cosine ends at 0, so the last step is always capped"


@pytest.mark.equation("eq-cosine-product")
def test_cosine_is_a_squared_cosine_until_the_cap():
    schedule = cosine_schedule(1000)
    for t in (0, 1, 250, 500, 998):
        f = [math.cos((u / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for u in (t, 0)]
        assert float(schedule.alpha_bar[t]) == pytest.approx(f[0] / f[1], rel=1e-6)


@pytest.mark.parametrize("t", [0, -1, 11])
def test_times_outside_the_process_are_refused(t):
    schedule = cosine_schedule(10)
    for time in (t, torch.tensor([5, t])):
        with pytest.raises(ScheduleError, match=rf"time {t} is outside 1 … 10.*randint\(1, T \+ 1"):
            schedule.snr(time)


@pytest.mark.parametrize(("s", "t"), [(5, 5), (6, 5), (-1, 3), (3, 11), (0, 0)])
def test_a_jump_must_go_forward_in_time(s, t):
    schedule = cosine_schedule(10)
    with pytest.raises(ScheduleError):
        schedule.between(s, t)
    with pytest.raises(ScheduleError):
        schedule.between(torch.tensor([1, s]), torch.tensor([2, t]))


@pytest.mark.parametrize("make", MAKERS.values())
def test_a_jump_of_one_step_is_that_step(make):
    schedule = make(1000)
    kept, added = schedule.between(torch.arange(1000), torch.arange(1, 1001))
    torch.testing.assert_close(kept, schedule.alpha[1:], rtol=1e-6, atol=0)
    torch.testing.assert_close(added, schedule.beta[1:], rtol=1e-6, atol=0)


@pytest.mark.equation("eq-forward-jump")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1e-6, 0.9), min_size=2, max_size=40), st.data())
def test_jumps_compose(beta, data):
    """r → s → t keeps what both jumps keep, which is the exact product of the steps between."""
    schedule = Schedule.from_betas(torch.tensor(beta, dtype=torch.float64))
    r, s, t = sorted(data.draw(st.lists(st.integers(0, len(beta)), min_size=3, max_size=3, unique=True)))
    (kept_rs, added_rs), (kept_st, added_st) = schedule.between(r, s), schedule.between(s, t)
    kept, added = schedule.between(r, t)
    exact = math.prod(1 - b for b in beta[r:t])
    assert float(kept) == pytest.approx(exact, rel=1e-5)
    assert float(kept_rs * kept_st) == pytest.approx(exact, rel=1e-5)
    assert float(added_rs * kept_st + added_st) == pytest.approx(float(added), rel=1e-5)


@pytest.mark.equation("eq-snr-falls")
@settings(max_examples=60, deadline=None)
@given(betas)
def test_signal_to_noise_falls_with_time(beta):
    schedule = Schedule.from_betas(torch.tensor(beta, dtype=torch.float64))
    times = torch.arange(1, len(beta) + 1)
    exact = torch.tensor(exact_alpha_bar(beta), dtype=torch.float64)[1:]
    torch.testing.assert_close(schedule.snr(times).double(), exact / (1 - exact), rtol=2e-5, atol=0)
    torch.testing.assert_close(schedule.log_snr(times), schedule.snr(times).log(), rtol=1e-5, atol=1e-5)
    assert (schedule.log_snr(times).diff() < 0).all()


def test_moving_a_schedule_keeps_float32():
    moved = linear_schedule(1000).to("meta")
    assert moved.T == 1000
    assert moved.alpha_bar.device.type == moved.log_alpha_bar_rest.device.type == "meta"
    assert moved.alpha_bar.dtype == torch.float32


@pytest.mark.slip(16)
def test_the_cosine_without_its_normaliser_does_not_start_clean():
    """Source 004 prints ᾱ_i = cos²(…) without dividing by the value at 0."""
    printed_at_0 = math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    assert 1 - printed_at_0 == pytest.approx(1.5544e-4, rel=1e-3)
    schedule = cosine_schedule(1000)
    assert schedule.alpha_bar[0] == 1
    # Without the normaliser "time 0" already holds almost four times the noise variance of our first step.
    assert (1 - printed_at_0) / float(schedule.one_minus_alpha_bar[1]) == pytest.approx(3.76, rel=0.01)


@pytest.mark.slip(19)
def test_a_table_that_counts_from_zero_has_no_entry_for_the_sampler_s_first_step():
    """Source 004 makes β_i for i = 0 … T − 1 and samples through "steps T to 1"."""
    T = 1000
    f = torch.cos((torch.arange(T) / T + 0.008) / 1.008 * math.pi / 2) ** 2
    printed = torch.cumprod(1 - (1 - f / torch.cat([torch.ones(1), f[:-1]])).clamp(max=0.999), 0)
    with pytest.raises(IndexError):
        printed[T]
    # Read as times 1 … T instead, the last image keeps a thousand times the signal of ours.
    ours = cosine_schedule(T)
    assert float(printed[T - 1] / ours.alpha_bar[T]) == pytest.approx(1000, rel=0.01)
