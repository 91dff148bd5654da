"""`fit_game`: the players alternate, each moves alone, and a stopped game goes on."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdmcourse.training import NonFiniteLoss, fit_game, load_weights

X = torch.randn(100, 2, generator=torch.Generator().manual_seed(0)) + 3


def players() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 16), nn.SiLU(), nn.Linear(16, 1))


def fake(generator: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
    return generator(torch.randn(batch.shape, generator=rng))


def generator_loss(generator: nn.Module, critic: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
    return F.softplus(-critic(fake(generator, batch, rng))).mean()


def critic_loss(generator: nn.Module, critic: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
    fakes = fake(generator, batch, rng).detach()
    return F.softplus(-critic(batch)).mean() + F.softplus(critic(fakes)).mean()


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def test_the_generator_finds_the_data() -> None:
    generator, critic = players()
    result = fit_game(generator, critic, generator_loss, critic_loss, X, steps=600, batch_size=50, lr=5e-3,
                      ema_decay=0.99)  # fmt: skip
    with torch.no_grad():
        samples = result.best(torch.randn(2000, 2, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(samples.mean(0), X.mean(0), rtol=0, atol=0.5)
    assert result.history.names == ["generator", "critic"]


def test_a_step_is_n_critic_moves_then_one_of_the_generator() -> None:
    generator, critic = players()
    moves: list[tuple[str, bytes]] = []

    def watch(name: str, loss: object) -> object:
        def watched(g: nn.Module, c: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
            mover, waiter = (g, c) if name == "G" else (c, g)
            assert all(p.requires_grad for p in mover.parameters())
            assert not any(p.requires_grad for p in waiter.parameters())
            moves.append((name, batch.numpy().tobytes()))
            return loss(g, c, batch, rng)

        return watched

    losses = watch("G", generator_loss), watch("C", critic_loss)
    fit_game(generator, critic, *losses, X, steps=2, batch_size=10, n_critic=3)
    assert [name for name, _ in moves] == ["C", "C", "C", "G"] * 2
    batches = [batch for name, batch in moves if name == "C"]
    assert len(set(batches)) == 6
    assert [batch for name, batch in moves if name == "G"] == [batches[2], batches[5]]
    assert all(p.requires_grad for p in [*generator.parameters(), *critic.parameters()])


def test_only_the_mover_moves() -> None:
    """Weights of the waiting player stay though the loss depends on them."""
    generator, critic = players()
    before = [p.detach().clone() for p in generator.parameters()]

    def still(g: nn.Module, c: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
        return 0 * generator_loss(g, c, batch, rng)

    def leaky(g: nn.Module, c: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
        return c(batch).mean() - c(fake(g, batch, rng)).mean()  # forgot to detach

    optimizers = (torch.optim.SGD(generator.parameters(), 0.1), torch.optim.SGD(critic.parameters(), 0.1))
    fit_game(generator, critic, still, leaky, X, steps=3, batch_size=10, optimizers=optimizers)
    assert all(torch.equal(a, b) for a, b in zip(before, generator.parameters(), strict=True))


def test_a_gradient_penalty_goes_through() -> None:
    def penalised(g: nn.Module, c: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
        between = ((batch + fake(g, batch, rng).detach()) / 2).requires_grad_(True)
        (slope,) = torch.autograd.grad(c(between).sum(), between, create_graph=True)
        return critic_loss(g, c, batch, rng) + (slope.norm(dim=1) - 1).square().mean()

    generator, critic = players()
    fit_game(generator, critic, generator_loss, penalised, X, steps=3, batch_size=10)


def test_goes_on_where_it_stopped_to_the_bit(tmp_path: Path) -> None:
    def play(steps: int, folder: Path | None) -> tuple[nn.Module, nn.Module, nn.Module, object]:
        result = fit_game(*players(), generator_loss, critic_loss, X, steps=steps, batch_size=30, n_critic=2,
                          ema_decay=0.9, checkpoint=folder)  # fmt: skip
        return result.generator, result.critic, result.ema, result.history

    whole = play(40, None)
    play(20, tmp_path)
    resumed = play(40, tmp_path)
    assert all(same(a, b) for a, b in zip(whole[:3], resumed[:3], strict=True))
    assert whole[3] == resumed[3]
    assert same(load_weights(tmp_path, nn.Linear(2, 2)), whole[2])
    assert same(load_weights(tmp_path, nn.Linear(2, 2), "generator"), whole[0])


def test_names_the_loss_that_went_bad() -> None:
    def bad(g: nn.Module, c: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
        return generator_loss(g, c, batch, rng) / 0

    with pytest.raises(NonFiniteLoss, match="generator became inf at step 1"):
        fit_game(*players(), bad, critic_loss, X, steps=5, batch_size=10)


def test_refuses_a_game_without_critic_moves() -> None:
    with pytest.raises(ValueError, match="n_critic"):
        fit_game(*players(), generator_loss, critic_loss, X, steps=5, batch_size=10, n_critic=0)
