"""Every preset of every recipe is sound: small ones take steps, large ones are built without weights."""

from dataclasses import replace

import pytest
import torch

from gdmcourse.recipes import CATALOG, PRESETS, find_recipe
from gdmcourse.recipes.flow_matching import MeanFlowRecipe
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.recipes.latent import LatentRecipe
from gdmcourse.recipes.matching import MatchingRecipe
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.recipes.srgan import SRGANRecipe
from gdmcourse.recipes.student import StudentRecipe
from gdmcourse.training import make_fabric
from tests.recipes.stand_in import stand_in


def small(name: str, preset: str) -> tuple[Recipe, object]:
    """The recipe on the smallest of the networks below it, without compiling, and data that need no file."""
    recipe = replace(find_recipe(name, preset), compile=False)
    if isinstance(recipe, LatentRecipe):
        recipe = replace(recipe, autoencoder_preset="smoke")
    if isinstance(recipe, MeanFlowRecipe):
        recipe = replace(recipe, flow_preset="smoke")
    if isinstance(recipe, MatchingRecipe):
        recipe = replace(recipe, teacher_preset="smoke", start_preset="smoke")
    elif isinstance(recipe, StudentRecipe):
        recipe = replace(recipe, teacher_preset="smoke")
    if isinstance(recipe, SRGANRecipe):
        recipe = replace(recipe, features="digits")
    if isinstance(recipe, ImageRecipe) and recipe.dataset != "digits":
        return recipe, stand_in(recipe.dataset)
    return recipe, recipe.data("train")


@pytest.mark.parametrize("preset", ["smoke", "laptop"])
@pytest.mark.parametrize("name", CATALOG)
def test_a_preset_takes_two_steps(name, preset):
    """The first losses are those that the recipe says of networks that know nothing; then weights move."""
    recipe, data = small(name, preset)
    if preset == "laptop":  # at the size of its network, not of its batches
        recipe = replace(recipe, batch_size=min(recipe.batch_size, 8))
    recipe = replace(recipe, steps=2, warmup=None, precision="32-true")
    before = recipe.build(data)
    played = recipe.train(data, fabric=make_fabric(1, 1, accelerator="cpu"), progress=False)
    assert played.history.steps == [2]
    for history, (near, slack) in recipe.first_losses().items():
        assert played.history.values(history)[0] == pytest.approx(near, abs=slack)
    for player in recipe.players(before):
        pairs = zip(before[player].parameters(), played.modules[player].parameters(), strict=True)
        assert any(not torch.equal(old, new) for old, new in pairs)
    assert recipe.result in played.modules
    assert bool(played.averages) == (recipe.ema_decay is not None)


@pytest.mark.parametrize("name", CATALOG)
def test_the_gpu_preset_is_built_and_larger(name):
    """On the meta device, where a network has shapes and no weights; `make gpu` takes its steps."""
    laptop, data = small(name, "laptop")
    large, _ = small(name, "gpu")
    with torch.device("meta"):
        networks = large.modules(data)
    sizes = {key: sum(p.numel() for p in network.parameters()) for key, network in networks.items()}
    assert sizes[large.result] >= sum(p.numel() for p in laptop.modules(data)[laptop.result].parameters())
    assert large.steps >= 1
    large.rate()
    assert large.threads is None
    assert large.precision == "bf16-mixed"


@pytest.mark.parametrize("name", CATALOG)
def test_every_recipe_has_every_preset(name):
    for preset in PRESETS:
        assert isinstance(find_recipe(name, preset), Recipe)


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="classifier-digits, classifier-mnist"):
        find_recipe("clasifier", "laptop")
    with pytest.raises(ValueError, match="smoke, laptop, gpu"):
        find_recipe("classifier-digits", "huge")
