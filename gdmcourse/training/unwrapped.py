"""Networks without what the training loop wraps around them, for second derivatives."""

from types import SimpleNamespace
from typing import Any

from lightning_fabric import is_wrapped
from torch import nn


def unwrapped(networks: SimpleNamespace) -> SimpleNamespace:
    """The same networks, in float32 and not compiled.

    A penalty on a gradient differentiates it once more, which compiled networks can't do and Fabric refuses
    in mixed precision.
    """
    return SimpleNamespace(**{name: _bare(network) for name, network in vars(networks).items()})


def _bare(network: Any) -> nn.Module:
    return _bare(network.module) if is_wrapped(network) else getattr(network, "_orig_mod", network)
