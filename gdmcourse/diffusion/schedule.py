"""Noise schedules: how much noise each step of the forward process adds, as tables over the times 0 … T."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Integral

import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from gdmcourse.diffusion.noise_level import NoiseLevel


class ScheduleError(ValueError):
    """A schedule that can't be built, or a time that it doesn't have."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """Tables of a variance-preserving forward process, float32, indexed by time: entry 0 is clean data.

    Build one with `linear_schedule`, `cosine_schedule` or `Schedule.from_betas`. `alpha_bar[t]` is ᾱ_t of the
    text with no shift: `beta[0] == 0`, `alpha_bar[0] == 1`. The tables are worked out in float64.
    Source: equations `def-forward-step` and `eq-forward-marginal` (Ho et al. 2020).
    """

    beta: Float32[Tensor, " times"]  # β_t, the variance that step t adds
    alpha: Float32[Tensor, " times"]  # α_t = 1 − β_t
    alpha_bar: Float32[Tensor, " times"]  # ᾱ_t = α_1 ⋯ α_t
    one_minus_alpha_bar: Float32[Tensor, " times"]  # 1 − ᾱ_t, which float32 would cancel at small t
    log_alpha_bar: Float32[Tensor, " times"]
    log_alpha_bar_rest: Float32[Tensor, " times"]  # what float32 rounds off `log_alpha_bar`; see `between`

    @classmethod
    def from_betas(cls, betas: Float[Tensor, " steps"]) -> "Schedule":
        """Schedule whose step t adds variance `betas[t - 1]`, for t = 1 … T; shape (T,), each in (0, 1).

        Raises `ScheduleError` if there is no step, or naming the first step whose β is outside (0, 1).
        """
        steps = betas.detach().to("cpu", torch.float64)
        if len(steps) == 0:
            raise ScheduleError("a schedule needs at least one step, but no β was given")
        inside = (steps > 0) & (steps < 1)  # also false for NaN
        if not inside.all():
            t = int((~inside).nonzero()[0]) + 1
            raise ScheduleError(
                f"β must lie strictly between 0 and 1, but β_{t} = {steps[t - 1]:.6g} "
                f"at step {t} of {len(steps)}; use more steps or a smaller β"
            )
        beta = torch.cat([steps.new_zeros(1), steps])
        log_alpha_bar = torch.log1p(-beta).cumsum(0)
        rounded = log_alpha_bar.float()
        return cls(
            beta=beta.float(),
            alpha=(1 - beta).float(),
            alpha_bar=log_alpha_bar.exp().float(),
            one_minus_alpha_bar=torch.expm1(log_alpha_bar).abs().float(),
            log_alpha_bar=rounded,
            log_alpha_bar_rest=(log_alpha_bar - rounded.double()).float(),
        )

    @property
    def T(self) -> int:
        """Number of steps; the tables have T + 1 entries."""
        return len(self.beta) - 1

    def to(self, device: torch.device | str) -> "Schedule":
        """Copy of the schedule with its tables on `device`; they stay float32."""
        return Schedule(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    def snr(self, t: int | Int[Tensor, " n"]) -> Float32[Tensor, "..."]:
        """Signal-to-noise ratio ᾱ_t / (1 − ᾱ_t) at times 1 … T, shape of `t`. Source: `def-snr`."""
        return self.log_snr(t).exp()

    def log_snr(self, t: int | Int[Tensor, " n"]) -> Float32[Tensor, "..."]:
        """Natural logarithm of the signal-to-noise ratio at times 1 … T, shape of `t`. Source: `def-snr`."""
        self.check_time(t)
        return self.log_alpha_bar[t] - self.one_minus_alpha_bar[t].log()

    def between(
        self, s: int | Int[Tensor, " n"], t: int | Int[Tensor, " n"]
    ) -> tuple[Float32[Tensor, "..."], Float32[Tensor, "..."]]:
        """Coefficients (ᾱ_t/ᾱ_s, 1 − ᾱ_t/ᾱ_s) of the jump from time s to a later time t, shape of the times.

        Neighbouring times give (α_t, β_t). Raises `ScheduleError` unless 0 ≤ s < t ≤ T.
        Source: `eq-forward-jump`.
        """
        self.check_time(t)
        self.check_time(s, earliest=0)
        self._check_order(s, t)
        # The difference of two neighbours is far smaller than either, so the rounded-off parts matter.
        log_ratio = (self.log_alpha_bar[t] - self.log_alpha_bar[s]) + (
            self.log_alpha_bar_rest[t] - self.log_alpha_bar_rest[s]
        )
        return log_ratio.exp(), torch.expm1(log_ratio).abs()

    def noise_levels(self, times: Sequence[int]) -> list[NoiseLevel]:
        """The noise at each of these times 0 … T, in the float64 in which the schedule was worked out.

        They are fetched at once, so that an accelerator is not asked at every step of a walk.
        """
        index = torch.as_tensor(times, device=self.beta.device)
        self.check_time(index.cpu(), earliest=0)
        table = self.log_alpha_bar[index].double() + self.log_alpha_bar_rest[index].double()
        return [NoiseLevel(int(t), log) for t, log in zip(times, table.tolist(), strict=True)]

    def check_time(self, t: int | Int[Tensor, " n"], earliest: int = 1) -> None:
        """Raise `ScheduleError` if a time is outside `earliest` … T, or no int and no tensor of them.

        Times on an accelerator are not looked at, because the check would make the processor wait for it.
        """
        if not isinstance(t, Integral) and not (
            isinstance(t, Tensor) and t.dtype in (torch.int64, torch.int32)
        ):
            kind = t.dtype if isinstance(t, Tensor) else type(t).__name__
            raise ScheduleError(
                "times are whole numbers, an int for the whole batch, or a tensor with one an image, not "
                f"{kind}: write torch.tensor(…) for a list, round(t) or t.long() for what isn't whole"
            )
        if isinstance(t, Tensor) and (t.device.type != "cpu" or t.numel() == 0):
            return
        low, high = (int(t.min()), int(t.max())) if isinstance(t, Tensor) else (t, t)
        if low < earliest or high > self.T:
            wrong = low if low < earliest else high
            raise ScheduleError(
                f"time {wrong} is outside {earliest} … {self.T}; time 0 is clean data, time 1 the first with "
                "noise, so draw training times with torch.randint(1, T + 1, …)"
            )

    def _check_order(self, s: int | Int[Tensor, " n"], t: int | Int[Tensor, " n"]) -> None:
        on_cpu = all(time.device.type == "cpu" for time in (s, t) if isinstance(time, Tensor))
        if on_cpu and not bool((torch.as_tensor(s) < torch.as_tensor(t)).all()):
            raise ScheduleError(f"the earlier time s must be below t, but s = {s} and t = {t}")


def linear_schedule(T: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> Schedule:
    """β grows in a straight line; its two ends are meant for T = 1000 and scaled by 1000/T for any other T.

    The scaling keeps the sum of the β, and so the order of ᾱ_T, the same. Raises `ScheduleError` if T < 1, or
    naming the first step whose scaled β would reach 1 (T ≤ 20 with the default ends).
    Source: `def-linear-schedule` (Ho et al. 2020).
    """
    _check_steps(T)
    # Drawn from its end to its start, so that a single step gets β_end.
    beta = torch.linspace(beta_end, beta_start, T, dtype=torch.float64).flip(0) * (1000 / T)
    if (beta >= 1).any():
        t = int((beta >= 1).nonzero()[0]) + 1
        raise ScheduleError(
            f"with T = {T} steps the linear schedule would need β_{t} = {beta[t - 1]:.4g} at step {t}, but a "
            f"variance of 1 leaves nothing of the image; use T > {1000 * beta_end:g}, or cosine_schedule"
        )
    return Schedule.from_betas(beta)


def cosine_schedule(T: int = 1000, s: float = 0.008, max_beta: float = 0.999) -> Schedule:
    """ᾱ_t follows a squared cosine from exactly 1 at t = 0 to almost 0 at T; no β is above `max_beta`.

    The offset `s` keeps the first steps from being too small to learn. Raises `ScheduleError` if T < 1, s < 0
    or `max_beta` is outside (0, 1). Source: `def-cosine-schedule` (Nichol and Dhariwal 2021).
    """
    _check_steps(T)
    if s < 0:
        raise ScheduleError(f"the cosine schedule's offset s must be at least 0, but is {s}")
    if not 0 < max_beta < 1:
        raise ScheduleError(f"max_beta must lie strictly between 0 and 1, but is {max_beta}")
    u = torch.arange(T + 1, dtype=torch.float64) / T
    f = torch.cos((u + s) / (1 + s) * torch.pi / 2) ** 2
    return Schedule.from_betas((1 - f[1:] / f[:-1]).clamp(max=max_beta))


def _check_steps(T: int) -> None:
    if T < 1:
        raise ScheduleError(f"a schedule needs at least one step, but T = {T}")
