"""The U-Net: sizes, conditioning, where information flows, and what it refuses."""

import pytest
import torch
from torch import nn

from gdmcourse.nn import NoNullClass, UNet, source_unet


def awake(model: nn.Module) -> nn.Module:
    """Give the layers that start at zero something to say."""
    torch.manual_seed(1)
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.2)
    return model.eval()


@pytest.mark.parametrize("size", [8, 16, 28, 32])
@pytest.mark.parametrize("multipliers", [(1, 2), (1, 2, 2)])
def test_every_size_of_the_course_keeps_its_shape(size, multipliers):
    model = UNet(3, width=8, multipliers=multipliers, embedding_dim=16)
    x = torch.randn(2, 3, size, size)
    assert model(x, torch.tensor([1, 1000])).shape == x.shape


def test_a_size_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="multiples of 4, not 10×8"):
        UNet(1, width=8, multipliers=(1, 2, 2))(torch.randn(1, 1, 10, 8), torch.tensor([1]))


def test_it_predicts_nothing_before_training():
    assert not UNet(1)(torch.randn(2, 1, 8, 8), torch.tensor([5, 9])).any()


def test_the_output_depends_on_time_label_and_the_whole_image():
    model = awake(UNet(1, width=16, num_classes=3))
    x, t, y = torch.randn(1, 1, 8, 8, requires_grad=True), torch.tensor([500]), torch.tensor([1])
    out = model(x, t, y)
    assert not torch.allclose(out, model(x, t + 100, y), atol=1e-4)
    assert not torch.allclose(out, model(x, t, y + 1), atol=1e-4)
    (reach,) = torch.autograd.grad(out[0, 0, 0, 0], x)
    assert (reach != 0).all()  # attention connects a corner with every pixel


def test_images_of_a_batch_do_not_see_each_other():
    model = awake(UNet(1, width=16, num_classes=3))
    x, t, y = torch.randn(3, 1, 8, 8), torch.tensor([1, 50, 900]), torch.tensor([0, 1, 2])
    alone = torch.cat([model(x[i : i + 1], t[i : i + 1], y[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(model(x, t, y), alone, atol=1e-4, rtol=1e-4)


def test_every_weight_is_trained():
    model = awake(UNet(2, width=8, num_classes=3, context_dim=6, multipliers=(1, 2, 2), attention=(1, 2)))
    context = torch.randn(2, 4, 6)
    y = torch.tensor([0, 3])
    model(torch.randn(2, 2, 8, 8), torch.tensor([3, 700]), y, context=context).square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_no_label_is_the_null_class():
    model = awake(UNet(1, width=8, num_classes=10))
    x, t = torch.randn(2, 1, 8, 8), torch.tensor([3, 4])
    assert model.null_class == 10
    assert torch.equal(model(x, t), model(x, t, torch.tensor([10, 10])))


def test_labels_that_do_not_fit_are_named():
    x, t = torch.randn(1, 1, 8, 8), torch.tensor([1])
    with pytest.raises(ValueError, match="labels must be in 0 … 10; got 11"):
        UNet(1, num_classes=10)(x, t, torch.tensor([11]))
    with pytest.raises(ValueError, match="labels must be in 0 … 10; got -1"):
        UNet(1, num_classes=10)(x, t, torch.tensor([-1]))
    with pytest.raises(ValueError, match="labels must be in 0 … 9; got 10"):
        UNet(1, num_classes=10, null_class=False)(x, t, torch.tensor([10]))
    with pytest.raises(ValueError, match="takes no label"):
        UNet(1)(x, t, torch.tensor([0]))
    with pytest.raises(NoNullClass, match="no null class"):
        UNet(1, num_classes=10, null_class=False)(x, t)


def test_attention_levels_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="resolutions 0 … 1"):
        UNet(1, attention=(2,))


def test_the_sources_network_is_as_they_describe_it():
    model = source_unet(num_classes=10)
    assert model.first.weight.shape == (64, 1, 3, 3)
    assert [(c.in_channels, c.out_channels, c.stride) for c in model.shrink] == [
        (64, 128, (2, 2)),
        (128, 256, (2, 2)),
    ]
    assert list(model.attend) == ["1"]
    assert model.attend["1"].query.in_channels == 128
    assert len(model.middle) == 2
    assert model.last[-1].weight.shape == (1, 64, 3, 3)
    assert model.time.dim == 128
    assert model(torch.randn(1, 1, 28, 28), torch.tensor([1])).shape == (1, 1, 28, 28)


def test_the_small_network_is_small():
    assert 300_000 < sum(p.numel() for p in UNet(1, num_classes=10).parameters()) < 450_000


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"width": 0}, r"width must be whole numbers from 1 up, not \[0\]"),
        ({"multipliers": (1.5, 2)}, r"multipliers must be whole numbers from 1 up, not \[1.5, 2\]"),
        ({"multipliers": ()}, "multipliers must be whole numbers"),
        ({"blocks": 0}, "blocks must be whole numbers"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\)"),
        ({"dropout": -0.1}, r"dropout must be in \[0, 1\)"),
        ({"attention": (0.5,)}, "resolutions 0 … 1"),
    ],
)
def test_sizes_that_make_no_network_are_named(sizes, said, unchecked):
    with pytest.raises(ValueError, match=said):
        UNet(1, **sizes)
