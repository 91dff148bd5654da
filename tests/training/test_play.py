"""`play`: the players alternate, each moves alone, state of one's own is kept, and a stopped game goes on."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdmcourse.training import Played, Player, Turn, load_weights, play
from gdmcourse.training.run import NonFiniteLoss

X = torch.randn(100, 2, generator=torch.Generator().manual_seed(0)) + 3


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(2, 16), nn.SiLU(), nn.Linear(16, 1))
    return {"generator": nn.Linear(2, 2), "critic": critic}


def fake(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
    return nets.generator(torch.randn(batch.shape, generator=turn.rng))


def generator_loss(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
    return F.softplus(-nets.critic(fake(nets, batch, turn))).mean()


def critic_loss(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
    fakes = fake(nets, batch, turn).detach()
    return F.softplus(-nets.critic(batch)).mean() + F.softplus(nets.critic(fakes)).mean()


def players(critic: dict[str, object] | None = None, **generator: object) -> dict[str, Player]:
    return {
        "critic": Player(**{"loss": critic_loss} | (critic or {})),
        "generator": Player(**{"loss": generator_loss} | generator),
    }


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def test_the_generator_finds_the_data() -> None:
    fast = {"lr": 5e-3, "betas": (0.5, 0.999)}
    played = play(
        networks(),
        players({"loss": critic_loss, **fast}, ema_decay=0.99, **fast),
        X,
        steps=600,
        batch_size=50,
    )
    with torch.no_grad():
        samples = played.best("generator")(torch.randn(2000, 2, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(samples.mean(0), X.mean(0), rtol=0, atol=0.5)
    assert played.history.names == ["critic", "generator"]
    assert set(played.averages) == {"generator"}


def test_players_move_in_their_order_and_the_one_that_moves_less_sees_the_last_batch() -> None:
    moves: list[tuple[str, bytes, int]] = []

    def watch(name: str, loss: object) -> object:
        def watched(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
            mover, waiter = (nets.generator, nets.critic) if name == "G" else (nets.critic, nets.generator)
            assert all(p.requires_grad for p in mover.parameters())
            assert not any(p.requires_grad for p in waiter.parameters())
            moves.append((name, batch.numpy().tobytes(), turn.step))
            return loss(nets, batch, turn)

        return watched

    game, ended = networks(), []
    watched = players({"loss": watch("C", critic_loss), "moves": 3}, loss=watch("G", generator_loss))
    play(game, watched, X, steps=2, batch_size=10, after_step=ended.append)
    assert [(name, step) for name, _, step in moves] == [
        (name, step) for step in (1, 2) for name in ("C", "C", "C", "G")
    ]
    batches = [batch for name, batch, _ in moves if name == "C"]
    assert len(set(batches)) == 6
    assert [batch for name, batch, _ in moves if name == "G"] == [batches[2], batches[5]]
    assert all(p.requires_grad for network in game.values() for p in network.parameters())
    assert ended == [1, 2]


def test_only_the_mover_moves() -> None:
    """Weights of the waiting player stay though the loss depends on them."""
    game = networks()
    before = [p.detach().clone() for p in game["generator"].parameters()]

    def leaky(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
        return nets.critic(batch).mean() - nets.critic(fake(nets, batch, turn)).mean()  # forgot to detach

    still = Player(
        loss=lambda *told: 0 * generator_loss(*told),
        optimizer=torch.optim.SGD(game["generator"].parameters(), 0.1),
    )
    play(game, {"critic": Player(loss=leaky), "generator": still}, X, steps=3, batch_size=10)
    assert all(torch.equal(a, b) for a, b in zip(before, game["generator"].parameters(), strict=True))


def test_a_gradient_penalty_goes_through_at_the_steps_that_have_one() -> None:
    penalised: list[int] = []

    def lazy(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
        value = critic_loss(nets, batch, turn)
        if turn.step % 2:
            return value
        penalised.append(turn.step)
        between = ((batch + fake(nets, batch, turn).detach()) / 2).requires_grad_(True)
        (slope,) = torch.autograd.grad(nets.critic(between).sum(), between, create_graph=True)
        return value + 2 * (slope.norm(dim=1) - 1).square().mean()

    play(networks(), players({"loss": lazy}), X, steps=4, batch_size=10)
    assert penalised == [2, 4]


def test_weights_are_clipped_after_each_update_of_their_player() -> None:
    def clip(critic: nn.Module) -> None:
        for parameter in critic.parameters():
            parameter.clamp_(-0.01, 0.01)

    def small(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
        if turn.step > 1:
            assert max(p.abs().max() for p in nets.critic.parameters()) <= 0.01
        return critic_loss(nets, batch, turn)

    game = networks()
    play(game, players({"loss": small, "after_move": clip, "moves": 2}), X, steps=3, batch_size=10)
    assert all(p.abs().max() <= 0.01 for p in game["critic"].parameters())
    assert any(p.abs().max() > 0.01 for p in game["generator"].parameters())


def test_each_player_has_a_rate_and_a_clip_of_its_own() -> None:
    game = networks()
    before = {name: [p.detach().clone() for p in network.parameters()] for name, network in game.items()}
    sgd = {name: torch.optim.SGD(network.parameters(), 1.0) for name, network in game.items()}
    rates = []

    def rate(step: int) -> float:
        rates.append(step)
        return 0.5

    def huge(*told: object) -> Tensor:
        return 1e6 * critic_loss(*told)

    both = players(
        {"loss": huge, "optimizer": sgd["critic"], "clip_norm": 0.25},
        optimizer=sgd["generator"],
        lr=rate,
    )
    play(game, both, X, steps=1, batch_size=10)
    moved = [(a - b).flatten() for a, b in zip(game["critic"].parameters(), before["critic"], strict=True)]
    assert torch.cat(moved).norm().item() == pytest.approx(0.25, rel=1e-4)
    assert rates == [1]
    assert sgd["generator"].param_groups[0]["lr"] == 0.5


class Pool(nn.Module):
    """State of the caller's own: old fakes, and a strength that follows what the critic says."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(30, 2))
        self.register_buffer("strength", torch.tensor(0.0))

    def swap(self, fakes: Tensor, rng: torch.Generator) -> Tensor:
        where = torch.randint(len(self.images), (len(fakes),), generator=rng)
        old = self.images[where].clone()
        self.images[where] = fakes
        return old


def with_pool(steps: int, folder: Path | None) -> Played:
    """A game whose losses depend on all that a checkpoint has to hold."""
    game = {**networks(), "pool": Pool()}

    def critic(nets: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
        old = nets.pool.swap(fake(nets, batch, turn).detach(), turn.rng)
        noise = nets.pool.strength * torch.randn(old.shape, generator=turn.rng)
        real = nets.critic(batch)
        nets.pool.strength += 0.1 * real.detach().sign().mean()
        return F.softplus(-real).mean() + F.softplus(nets.critic(old + noise)).mean()

    def after_step(step: int) -> None:
        game["pool"].strength *= 0.9

    return play(
        game,
        players({"loss": critic, "moves": 2}, ema_decay=0.9),
        X,
        steps=steps,
        batch_size=30,
        checkpoint=folder,
        after_step=after_step,
    )


def test_goes_on_where_it_stopped_to_the_bit(tmp_path: Path) -> None:
    whole = with_pool(40, None)
    with_pool(20, tmp_path)
    resumed = with_pool(40, tmp_path)
    assert set(whole.modules) == {"generator", "critic", "pool"}
    for name, module in whole.modules.items():
        assert same(module, resumed.modules[name])
    assert same(whole.averages["generator"], resumed.averages["generator"])
    assert whole.history == resumed.history
    assert whole.modules["pool"].strength != 0
    average = load_weights(tmp_path, nn.Linear(2, 2), "generator")
    assert same(average, whole.averages["generator"])
    weights = load_weights(tmp_path, nn.Linear(2, 2), "generator", average=False)
    assert same(weights, whole.modules["generator"])


def test_names_the_loss_that_went_bad() -> None:
    def bad(*told: object) -> Tensor:
        return generator_loss(*told) / 0

    with pytest.raises(NonFiniteLoss, match="generator became inf at step 1"):
        play(networks(), players(loss=bad), X, steps=5, batch_size=10)


def test_a_checkpoint_of_other_players_is_refused(tmp_path: Path) -> None:
    play(networks(), players(), X, steps=2, batch_size=10, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"critic\.moves 1, not 2"):
        play(networks(), players({"moves": 2}), X, steps=2, batch_size=10, checkpoint=tmp_path)


def test_refuses_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="at least 1 move"):
        Player(loss=critic_loss, moves=0)
    with pytest.raises(ValueError, match="clip_norm"):
        Player(loss=critic_loss, clip_norm=-1.0)
    with pytest.raises(ValueError, match="each player needs a module"):
        play(networks(), {"critics": Player(loss=critic_loss)}, X, steps=5, batch_size=10)
