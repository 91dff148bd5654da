"""The noise in front of a critic, with a number of steps T that follows how sure the critic is."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gdmcourse.diffusion.per_image import per_image
from gdmcourse.hybrid.diffusion_gan import check_kind, check_sigma, rebuilt_schedule, time_weights


class Diffusion(nn.Module):
    """Shows each example behind the noise of a random time of 1 … T, and adapts T (`def-dg-adaptive`).

    `observe` takes the critic's logits of noised real examples; after `every` calls T moves by `step`, up
    where the mean of their signs is above `target` and down where it is below, within [low, high], and the
    schedule and the weights π are made anew. T, the tables and the count are buffers, so checkpoints hold
    them; the tables have high + 1 entries, of which those beyond T are never drawn. Raises ValueError for
    σ ≤ 0, unknown weights, and unless 1 ≤ low ≤ high.
    """

    T: Tensor
    signal: Tensor  # √ᾱ_t
    spread: Tensor  # σ √(1 − ᾱ_t)
    weights: Tensor  # π_t
    signs: Tensor  # of the real logits since T was last looked at: their sum
    seen: Tensor  # and how many there were
    calls: Tensor

    def __init__(
        self,
        *,
        sigma: float = 0.05,
        kind: str = "priority",
        low: int = 8,
        high: int = 500,
        step: int = 2,
        every: int = 4,
        target: float = 0.6,
    ) -> None:
        super().__init__()
        check_sigma(sigma)
        check_kind(kind)
        if not 1 <= low <= high:
            raise ValueError(f"T moves between low and high, with 1 ≤ low ≤ high, not {low} and {high}")
        if step < 1 or every < 1:
            raise ValueError(f"T moves by at least 1 after at least 1 call, not by {step} after {every}")
        self.sigma, self.kind, self.low, self.high = sigma, kind, low, high
        self.step, self.every, self.target = step, every, target
        for name, table in {"T": torch.tensor(low), "calls": torch.tensor(0)}.items():
            self.register_buffer(name, table)
        for name in ("signs", "seen"):
            self.register_buffer(name, torch.zeros(()))
        for name in ("signal", "spread", "weights"):
            self.register_buffer(name, torch.zeros(high + 1))
        self.rebuild(low)

    def rebuild(self, T: int) -> None:
        """Make schedule and weights anew for T steps. Raises ValueError for a T outside [low, high]."""
        if not self.low <= T <= self.high:
            raise ValueError(f"T must stay between {self.low} and {self.high}, not {T}")
        with torch.device("cpu"):  # where there are numbers, whatever device the buffers are made on
            schedule, weights = rebuilt_schedule(T), time_weights(T, self.kind)
        self.T.fill_(T)
        self.signal[: T + 1] = schedule.alpha_bar.sqrt()
        self.spread[: T + 1] = self.sigma * schedule.one_minus_alpha_bar.sqrt()
        self.weights.zero_()[: T + 1] = weights

    @torch.no_grad()
    def observe(self, real: Float[Tensor, " n"]) -> None:
        """Count the signs of the logits of real examples, and move T when it is time."""
        self.signs += real.sign().sum()
        self.seen += len(real)
        self.calls += 1
        if int(self.calls) < self.every:
            return
        way = int(torch.sign(self.signs / self.seen - self.target))
        self.rebuild(min(self.high, max(self.low, int(self.T) + way * self.step)))
        for state in (self.signs, self.seen, self.calls):
            state.zero_()

    def forward(
        self, x: Float[Tensor, " n *shape"], rng: torch.Generator
    ) -> tuple[Float[Tensor, " n *shape"], Int64[Tensor, " n"]]:
        """The examples behind noise, and the time of each."""
        t = torch.multinomial(self.weights, len(x), replacement=True, generator=rng)
        noise = torch.randn(x.shape, generator=rng, device=x.device, dtype=x.dtype)
        return per_image(self.signal[t], x) * x + per_image(self.spread[t], x) * noise, t
