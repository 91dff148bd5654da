"""Run by test_torchrun.py, alone and under torchrun: train on one joint batch a step and write what came out.

python torchrun_worker.py fit|play OUT
"""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from gdmcourse.training import Player, Turn, fit, make_fabric, play

mode, out = sys.argv[1], Path(sys.argv[2])
torch.set_num_threads(1)
fabric = make_fabric(accelerator="cpu")
assert fabric.world_size == int(os.environ.get("WORLD_SIZE", 1))
data = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
torch.manual_seed(fabric.global_rank)  # the processes start from different weights; rank 0's must win
model = nn.Sequential(nn.Linear(4, 16), nn.SiLU(), nn.Linear(16, 4))
noise: list[Tensor] = []


def loss(network: nn.Module, batch: Tensor, generator: torch.Generator) -> Tensor:
    noise.append(torch.randn(3, generator=generator))
    return (network(batch) - batch.flip(1)).square().mean()


def generator_loss(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
    return F.softplus(-nets.critic(nets.generator(batch))).mean()


def critic_loss(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
    nets.seen.rows[:] = batch[0]  # state that differs from process to process
    fake = nets.generator(batch).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(nets.critic(fake).sum(), fake, create_graph=True)
    penalty = (slope.norm(dim=1) - 1).square().mean()  # a gradient of a gradient goes through as well
    return F.softplus(-nets.critic(batch.flip(0))).mean() + F.softplus(nets.critic(fake)).mean() + penalty


def sgd(network: nn.Module) -> torch.optim.Optimizer:
    """Without Adam's division, which makes much of a rounding where a gradient is near 0."""
    return torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)


folder = out / "checkpoint"
grads: dict[str, Tensor] = {}
if mode == "fit":
    result = fit(model, loss, data, steps=9, batch_size=32, clip_norm=0.5, ema_decay=0.9, fabric=fabric,
                 optimizer=sgd(model), checkpoint=folder, log_every=1)  # fmt: skip
    networks = {"model": result.model, "ema": result.ema}
    grads = {f"grad.{name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
else:
    modules = {"generator": model, "critic": nn.Sequential(nn.Linear(4, 16), nn.SiLU(), nn.Linear(16, 1))}
    modules["seen"] = nn.Module()
    modules["seen"].register_buffer("rows", torch.zeros(4))
    players = {
        "critic": Player(loss=critic_loss, optimizer=sgd(modules["critic"]), moves=2),
        "generator": Player(loss=generator_loss, optimizer=sgd(model)),
    }
    result = play(
        modules, players, data, steps=9, batch_size=32, fabric=fabric, checkpoint=folder, log_every=1
    )
    networks = {name: modules[name] for name in players}
    noise.append(modules["seen"].rows)
tensors = {f"{n}.{k}": v.clone() for n, network in networks.items() for k, v in network.state_dict().items()}
tensors |= grads
tensors |= {f"history.{name}": torch.tensor(result.history.values(name)) for name in result.history.names}
if noise:
    tensors["noise"] = torch.stack(noise)
save_file(tensors, out / f"rank-{fabric.global_rank}.safetensors")
