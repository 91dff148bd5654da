"""Games behind noise: the same as without it but for the noise, resumed in the same bits."""

from dataclasses import fields, replace
from types import SimpleNamespace

import pytest
import torch

from gdmcourse.recipes import find_recipe
from gdmcourse.training.player import Turn

NAMES = ("diffusion-gan-grid", "diffusion-gan-digits", "diffusion-style-digits")
PLAIN = dict(zip(NAMES, ("gan-grid", "dcgan-digits", "style-digits"), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_all_else_is_as_in_the_game_without_noise(name):
    ours, plain = find_recipe(name), find_recipe(PLAIN[name])
    names = [field.name for field in fields(plain)]
    differ = {name for name in names if getattr(ours, name) != getattr(plain, name)}
    assert differ == {"diffusion-gan-grid": {"penalty"}, "diffusion-style-digits": {"target"}}.get(
        name, set()
    )
    data = plain.data("train")
    sizes = [
        {key: sum(p.numel() for p in network.parameters()) for key, network in recipe.build(data).items()}
        for recipe in (ours, plain)
    ]
    assert sizes[0]["generator"] == sizes[1]["generator"]
    assert sizes[1]["critic"] < sizes[0]["critic"] < 1.35 * sizes[1]["critic"]


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_training_ends_in_the_same_bits_with_its_T(name, tmp_path):
    recipe = replace(
        find_recipe(name, "smoke"), steps=6, warmup=None, sureness=-0.99, rise=1, shortest=3, longest=40
    )
    whole = replace(recipe, steps=12).train(progress=False).modules
    recipe.train(checkpoint=tmp_path, progress=False)
    resumed = replace(recipe, steps=12).train(checkpoint=tmp_path, progress=False).modules
    for key, module in whole.items():
        for entry, value in module.state_dict().items():
            assert torch.equal(value, resumed[key].state_dict()[entry]), f"{key}.{entry}"
    assert int(whole["diffusion"].calls) == 0
    assert 3 <= int(whole["diffusion"].T) <= 40


@pytest.mark.parametrize("name", NAMES)
def test_both_players_see_noise_and_the_generator_learns_through_it(name):
    recipe = replace(find_recipe(name, "smoke"), warmup=None)
    data = recipe.data("train")
    networks = SimpleNamespace(**recipe.build(data))
    tensors = recipe.tensors(data)
    batch = tuple(part[:8] for part in tensors) if isinstance(tensors, tuple) else tensors[:8]
    seen = []
    networks.critic.register_forward_pre_hook(lambda critic, arguments: seen.append(arguments))
    recipe.critic_loss(networks, batch, Turn(1, torch.Generator().manual_seed(0)))
    real = recipe.real(batch)
    assert seen[0][0].shape == real.shape
    assert not torch.equal(seen[0][0], real)
    assert (seen[0][0] - real).abs().max() < 1
    assert all(t.min() >= 1 and t.max() <= 8 for _, t in seen)
    loss = recipe.generator_loss(networks, batch, Turn(1, torch.Generator().manual_seed(0)))
    gradients = torch.autograd.grad(loss, list(networks.generator.parameters()), allow_unused=True)
    assert sum(g.abs().sum() for g in gradients if g is not None) > 0


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        (NAMES[1], {"sigma": 0.0}, "sigma must be above 0"),
        (NAMES[1], {"weights": "rare"}, "weights must be uniform or priority"),
        (NAMES[1], {"shortest": 0}, "shortest must be at least 1"),
        (NAMES[1], {"longest": 7}, "longest must be at least shortest, 8"),
        (NAMES[1], {"sureness": 1.0}, "sureness must be in"),
        (NAMES[1], {"rise": 0}, "rise must be at least 1"),
        (NAMES[2], {"target": 0.6}, "target must be null, since the noise stands in its place"),
        (NAMES[0], {"pack": 2}, "pack must be 1"),
        (NAMES[0], {"kernels": 3}, "kernels must be 0"),
    ],
)
def test_settings_that_cannot_be_are_named(name, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(find_recipe(name, "smoke"), **change)


@pytest.mark.parametrize("rise", [300, 1000, 5000])
def test_T_can_go_all_the_way_in_as_many_moves_as_are_said(rise):
    noise = replace(find_recipe(NAMES[1]), rise=rise).diffusion()
    moves = 0
    while int(noise.T) < noise.high:
        noise.observe(torch.ones(1))
        moves += 1
    assert moves == pytest.approx(rise, rel=0.2)


def test_a_penalty_on_a_critic_with_batch_norm_is_refused():
    recipe = replace(find_recipe(NAMES[1], "smoke"), penalty="r1", warmup=None)
    data = recipe.data("train")
    batch = tuple(part[:8] for part in recipe.tensors(data))
    with pytest.raises(ValueError, match="is a batch norm, and a gradient penalty needs"):
        recipe.critic_loss(
            SimpleNamespace(**recipe.build(data)), batch, Turn(1, torch.Generator().manual_seed(0))
        )
