"""Run by test_torchrun.py, alone and under torchrun: train on one joint batch a step and write what came out.

python torchrun_worker.py OUT

Each training is done twice, so that the second finds itself complete: OUT/MODE-TIME-rank-R.safetensors.
"""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from gdmcourse.training import Player, Turn, fit, make_fabric, play

torch.set_num_threads(1)
fabric = make_fabric(accelerator="cpu")
assert fabric.world_size == int(os.environ.get("WORLD_SIZE", 1))


def network() -> nn.Module:
    """The processes start from different weights; rank 0's must win."""
    torch.manual_seed(fabric.global_rank)
    return nn.Sequential(nn.Linear(4, 16), nn.SiLU(), nn.Linear(16, 4))


def sgd(network: nn.Module) -> torch.optim.Optimizer:
    """Without Adam's division, which makes much of a rounding where a gradient is near 0."""
    return torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)


def fitted(data: Tensor, folder: Path) -> tuple[Any, dict[str, nn.Module], dict[str, Tensor]]:
    """What `fit` gives, its networks, and the last gradients with the noise that the process drew."""
    model, noise = network(), list[Tensor]()

    def loss(network: nn.Module, batch: Tensor, generator: torch.Generator) -> Tensor:
        noise.append(torch.randn(3, generator=generator))
        return (network(batch) - batch.flip(1)).square().mean()

    result = fit(model, loss, data, steps=9, batch_size=32, clip_norm=0.5, ema_decay=0.9, fabric=fabric,
                 optimizer=sgd(model), checkpoint=folder, log_every=1)  # fmt: skip
    more = {f"grad.{name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
    if noise:
        more["noise"] = torch.stack(noise)
    return result, {"model": result.model, "ema": result.ema}, more


def generator_loss(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
    return F.softplus(-nets.critic(nets.generator(batch))).mean()


def critic_loss(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
    nets.seen.rows[:] = batch[0]  # state that differs from process to process
    fake = nets.generator(batch).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(nets.critic(fake).sum(), fake, create_graph=True)
    penalty = (slope.norm(dim=1) - 1).square().mean()  # a gradient of a gradient goes through as well
    return F.softplus(-nets.critic(batch.flip(0))).mean() + F.softplus(nets.critic(fake)).mean() + penalty


def played(data: Tensor, folder: Path) -> tuple[Any, dict[str, nn.Module], dict[str, Tensor]]:
    """What `play` gives, its networks, and the state that a process has of its own."""
    modules = {
        "generator": network(),
        "critic": nn.Sequential(nn.Linear(4, 16), nn.SiLU(), nn.Linear(16, 1)),
        "seen": nn.Module(),
    }
    modules["seen"].register_buffer("rows", torch.zeros(4))
    players = {
        "critic": Player(loss=critic_loss, optimizer=sgd(modules["critic"]), moves=2),
        "generator": Player(loss=generator_loss, optimizer=sgd(modules["generator"])),
    }
    result = play(
        modules, players, data, steps=9, batch_size=32, fabric=fabric, checkpoint=folder, log_every=1
    )
    return result, {name: modules[name] for name in players}, {"noise": modules["seen"].rows}


def main(out: Path) -> None:
    data = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    for mode, train in (("fit", fitted), ("play", played)):
        for time in ("first", "again"):
            result, networks, tensors = train(data, out / f"{mode}-checkpoint")
            for name, trained in networks.items():
                tensors |= {f"{name}.{key}": value.clone() for key, value in trained.state_dict().items()}
            for name in result.history.names:
                tensors[f"history.{name}"] = torch.tensor(result.history.values(name))
            save_file(tensors, out / f"{mode}-{time}-rank-{fabric.global_rank}.safetensors")


main(Path(sys.argv[1]))
