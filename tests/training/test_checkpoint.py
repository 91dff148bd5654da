"""Checkpoints as files: complete or absent, nothing pickled, clear words for what can't be read."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from gdmcourse.training import fit, load_checkpoint, load_weights
from gdmcourse.training.checkpoint import optimizer_tensors, restore_optimizer, save_checkpoint


def train(folder: Path, steps: int = 4, **options: object) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    fit(model, lambda m, b, g: m(b).square().mean(), torch.randn(9, 3), steps=steps, batch_size=3,
        checkpoint=folder, **options)  # fmt: skip
    return model


def test_weights_go_there_and_back(tmp_path: Path) -> None:
    model = train(tmp_path, ema_decay=0.5)
    assert torch.equal(load_weights(tmp_path, nn.Linear(3, 2), average=False).weight, model.weight)
    assert not torch.equal(load_weights(tmp_path, nn.Linear(3, 2)).weight, model.weight)  # the average


def test_only_the_newest_stays_and_nothing_is_pickled(tmp_path: Path) -> None:
    train(tmp_path, steps=7, save_every=2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000007"]
    assert {path.suffix for path in (tmp_path / "step-00000007").iterdir()} == {".safetensors", ".json"}


def test_drafts_and_older_checkpoints_of_a_killed_process_do_no_harm(tmp_path: Path) -> None:
    train(tmp_path)
    (tmp_path / "draft-00000009").mkdir()
    (tmp_path / "draft-00000009" / "model.safetensors").write_bytes(b"\x00half")
    (tmp_path / "step-00000002").mkdir()  # half removed
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.step == 4
    save_checkpoint(tmp_path, 5, {"model": nn.Linear(3, 2).state_dict()}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005"]


def test_tied_and_strided_weights_are_saved_once_each_name(tmp_path: Path) -> None:
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    strided = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    save_checkpoint(
        tmp_path, 1, {"model": tied.state_dict(), "other": {"x": strided, "y": strided[0, 0].T}}, {}
    )
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint is not None
    assert torch.equal(checkpoint.tensors["model"]["1.weight"], tied[0].weight)
    assert torch.equal(checkpoint.tensors["other"]["x"], strided)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, 0.1),
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
        lambda p: torch.optim.Adam(p, 1e-3, betas=(0.5, 0.9), amsgrad=True),
        lambda p: torch.optim.RMSprop(p, 1e-3, centered=True),
    ],
    ids=["sgd", "momentum", "adam", "rmsprop"],
)
def test_an_optimizer_goes_on_as_if_nothing_had_happened(make: object, tmp_path: Path) -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(4, 4), nn.Linear(4, 4)
    first, second = make(ours.parameters()), make(theirs.parameters())
    x = torch.randn(5, 4)

    def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()

    for _ in range(3):
        step(ours, first)
    tensors, rest = optimizer_tensors(first)
    save_checkpoint(tmp_path, 3, {"optimizer": tensors}, {"rest": rest})
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint is not None
    theirs.load_state_dict(ours.state_dict())
    restore_optimizer(second, checkpoint.tensors["optimizer"], checkpoint.state["rest"])
    assert second.state_dict()["param_groups"] == first.state_dict()["param_groups"]
    for _ in range(3):
        step(ours, first)
        step(theirs, second)
    assert torch.equal(ours.weight, theirs.weight)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    train(tmp_path)
    damaged = tmp_path / "step-00000004" / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-5])
    with pytest.raises(ValueError, match="step-00000004 can't be read"):
        train(tmp_path, steps=6)
    (tmp_path / "step-00000004" / "state.json").write_text("{")
    with pytest.raises(ValueError, match="delete it to start again"):
        load_checkpoint(tmp_path)


def test_clear_words_for_wrong_weights(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no checkpoint in"):
        load_weights(tmp_path, nn.Linear(3, 2))
    train(tmp_path)
    with pytest.raises(ValueError, match="another model"):
        load_weights(tmp_path, nn.Linear(2, 2))
    with pytest.raises(ValueError, match="no 'generator'"):
        load_weights(tmp_path, nn.Linear(3, 2), "generator")


def test_bad_numbers_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save_checkpoint(tmp_path, 1, {}, {"loss": float("nan")})
    assert load_checkpoint(tmp_path) is None


def test_the_state_is_plain_json(tmp_path: Path) -> None:
    train(tmp_path)
    state = json.loads((tmp_path / "step-00000004" / "state.json").read_text())
    assert state["step"] == 4
    assert state["settings"]["batch_size"] == 3
