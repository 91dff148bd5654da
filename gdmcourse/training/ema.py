"""The moving average of a network's weights, which samples better than the weights themselves."""

from copy import deepcopy

import torch
from torch import Tensor, nn


class EMA:
    """Exponential moving average of a model: `.model` is the average, `.update(model)` follows one step.

    After n updates the next one uses the decay min(decay, (1 + n) / (10 + n)), so that the first steps,
    when the weights move fast, are soon forgotten. Parameters are averaged; buffers (running statistics,
    schedules) are copied, since an average of counters means nothing. Raises ValueError for a decay outside
    [0, 1).
    """

    def __init__(self, model: nn.Module, decay: float = 0.9999) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"the EMA's decay must be in [0, 1), not {decay}")
        self.decay = decay
        self.updates = 0
        self.model = deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the weights of `model`, which has the shape of the model averaged."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        averages: list[Tensor] = list(self.model.parameters())
        weights: list[Tensor] = list(model.parameters())
        torch._foreach_lerp_(averages, weights, 1 - decay)  # one kernel for all the weights
        for average, buffer in zip(self.model.buffers(), model.buffers(), strict=True):
            average.copy_(buffer)

    def state_dict(self) -> dict[str, Tensor]:
        """All that a checkpoint needs: the averaged model, and the number of updates as `updates`."""
        return {**self.model.state_dict(), "updates": torch.tensor(self.updates)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` gave; raises RuntimeError when it belongs to another model."""
        self.updates = int(state["updates"])
        self.model.load_state_dict(average_weights(state))


def average_weights(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The averaged model's own part of what `EMA.state_dict` gave."""
    return {name: value for name, value in state.items() if name != "updates"}
