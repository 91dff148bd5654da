"""The transformer of patches: what adaLN-zero promises, and what it costs beside the U-Net."""

import pytest
import torch
from torch import nn

from gdmcourse.diffusion.cost import multiplications, transformer_block_cost
from gdmcourse.nn.dit import DiT, DiTBlock
from gdmcourse.recipes import find_recipe
from tests.oracles import gen


def awake(module: nn.Module) -> nn.Module:
    """With numbers where it starts at zero."""
    for parameter in module.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.2, generator=gen())
    return module


def dit(**options) -> DiT:
    torch.manual_seed(0)
    return DiT(1, size=8, width=16, heads=2, blocks=2, num_classes=3, **options)


@pytest.mark.equation("eq-dit-start")
def test_a_block_starts_as_the_identity_whatever_it_is_told():
    torch.manual_seed(0)
    block, h, told = DiTBlock(16, 2), torch.randn(3, 5, 16), torch.randn(3, 16)
    assert torch.equal(block(h, told), h)
    assert not torch.equal(awake(block)(h, told), h)


@pytest.mark.equation("eq-dit-start")
def test_the_network_starts_by_answering_zero_and_can_leave_it():
    """The last layer has a gradient at once, and when it has moved the gates have one."""
    network = dit()
    x, t, y = torch.randn(4, 1, 8, 8), torch.tensor([1, 40, 500, 1000]), torch.tensor([0, 1, 2, 3])
    assert not network(x, t, y).any()
    (network(x, t, y) - x).square().mean().backward()
    assert network.last.weight.grad.any()
    assert not network.blocks[0].tell.weight.grad.any()
    awake(network.last)
    (network(x, t, y) - x).square().mean().backward()
    gates = network.blocks[0].tell.weight.grad.chunk(6)
    assert gates[2].any()
    assert gates[5].any()
    assert not gates[0].any()  # a shift moves nothing while its gate is shut


@pytest.mark.equation("eq-dit-cost")
@pytest.mark.parametrize(("tokens", "width"), [(16, 80), (49, 24), (4, 8)])
def test_a_block_costs_what_the_formula_says(tokens, width):
    counted = multiplications(DiTBlock(width, 4), torch.randn(1, tokens, width), torch.randn(1, width))
    assert counted == transformer_block_cost(tokens, width)


@pytest.mark.parametrize("preset", ["smoke", "laptop", "gpu"])
def test_each_preset_costs_as_much_a_pass_as_the_u_net(preset):
    counts = []
    for name in ("dit-digits", "ddpm-digits"):
        recipe = find_recipe(name, preset)
        model = recipe.model(recipe.data("train"))
        counts.append(multiplications(model, torch.randn(1, 1, 8, 8), torch.ones(1), torch.tensor([3])))
    assert counts[0] == pytest.approx(counts[1], rel=0.01)


def test_each_patch_returns_to_its_own_place():
    """Without attention between them: what changes in a patch changes the answer there alone."""
    network = awake(dit()).eval()
    for block in network.blocks:
        nn.init.zeros_(block.out.weight)
    x = torch.randn(1, 1, 8, 8)
    other = x.clone()
    other[:, :, 2:4, 4:6] += 1
    t = torch.tensor([300])
    changed = (network(x, t) != network(other, t))[0, 0]
    assert changed[2:4, 4:6].all()
    assert int(changed.sum()) == 4


def test_patches_know_their_places_and_the_answer_depends_on_time_and_label():
    network = awake(dit()).eval()
    blank, t = torch.zeros(1, 1, 8, 8), torch.tensor([300])
    answer = network(blank, t, torch.tensor([1]))
    assert answer.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).std((2, 3)).min() > 0
    assert not torch.equal(answer, network(blank, t + 400, torch.tensor([1])))
    assert not torch.equal(answer, network(blank, t, torch.tensor([2])))
    assert torch.equal(network(blank, t), network(blank, t, torch.tensor([3])))  # the null class


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: DiT(1, size=9), "multiple of the patch, 2, and is 9"),
        (lambda: DiT(1, size=8, width=30), "multiple of 4 and of heads = 4, not 30"),
        (lambda: dit()(torch.zeros(1, 1, 8, 8), torch.ones(1), torch.tensor([4])), "labels must be in 0 … 3"),
        (
            lambda: DiT(1, size=8)(torch.zeros(1, 1, 8, 8), torch.ones(1), torch.tensor([0])),
            "built without num_classes",
        ),
    ],
)
def test_bad_input_is_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
