"""The DCGAN behind augmentation: all that its critic judges is augmented, and its strength is resumed."""

from dataclasses import fields, replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gdmcourse.gan import discriminator_loss, non_saturating_loss, relativistic_loss
from gdmcourse.recipes import find_recipe
from gdmcourse.training.player import Turn

SMALL = replace(find_recipe("augmented-gan-digits", "smoke"), warmup=None)
DATA = SMALL.data("train")


def test_all_else_is_as_in_the_game_without_augmentation():
    ours, plain = find_recipe("augmented-gan-digits"), find_recipe("dcgan-digits")
    assert all(getattr(ours, field.name) == getattr(plain, field.name) for field in fields(plain))
    built = ours.build(DATA)
    assert list(built) == ["generator", "critic", "augment"]
    for name, network in plain.build(DATA).items():
        for entry, value in network.state_dict().items():
            assert torch.equal(value, built[name].state_dict()[entry])


class Marking(nn.Module):
    """An augmentation that is easily seen: it adds 10."""

    def forward(self, images, rng):
        return images + 10

    def observe(self, real):
        self.observed = real


def test_all_that_the_critic_judges_is_augmented_in_both_moves():
    networks, seen = SimpleNamespace(**SMALL.build(DATA) | {"augment": Marking()}), []
    networks.critic.register_forward_hook(lambda _critic, inputs, logits: seen.append((inputs[0], logits)))
    batch = tuple(part[:8] for part in SMALL.tensors(DATA))
    turn = Turn(1, torch.Generator().manual_seed(0))

    loss = SMALL.critic_loss(networks, batch, turn)
    (real, of_real), (fake, of_fake) = seen
    assert torch.equal(real, batch[0] + 10)
    assert fake.min() >= 9
    torch.testing.assert_close(loss, discriminator_loss(of_real, of_fake))
    assert networks.augment.observed is of_real
    assert not fake.requires_grad

    seen.clear()
    loss = SMALL.generator_loss(networks, batch, turn)
    ((fake, of_fake),) = seen
    assert fake.min() >= 9
    torch.testing.assert_close(loss, non_saturating_loss(of_fake))
    gradients = torch.autograd.grad(loss, list(networks.generator.parameters()))
    assert sum(gradient.abs().sum() for gradient in gradients) > 0

    seen.clear()
    loss = replace(SMALL, objective="relativistic").generator_loss(networks, batch, turn)
    (fake, of_fake), (real, of_real) = seen
    assert torch.equal(real, batch[0] + 10)
    torch.testing.assert_close(loss, relativistic_loss(of_fake, of_real))


def test_a_resumed_training_ends_in_the_same_bits_with_its_strength(tmp_path):
    recipe = replace(SMALL, steps=6, target=-0.99, climb=20)
    whole = replace(recipe, steps=12).train(progress=False).modules
    recipe.train(checkpoint=tmp_path, progress=False)
    resumed = replace(recipe, steps=12).train(checkpoint=tmp_path, progress=False).modules
    for key, module in whole.items():
        for entry, value in module.state_dict().items():
            assert torch.equal(value, resumed[key].state_dict()[entry]), f"{key}.{entry}"
    assert whole["augment"].strength > 0.3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"target": 1.0}, "target must be in"),
        ({"climb": 0}, "climb must be at least 1"),
        ({"penalty": "r1"}, "penalty must be null"),
    ],
)
def test_settings_that_cannot_be_are_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(SMALL, **change)
