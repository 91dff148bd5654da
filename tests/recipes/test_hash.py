"""What makes a trained network stale, and what doesn't: a recipe more, a field more, a method that draws."""

import importlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gdmcourse import recipes
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.recipe import Recipe

NAMES = ["classifier-digits", "ddpm-digits", "latent-digits", "hmm-dice", "gan-ring"]


def hashes() -> dict[str, str]:
    return {name: find_recipe(name, "laptop").hash() for name in NAMES}


@pytest.fixture
def rewritten(monkeypatch, tmp_path):
    """A function that replaces text in a module of the package, for this test alone."""

    def rewrite(module: str, old: str, new: str) -> None:
        source = importlib.import_module(module)
        text = Path(source.__file__).read_text()
        assert old in text
        file = tmp_path / f"{module}.py"
        file.write_text(text.replace(old, new, 1))
        monkeypatch.setattr(source, "__file__", str(file))

    return rewrite


def test_a_recipe_more_changes_no_hash(rewritten):
    before = hashes()
    line = '    "ddpm-mnist": ('
    rewritten("gdmcourse.recipes", line, '    "new": ("new", "a recipe more"),\n' + line)
    rewritten("gdmcourse.recipes.ddpm", "RECIPES = {", 'RECIPES = {\n    "new": {},')
    assert hashes() == before


def test_a_data_set_more_changes_no_hash(rewritten):
    before = hashes()
    line = '    "mnist": Entry('
    rewritten("gdmcourse.data.catalog", line, '    "new": Entry((1, 8, 8), 1, 1, str, load_digits),\n' + line)
    assert hashes() == before


def test_a_field_more_changes_no_hash(rewritten):
    before = hashes()
    rewritten("gdmcourse.recipes.recipe", "    seed: int = 0\n", "    seed: int = 0\n    more: float = 0.5\n")
    assert hashes() == before


def test_a_method_more_that_draws_or_scores_changes_no_hash(rewritten):
    before = hashes()
    method = "    def spread(self, model):\n        return self.draw(model) + self.scored\n\n"
    for module, line in (
        ("gdmcourse.recipes.ddpm", "    def metrics("),
        ("gdmcourse.recipes.gan_points", "    def metrics("),
        ("gdmcourse.recipes.recipe", "    def metrics("),
    ):
        rewritten(module, line, method + line)
    assert hashes() == before


def test_drawing_and_scoring_in_another_way_changes_no_hash(rewritten):
    before = hashes()
    rewritten("gdmcourse.recipes.ddpm", "clip=1.0)", "clip=None)")
    rewritten("gdmcourse.recipes.images", "columns=8", "columns=4")
    rewritten("gdmcourse.metrics.report", "MOST = 5000", "MOST = 4000")
    assert hashes() == before
    recipe = find_recipe("ddpm-digits")
    assert replace(recipe, sample_steps=50, scored=100).hash() == recipe.hash()


@pytest.mark.parametrize(
    ("module", "old", "new", "stale"),
    [
        ("gdmcourse.recipes.ddpm", "< 0.5", "< 0.4", {"ddpm-digits", "latent-digits"}),
        ("gdmcourse.nn.residual", "nn.SiLU()", "nn.ReLU()", {"ddpm-digits", "latent-digits"}),
        ("gdmcourse.gan.losses", "softplus(-fake)", "softplus(fake)", {"gan-ring"}),
        ("gdmcourse.likelihood.hmm_em", "shares.clamp(", "counts.clamp(", {"hmm-dice"}),
        ("gdmcourse.diffusion.latent", ".square()", ".abs()", {"latent-digits"}),
        ("gdmcourse.data.digits", "div(8)", "div(9)", {"classifier-digits", "ddpm-digits", "latent-digits"}),
        ("gdmcourse.training.play", "stepper.step()", "pass", set(NAMES)),
        ("gdmcourse.training.ema", "/ (10 + self", "/ (20 + self", set(NAMES)),
    ],
)
def test_what_training_runs_makes_just_what_it_trains_stale(rewritten, module, old, new, stale):
    before = hashes()
    rewritten(module, old, new)
    after = hashes()
    assert {name for name in NAMES if before[name] != after[name]} == stale


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ddpm-digits", {"lr": 1e-3}),
        ("ddpm-digits", {"noise": "linear"}),
        ("ddpm-digits", {"seed": 1}),
        ("latent-digits", {"autoencoder_preset": "smoke"}),
        ("gan-ring", {"critic_moves": 2}),
        ("hmm-dice", {"states": 3}),
        ("guide-digits", {"noisy": False}),
    ],
)
def test_a_setting_that_training_reads_is_in_the_hash(name, change):
    recipe = find_recipe(name)
    assert replace(recipe, **change).hash() != recipe.hash()


def test_the_names_below_are_followed():
    below = find_recipe("latent-digits").below()
    assert below == [find_recipe("autoencoder-digits")]
    assert isinstance(below[0], Recipe)
    assert recipes.CATALOG.keys() >= set(NAMES)


@dataclass(frozen=True, kw_only=True)
class Unread(Recipe):
    """A recipe with a field that nothing reads."""

    idle: int = 0


def test_a_field_that_nothing_reads_changes_no_hash():
    plain = Unread(steps=1, batch_size=1)
    assert plain.hash() == replace(plain, idle=5).hash()
    assert plain.hash() != replace(plain, steps=2).hash()
