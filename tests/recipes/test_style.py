"""The style-based recipe: its lazy penalties, its two states in checkpoints, and settings that can't be."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gdmcourse.gan import discriminator_loss, non_saturating_loss
from gdmcourse.recipes import find_recipe
from gdmcourse.training.player import Turn

STYLE = replace(
    find_recipe("style-digits", "smoke"), warmup=None, steps=2, batch_size=6, penalty_every=2, path_every=2
)
DATA = STYLE.data("train")


def gradient(recipe, networks, step: int, player: str) -> torch.Tensor:
    """Of one player's loss in one step, the same noise for all steps, from an untouched copy of the state."""
    rng = torch.Generator().manual_seed(0)
    batch = tuple(part[:6] for part in recipe.tensors(DATA))
    networks.path.load_state_dict({"target": torch.tensor(0.3), "calls": torch.tensor(1000.0)})
    networks.augment.strength.fill_(0.4)
    module = getattr(networks, player)
    loss = getattr(recipe, f"{player}_loss")(networks, batch, Turn(step, rng))
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(module.parameters()))])


@pytest.mark.equation("eq-style-lazy")
@pytest.mark.parametrize("player", ["critic", "generator"])
def test_a_lazy_penalty_has_the_mean_of_the_eager_one_and_a_larger_mean_square(player):
    networks = SimpleNamespace(**STYLE.build(DATA))
    lazy = replace(STYLE, penalty_every=3, path_every=3, penalty_weight=2.0, path_weight=2.0)
    eager = replace(lazy, penalty_every=1, path_every=1)
    bare = replace(lazy, penalty_weight=0.0, path_weight=0.0)
    taken = torch.stack([gradient(lazy, networks, step, player) for step in (1, 2, 3)]).double()
    every, plain = (gradient(recipe, networks, 1, player).double() for recipe in (eager, bare))
    size = (every - plain).abs().max()
    assert size > 1e-3
    torch.testing.assert_close(taken.mean(0), every, atol=1e-4 * float(size), rtol=1e-4)
    claimed = every.square() + 2 * (every - plain).square()
    torch.testing.assert_close(taken.square().mean(0), claimed, atol=1e-4 * float(claimed.max()), rtol=1e-4)


class Marking(nn.Module):
    """An augmentation that is easily seen: it adds 10."""

    def forward(self, images, rng):
        return images + 10

    def observe(self, real):
        self.observed = real


@pytest.mark.parametrize(("target", "mark"), [(0.6, 10.0), (None, 0.0)])
def test_all_that_the_critic_judges_is_augmented_in_both_moves(target, mark):
    networks, seen = SimpleNamespace(**STYLE.build(DATA) | {"augment": Marking()}), []
    networks.critic.register_forward_hook(lambda _critic, inputs, logits: seen.append((inputs[0], logits)))
    recipe = replace(STYLE, target=target, penalty_every=1, path_weight=0.0)
    batch = tuple(part[:6] for part in recipe.tensors(DATA))

    def lost(changed, player):
        seen.clear()
        turn = Turn(1, torch.Generator().manual_seed(0))
        return getattr(changed, f"{player}_loss")(networks, batch, turn), [*seen]

    loss, ((real, of_real), (fake, of_fake)) = lost(replace(recipe, penalty=None), "critic")
    assert torch.equal(real, batch[0] + mark)
    assert fake.mean().item() == pytest.approx(mark, abs=3)
    torch.testing.assert_close(loss, discriminator_loss(of_real, of_fake))
    if target is not None:
        assert networks.augment.observed is of_real
    punished = lost(recipe, "critic")[1][2][0]
    assert torch.equal(punished, real)
    loss, ((fake, of_fake), *_) = lost(recipe, "generator")
    assert fake.mean().item() == pytest.approx(mark, abs=3)
    torch.testing.assert_close(loss, non_saturating_loss(of_fake))


@pytest.mark.equation("eq-style-lazy-adam")
@pytest.mark.parametrize("k", [4, 16])
def test_one_update_more_in_a_period_forgets_and_moves_as_much(k):
    """Two of torch's Adams: both meet one gradient, then none for a period of k, or of k + 1, updates."""
    left = []
    for updates, share in ((k, 1.0), (k + 1, k / (k + 1))):
        weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        stepper = torch.optim.Adam([weight], lr=0.01 * share, betas=(0.9**share, 0.99**share))
        weight.grad = torch.ones_like(weight)
        stepper.step()
        state = stepper.state[weight]
        before = state["exp_avg"].item(), state["exp_avg_sq"].item()
        weight.grad = torch.zeros_like(weight)
        for _ in range(updates):
            stepper.step()
        left.append((state["exp_avg"].item() / before[0], state["exp_avg_sq"].item() / before[1]))
        steady = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        constant = torch.optim.Adam([steady], lr=0.01 * share, betas=(0.9**share, 0.99**share), eps=0.0)
        for _ in range(updates):  # a constant gradient moves by the rate in each
            steady.grad = torch.full_like(steady, 7.0)
            constant.step()
        left[-1] += (steady.item(),)
    assert left[0] == pytest.approx(left[1], rel=1e-9)
    assert left[0][0] == pytest.approx(0.9**k, rel=1e-9)
    assert left[0][2] == pytest.approx(-0.01 * k, rel=1e-9)


def test_a_resumed_training_ends_in_the_same_bits_with_both_states(tmp_path):
    recipe = replace(STYLE, target=-0.9, climb=10, seed=1)  # whose critic begins above 0
    whole = replace(recipe, steps=4).train(progress=False).modules
    recipe.train(checkpoint=tmp_path, progress=False)
    resumed = replace(recipe, steps=4).train(checkpoint=tmp_path, progress=False).modules
    assert set(whole) == {"generator", "critic", "path", "augment"}
    for name, module in whole.items():
        for key, value in module.state_dict().items():
            assert torch.equal(value, resumed[name].state_dict()[key]), f"{name}.{key}"
    assert whole["augment"].strength > 0.2
    assert whole["path"].calls == 2
    assert whole["generator"].mapping.middle.norm() > 0


def test_the_generator_moves_at_the_speed_of_the_recipe():
    players = replace(STYLE, speed=2.5).players(STYLE.build(DATA))
    assert players["generator"].lr == pytest.approx(2.5 * STYLE.lr)
    assert players["critic"].lr == STYLE.lr


def test_mixing_and_the_share_of_whole_images():
    networks = SimpleNamespace(**STYLE.build(DATA))
    rng = torch.Generator().manual_seed(0)
    for mixing, low, high in ((0.0, 1.0, 1.0), (1.0, 0.0, 0.0), (0.9, 0.07, 0.13)):
        *_, crossover = replace(STYLE, mixing=mixing).styles(networks, 4000, rng)
        assert low <= (crossover == 6).double().mean() <= high
        assert crossover.min() >= 1


def test_fewer_images_are_the_first_ones_and_samples_lie_in_range():
    images, labels = replace(STYLE, images=30).tensors(DATA)
    assert torch.equal(images, DATA.images[:30])
    assert len(labels) == 30
    generator = STYLE.build(DATA)["generator"].eval()
    samples = STYLE.sample(generator, 5, torch.Generator().manual_seed(0), psi=9.0)
    assert samples.shape == (5, 1, 8, 8)
    assert samples.abs().max() == 1


@pytest.mark.parametrize("target", [None, 0.6])
def test_penalties_are_the_same_in_half_precision_to_its_rounding(target):
    """Fabric refuses a second derivative through a network in mixed precision: it is taken in float32."""
    losses = []
    for precision in ("32-true", "bf16-mixed"):
        recipe = replace(STYLE, target=target, penalty_every=1, path_every=1, precision=precision)
        played = replace(recipe, penalty_weight=100.0, path_weight=3.0).train(DATA, progress=False)
        losses.append([played.history.values(name)[-1] for name in ("critic", "generator")])
        assert played.modules["path"].calls == 2
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"speed": 0.0}, "speed must be above 0"),
        ({"style_dim": 0}, "style_dim must be at least 1"),
        ({"mixing": 1.5}, "mixing must be in"),
        ({"path_weight": -1.0}, "path_weight must be at least 0"),
        ({"path_every": 0}, "path_every must be at least 1"),
        ({"target": 1.0}, "target must be in"),
        ({"climb": 0}, "climb must be at least 1"),
        ({"images": 0}, "images must be at least 1"),
        ({"speed": float("inf")}, "speed must be above 0"),
        # Settings of the recipes that it is derived from, which it would pass over in silence.
        ({"critic_norm": "batch"}, "critic_norm must be none"),
        ({"rate_ratio": 0.5}, "rate_ratio must be 1: here speed is the generator's rate, not 0.5"),
    ],
)
def test_settings_that_cannot_be_are_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(STYLE, **change)
