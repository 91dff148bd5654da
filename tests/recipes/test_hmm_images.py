"""The chain that reads digits by columns: what its prior adds, how it is scored, what it draws."""

from dataclasses import replace

import pytest
import torch

from gdmcourse.data.levels import to_levels
from gdmcourse.likelihood import HMM, SymbolEmission, posteriors
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.trained import trained
from tests.oracles import gen

close = torch.testing.assert_close


def test_columns_become_images_again():
    recipe = find_recipe("hmm-digits")
    images = recipe.data("test").images
    columns = recipe.columns(images)
    assert columns.shape == (355, 8, 8)
    assert torch.equal(columns[3, 5], to_levels(images, 17)[3, 0, :, 5])
    close(recipe.images(columns), images)


def test_a_step_adds_the_pseudo_counts_to_what_was_seen():
    """Against counts from the posteriors, by hand."""
    recipe = replace(find_recipe("hmm-digits"), states=3, steps=1, pseudo_count=0.7, pseudo_moves=2.0)
    train = recipe.data("train")
    before = recipe.build(train)["model"]
    played = recipe.train(train, progress=False).modules["model"]
    columns = recipe.columns(train.images)
    told = posteriors(*before.log_tables(columns))
    starts = told.states[:, 0].sum(0) + 2
    close(played.initial.exp().double(), starts / starts.sum(), atol=1e-6, rtol=1e-5)
    moves = told.moves + 2
    close(played.transition.exp().double(), moves / moves.sum(1, keepdim=True), atol=1e-6, rtol=1e-5)
    seen = torch.nn.functional.one_hot(columns, 17).double()
    counts = torch.einsum("ntk,ntdm->kdm", told.states, seen) + 0.7
    close(played.emission.table.exp().double(), counts / counts.sum(-1, keepdim=True), atol=1e-6, rtol=1e-4)


def test_bits_are_those_of_every_pixel_by_itself_where_there_is_one_state():
    recipe = find_recipe("hmm-digits")
    table = torch.rand(1, 8, 17, generator=gen())
    table = table / table.sum(-1, keepdim=True)
    model = HMM(torch.ones(1), torch.ones(1, 1), SymbolEmission(table))
    stored = to_levels(recipe.data("test").images, 17)[:, 0]  # (N, rows, columns)
    rows = torch.arange(8)[None, :, None].expand_as(stored)
    wanted = -table[0].log2()[rows, stored].mean((1, 2))
    (bits,) = recipe.held_out_bits(model, gen()).values()
    close(bits.float(), wanted)
    assert recipe.metrics(model, gen()) == {"bits_exact": pytest.approx(wanted.mean().item(), rel=1e-5)}


def test_it_draws_stored_levels_and_scores_better_than_pixels_alone():
    network = trained("hmm-digits", "smoke", steps=20, batch_size=1442)
    images = network.recipe.sample(network.model, 7, gen())
    assert images.shape == (7, 1, 8, 8)
    assert to_levels(images, 17).unique().numel() > 5
    again = network.recipe.sample(network.model, 7, gen())
    assert torch.equal(images, again)
    one = trained("hmm-digits", "smoke", steps=20, batch_size=1442, states=1)
    bits = [n.recipe.metrics(n.model, gen())["bits_exact"] for n in (network, one)]
    assert bits[0] < bits[1] - 0.1
    for settings in ({"states": 0}, {"pseudo_count": -1.0}, {"pseudo_moves": -1.0}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            replace(network.recipe, **settings)
