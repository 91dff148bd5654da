"""Games as recipes: what a penalty needs of the loop, and settings that can't be."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from gdmcourse.gan import non_saturating_loss, relativistic_loss
from gdmcourse.recipes import find_recipe
from gdmcourse.training.player import Turn

DCGAN = replace(find_recipe("dcgan-digits", "smoke"), critic_norm="none", warmup=None, steps=2)


@pytest.mark.parametrize("penalty", ["unit-norm", "r1", "r1+r2"])
def test_a_penalty_is_the_same_in_half_precision_to_its_rounding(penalty):
    """Fabric refuses a second derivative through a network in mixed precision: it is taken in float32."""
    losses = []
    for precision in ("32-true", "bf16-mixed"):
        recipe = replace(DCGAN, penalty=penalty, penalty_weight=10.0, precision=precision)
        losses.append(recipe.train(progress=False).history.values("critic")[-1])
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    plain = replace(DCGAN, penalty=None).train(progress=False).history.values("critic")[-1]
    assert losses[0] > plain + 1e-3


def test_a_lazy_penalty_is_taken_in_its_turn_and_weighs_as_many_times_more():
    recipe = replace(DCGAN, penalty="unit-norm", batch_size=8)
    batch = tuple(part[:8] for part in recipe.tensors(recipe.data("train")))
    networks = SimpleNamespace(**recipe.build(recipe.data("train")))

    def loss(every: int, step: int) -> float:
        turn = Turn(step, torch.Generator().manual_seed(0))
        return replace(recipe, penalty_every=every).critic_loss(networks, batch, turn).item()

    without = replace(recipe, penalty=None)
    bare = without.critic_loss(networks, batch, Turn(1, torch.Generator().manual_seed(0))).item()
    assert loss(4, 3) == bare
    assert loss(4, 4) - bare == pytest.approx(4 * (loss(1, 4) - bare), rel=1e-4)
    assert loss(1, 3) > bare


def test_the_generator_moves_at_its_own_rate():
    """One step of Adam without memory moves every weight that has a gradient by the rate."""
    recipe = replace(DCGAN, steps=1, lr=1e-3, rate_ratio=0.25, betas=(0.0, 0.0))
    before = recipe.build(recipe.data("train"))
    after = recipe.train(progress=False).modules
    for name, rate in (("critic", 1e-3), ("generator", 2.5e-4)):
        pairs = zip(before[name].parameters(), after[name].parameters(), strict=True)
        moved = max((old - new).abs().max().item() for old, new in pairs)
        assert moved == pytest.approx(rate, rel=0.03)


def test_a_game_without_pairs_does_not_ask_the_critic_of_real_examples_in_the_generators_turn():
    recipe = replace(DCGAN, batch_size=4)
    batch = tuple(part[:4] for part in recipe.tensors(recipe.data("train")))
    networks, seen = SimpleNamespace(**recipe.build(recipe.data("train"))), []
    networks.critic.register_forward_hook(lambda module, inputs, output: seen.append(output))
    for objective, wanted in (("non-saturating", non_saturating_loss), ("relativistic", relativistic_loss)):
        seen.clear()
        turn = Turn(1, torch.Generator().manual_seed(0))
        loss = replace(recipe, objective=objective).generator_loss(networks, batch, turn)
        assert len(seen) == (2 if objective == "relativistic" else 1)
        assert torch.equal(loss, wanted(*seen))  # of the generated ones, and then of the real ones


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"objective": "minmax"}, "there is no objective 'minmax'; there are: saturating, non-saturating"),
        ({"penalty": "r3"}, "there is no penalty 'r3'; there are: unit-norm, r1"),
        ({"critic_norm": "layer"}, "there is no norm 'layer'; there are: none, batch, spectral"),
        ({"betas": (0.5,)}, "betas must be two numbers"),
        ({"critic_moves": 0}, "critic_moves must be at least 1"),
        ({"rate_ratio": 0.0}, "rate_ratio must be above 0"),
        ({"penalty": "r1", "critic_norm": "batch"}, "build the critic without batch norm"),
        ({"batch_size": 1}, "batch norm needs at least two examples"),
    ],
)
def test_settings_that_cannot_be_are_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(DCGAN, **change).train(progress=False)
