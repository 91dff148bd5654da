"""Run by test_torchrun.py, alone and under torchrun: train on one joint batch a step and write what came out.

python torchrun_worker.py fit|game OUT
"""

import os
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from gdmcourse.training import fit, fit_game, make_fabric

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


def generator_loss(g: nn.Module, c: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
    return F.softplus(-c(g(batch))).mean()


def critic_loss(g: nn.Module, c: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
    fake = g(batch).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(c(fake).sum(), fake, create_graph=True)
    penalty = (slope.norm(dim=1) - 1).square().mean()  # a gradient of a gradient goes through as well
    return F.softplus(-c(batch.flip(0))).mean() + F.softplus(c(fake)).mean() + penalty


folder = out / "checkpoint"
grads: dict[str, Tensor] = {}
if mode == "fit":
    result = fit(model, loss, data, steps=9, batch_size=32, clip_norm=0.5, ema_decay=0.9, fabric=fabric,
                 checkpoint=folder, log_every=1)  # fmt: skip
    networks = {"model": result.model, "ema": result.ema}
    grads = {f"grad.{name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
else:
    critic = nn.Sequential(nn.Linear(4, 16), nn.SiLU(), nn.Linear(16, 1))
    result = fit_game(model, critic, generator_loss, critic_loss, data, steps=9, batch_size=32, n_critic=2,
                      lr=1e-2, fabric=fabric, checkpoint=folder, log_every=1)  # fmt: skip
    networks = {"generator": result.generator, "critic": result.critic}
tensors = {f"{n}.{k}": v.clone() for n, network in networks.items() for k, v in network.state_dict().items()}
tensors |= grads
tensors |= {f"history.{name}": torch.tensor(result.history.values(name)) for name in result.history.names}
if noise:
    tensors["noise"] = torch.stack(noise)
save_file(tensors, out / f"rank-{fabric.global_rank}.safetensors")
