"""`fit`: it learns, it repeats itself, it stops when numbers go bad, and it says what it can't do."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gdmcourse.training import NonFiniteLoss, fit, load_checkpoint, make_fabric

X = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
TRUE = torch.tensor([[1.0], [-2.0], [0.5]])


def regression(model: nn.Module, batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
    return (model(batch[0]) - batch[1]).square().mean()


def noisy(model: nn.Module, batch: Tensor, generator: torch.Generator) -> Tensor:
    return (model(batch + torch.randn(batch.shape, generator=generator)) - batch).square().mean()


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.SiLU(), nn.Dropout(0.5), nn.Linear(8, 3))


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def test_finds_the_least_squares_solution() -> None:
    model = nn.Linear(3, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)  # without AdamW's decay, which would bias it
    result = fit(
        model, regression, (X, X @ TRUE), steps=400, batch_size=50, optimizer=optimizer, ema_decay=0.9
    )
    assert result.model is model
    torch.testing.assert_close(model.weight, TRUE.T, rtol=0, atol=1e-3)
    torch.testing.assert_close(result.ema.weight, TRUE.T, rtol=0, atol=1e-3)
    assert result.best is result.ema
    assert result.history.values("loss")[-1] < 1e-4 < result.history.values("loss")[0]
    assert result.history.steps == list(range(10, 401, 10))
    assert result.seconds > 0


def test_is_the_plain_loop() -> None:
    """Against the loop written out, with plain torch."""
    model, twin = nn.Linear(3, 1), nn.Linear(3, 1)
    twin.load_state_dict(model.state_dict())
    fit(model, regression, (X, X @ TRUE), steps=7, batch_size=len(X), lr=0.1, clip_norm=0.5)
    optimizer = torch.optim.AdamW(twin.parameters(), lr=0.1)
    for _ in range(7):  # a whole pass a batch, so that the order doesn't matter
        optimizer.zero_grad()
        regression(twin, (X, X @ TRUE), torch.Generator()).backward()
        nn.utils.clip_grad_norm_(twin.parameters(), 0.5)
        optimizer.step()
    torch.testing.assert_close(model.weight, twin.weight, rtol=1e-4, atol=1e-6)


def test_same_seed_same_numbers_and_no_trace_in_global_randomness() -> None:
    results = []
    for seed in (0, 0, 1):
        model = network()
        torch.manual_seed(seed * 17 + len(results))  # must not matter
        before = torch.get_rng_state()
        results.append(fit(model, noisy, X, steps=30, batch_size=16, seed=seed))
        assert torch.equal(torch.get_rng_state(), before)
    assert same(results[0].model, results[1].model)
    assert results[0].history == results[1].history
    assert not same(results[0].model, results[2].model)


def test_logging_and_saving_change_nothing(tmp_path: Path) -> None:
    first = fit(network(), noisy, X, steps=30, batch_size=16)
    second = fit(network(), noisy, X, steps=30, batch_size=16, log_every=7, save_every=3, checkpoint=tmp_path)
    assert same(first.model, second.model)
    assert second.history.steps == [7, 14, 21, 28, 30]


def test_the_history_is_the_mean_since_the_last_row() -> None:
    every = fit(network(), noisy, X, steps=20, batch_size=16, log_every=1).history.values("loss")
    fifth = fit(network(), noisy, X, steps=20, batch_size=16, log_every=5).history.values("loss")
    assert fifth == pytest.approx([sum(every[k : k + 5]) / 5 for k in range(0, 20, 5)], rel=1e-12)


def test_the_rate_may_be_a_function_of_the_step() -> None:
    seen = []
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=9.0)

    def rate(step: int) -> float:
        seen.append(step)
        return 0.1 / step

    fit(model, regression, (X, X @ TRUE), steps=5, batch_size=10, lr=rate, optimizer=optimizer)
    assert seen == [1, 2, 3, 4, 5]
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.02)


def test_gradients_are_clipped() -> None:
    model = nn.Linear(3, 1)
    start = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    fit(model, lambda m, b, g: 1e6 * regression(m, b, g), (X, X @ TRUE), steps=1, batch_size=10,
        optimizer=optimizer, clip_norm=0.25)  # fmt: skip
    moved = torch.cat(
        [(a - b).flatten() for a, b in zip(model.parameters(), start.parameters(), strict=True)]
    )
    assert moved.norm().item() == pytest.approx(0.25, rel=1e-4)


def test_trains_in_training_mode_and_returns_in_evaluation_mode() -> None:
    modes = []

    def watch(model: nn.Module, batch: Tensor, generator: torch.Generator) -> Tensor:
        modes.append(model.training)
        return noisy(model, batch, generator)

    model = network().eval()
    fit(model, watch, X, steps=2, batch_size=4)
    assert modes == [True, True]
    assert not model.training


def test_under_bf16_the_loss_is_float32_and_the_network_is_not() -> None:
    kinds = {}

    class Watch(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            y = super().forward(x)
            kinds["inside"] = y.dtype
            return y

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        value = regression(model, batch, generator)
        kinds["loss"] = value.dtype
        return value

    model = Watch(3, 1)
    fit(model, loss, (X, X @ TRUE), steps=3, batch_size=20, fabric=make_fabric(precision="bf16-mixed"))
    assert kinds == {"inside": torch.bfloat16, "loss": torch.float32}
    assert model.weight.dtype == torch.float32


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("step", [1, 13])
def test_a_loss_that_is_no_number_stops_the_run(bad: float, step: int, tmp_path: Path) -> None:
    calls = []

    def loss(model: nn.Module, batch: Tensor, generator: torch.Generator) -> Tensor:
        calls.append(1)
        value = noisy(model, batch, generator)
        return value * bad if len(calls) == step else value

    with pytest.raises(NonFiniteLoss, match=f"loss became {bad} at step {step};") as caught:
        fit(network(), loss, X, steps=40, batch_size=8, log_every=10, save_every=5, checkpoint=tmp_path)
    assert (caught.value.step, caught.value.name) == (step, "loss")
    kept = load_checkpoint(tmp_path)
    if step == 1:
        assert kept is None
        assert caught.value.checkpoint is None
    else:
        assert caught.value.checkpoint == tmp_path
        assert kept is not None
        assert kept.step == 10
        assert all(value.isfinite().all() for value in kept.tensors["model"].values())


def test_weights_that_go_bad_before_the_loss_does_are_not_saved(tmp_path: Path) -> None:
    """The square root's gradient at 0 is infinite though its value is 0."""
    model = nn.Linear(3, 1, bias=False)
    calls = []

    def loss(model: nn.Module, batch: Tensor, generator: torch.Generator) -> Tensor:
        calls.append(1)
        value = model(batch).square().mean()
        return value + (model(batch) * 0).sum().sqrt() if len(calls) == 8 else value

    with pytest.raises(NonFiniteLoss, match="the model became nan at step 8"):
        fit(model, loss, X, steps=20, batch_size=8, save_every=4, checkpoint=tmp_path)
    kept = load_checkpoint(tmp_path)
    assert kept is not None
    assert kept.step == 4


def test_a_finished_run_is_returned_and_a_longer_one_goes_on(tmp_path: Path) -> None:
    whole = fit(network(), noisy, X, steps=20, batch_size=8, ema_decay=0.9)
    fit(network(), noisy, X, steps=10, batch_size=8, ema_decay=0.9, checkpoint=tmp_path)
    again = fit(network(), noisy, X, steps=10, batch_size=8, ema_decay=0.9, checkpoint=tmp_path)
    longer = fit(network(), noisy, X, steps=20, batch_size=8, ema_decay=0.9, checkpoint=tmp_path)
    assert again.history.steps == [10]
    assert same(longer.model, whole.model)
    assert same(longer.ema, whole.ema)
    assert longer.history == whole.history


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed 0, not 1"),
        ({"batch_size": 4}, "batch_size 8, not 4"),
        ({"lr": 0.5}, "lr None, not 0.5"),
        ({"clip_norm": 1.0}, "clip_norm None, not 1.0"),
        ({"ema_decay": 0.9}, "ema_decay None, not 0.9"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(change: dict, message: str, tmp_path: Path) -> None:
    fit(network(), noisy, X, steps=3, batch_size=8, checkpoint=tmp_path)
    model = network()
    before = torch.get_rng_state()
    with pytest.raises(ValueError, match=message):
        fit(model, noisy, X, **({"steps": 3, "batch_size": 8, "checkpoint": tmp_path} | change))
    assert torch.equal(before, torch.get_rng_state())  # a refusal leaves no trace in the global randomness
    with pytest.raises(ValueError, match="examples 200, not 100"):
        fit(network(), noisy, X[:100], steps=3, batch_size=8, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="another model"):
        fit(nn.Linear(3, 3), noisy, X, steps=3, batch_size=8, checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": -1}, "steps must be"),
        ({"log_every": 0}, "log_every"),
        ({"save_every": 0}, "save_every"),
        ({"ema_decay": 1.5}, "decay"),
        ({"lr": 0.1, "optimizer": torch.optim.SGD([torch.zeros(1)], 0.1)}, "learning rate"),
    ],
)
def test_refuses_what_makes_no_sense(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(network(), noisy, X, **({"steps": 3, "batch_size": 8} | options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"devices": 0}, "at least 1"),
        ({"precision": "16-mixed"}, "isn't one of 32-true, bf16-mixed"),
        ({"nodes": 2}, "torchrun"),
    ],
)
def test_refuses_a_machine_that_cannot_be(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_fabric(**options)


def test_the_bar_shows_only_when_somebody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    fit(network(), noisy, X, steps=3, batch_size=8)
    assert capsys.readouterr().err == ""
    fit(network(), noisy, X, steps=3, batch_size=8, progress=True)
    assert "/3 [" in capsys.readouterr().err
