"""Captions made from digits, their tokens, and a denoiser that attends to them."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from gdmcourse.diffusion import (
    classifier_free_guidance,
    cosine_schedule,
    denoising_loss,
)
from gdmcourse.diffusion.text import (
    CAPTION_LENGTH,
    NAMES,
    NULL_TOKEN,
    VOCABULARY,
    Captions,
    TextEncoder,
    TextUNet,
    slant,
    thickness,
    tokenize,
)

DIGITS = load_digits()
IMAGES = torch.from_numpy(DIGITS.images).float().div(8).sub(1)[:, None]
LABELS = torch.from_numpy(DIGITS.target).long()


def stroke(lean: float, size: int = 16, width: float = 1.0) -> torch.Tensor:
    """A line through the middle that moves `lean` columns to the right for each row up."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    middle = (size - 1) / 2
    distance = (columns - middle) + lean * (rows - middle)
    return (2 * torch.exp(-((distance / width) ** 2)) - 1)[None, None]


@pytest.mark.parametrize("lean", [-0.4, 0.0, 0.25])
def test_the_slant_of_a_line_is_its_slope(lean):
    assert float(slant(stroke(lean))) == pytest.approx(lean, abs=0.03)


def test_thickness_is_the_share_of_ink():
    half = torch.full((1, 1, 4, 4), -1.0)
    half[..., :2] = 1.0
    assert float(thickness(half)) == pytest.approx(0.5)
    assert thickness(stroke(0.0, width=2.0)) > thickness(stroke(0.0, width=1.0))
    assert float(slant(torch.full((1, 1, 4, 4), -1.0))) == 0


def test_captions_share_each_class_out_in_thirds():
    rules = Captions.fit(IMAGES, LABELS)
    captions = rules.describe(IMAGES, LABELS)
    for k, name in enumerate(NAMES):
        mine = [caption for caption, label in zip(captions, LABELS.tolist(), strict=True) if label == k]
        assert all(name in caption.split() for caption in mine)
        for word in ("thin", "thick", "left", "right"):
            share = sum(word in caption.split() for caption in mine) / len(mine)
            assert share == pytest.approx(1 / 3, abs=0.03)  # equal ink falls to one side
    fat = max(range(len(captions)), key=lambda i: float(thickness(IMAGES[i : i + 1])))
    assert captions[fat].split()[1] == "thick"
    assert len({len(tokenize([caption])[0]) for caption in captions}) == 1


def test_tokens_are_numbers_of_words():
    tokens = tokenize(["A thick Three, slanted left", "a one", ""])
    assert [[VOCABULARY[i] for i in row if i] for row in tokens.tolist()] == [
        ["a", "thick", "three", "slanted", "left"],
        ["a", "one"],
        [],
    ]
    assert tokens.shape == (3, CAPTION_LENGTH)
    assert (tokens[2] == NULL_TOKEN).all()


def test_an_unknown_word_and_a_long_caption_are_named():
    with pytest.raises(ValueError, match=r"unknown word 'purple'.*known are: a, thin"):
        tokenize(["a purple nine"])
    with pytest.raises(ValueError, match="at most 5 words"):
        tokenize(["a thin one slanted left left"])


def test_the_order_of_words_matters_to_the_encoder():
    torch.manual_seed(0)
    encoder = TextEncoder(16).eval()
    one, two = encoder(tokenize(["thin one"])), encoder(tokenize(["one thin"]))
    assert one.shape == (1, CAPTION_LENGTH, 16)
    assert not torch.allclose(one.mean(1), two.mean(1), atol=1e-4)


def awake() -> TextUNet:
    torch.manual_seed(0)
    model = TextUNet(1, width=8, text_dim=16)
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.2)
    return model.eval()


@torch.no_grad()
def test_each_word_reaches_the_image_and_no_caption_is_the_null_caption():
    model, x, t = awake(), torch.randn(1, 1, 8, 8), torch.tensor([300])
    plain = model(x, t, tokenize(["a three"]))
    for caption in ("a four", "a thin three", "a three slanted left"):
        assert not torch.allclose(plain, model(x, t, tokenize([caption])), atol=1e-4)
    assert torch.equal(model(x, t), model(x, t, tokenize([""])))
    guided = classifier_free_guidance(model, 2.0)(x, t, tokenize(["a three"]))
    torch.testing.assert_close(guided, 2 * plain - model(x, t), atol=1e-4, rtol=1e-4)


def test_encoder_and_unet_are_trained_together_with_captions_dropped():
    model = awake().train()
    loss = denoising_loss(cosine_schedule(100), drop=0.2, null=NULL_TOKEN)
    tokens = tokenize(Captions.fit(IMAGES, LABELS).describe(IMAGES[:32], LABELS[:32]))
    loss(model, (IMAGES[:32], tokens), torch.Generator().manual_seed(0)).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert model.encoder.words.weight.grad[NULL_TOKEN].any()
