"""Autoregressive models: nothing looks ahead, on any path; likelihoods are exact; a cache changes nothing."""

import itertools
import math

import pytest
import torch
from torch import nn

from gdmcourse.data.levels import bits_per_dim
from gdmcourse.diffusion.cost import multiplications
from gdmcourse.likelihood import (
    MADE,
    GatedPixelCNN,
    PixelCNN,
    RowLSTM,
    Transformer,
    WaveNet,
    dependence,
    log_prob,
    sample,
    sample_cached,
)
from gdmcourse.likelihood.autoregressive import draw
from gdmcourse.likelihood.masks import CausalConv1d, MaskedConv2d, degree_mask, pixel_mask
from gdmcourse.likelihood.pixelcnn import as_images, as_sequences
from gdmcourse.likelihood.transformer import Layer, chunk_mask
from gdmcourse.likelihood.wavenet import receptive_field
from tests.oracles import gen

close = torch.testing.assert_close


def seeded(make):
    """A model with random weights, in float64."""
    torch.manual_seed(3)
    return make().double().eval()


# Each over twelve symbols of three levels: images of 3×4 pixels, of 2×2 in three colours, or sequences.
MODELS = {
    "MADE": lambda: MADE(12, 3, 40, dropout=0.5),
    "PixelCNN": lambda: PixelCNN((1, 3, 4), 3, 6, 3),
    "PixelCNN in colour": lambda: PixelCNN((3, 2, 2), 3, 12, 3),
    "gated PixelCNN": lambda: GatedPixelCNN((1, 3, 4), 3, 6, 5, dropout=0.5),
    "gated PixelCNN in colour": lambda: GatedPixelCNN((3, 2, 2), 3, 12, 4, dropout=0.5),
    "row LSTM": lambda: RowLSTM((1, 3, 4), 3, 6, dropout=0.5),
    "WaveNet": lambda: WaveNet(3, 6, (1, 2, 4, 8)),
    "transformer": lambda: Transformer(3, 12, width=8, layers=2, heads=2, dropout=0.5),
}
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
# On so small an image the blind spot of PixelCNN is there, too: (row, column) = (1, 0) can't see (0, 2).
BLIND = {"PixelCNN", "row LSTM"}
BEFORE = torch.ones(12, 12, dtype=torch.bool).tril(-1)


def some(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(3, (n, 12), generator=gen(seed))


@pytest.mark.equation("eq-ar-triangular")
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_the_jacobian_is_strictly_triangular_in_training_and_evaluation(name, training):
    model = seeded(MODELS[name]).train(training)
    found = dependence(model, some(40))
    assert not (found & ~BEFORE).any()
    if name not in BLIND:
        assert torch.equal(found, BEFORE)  # and everything before is seen


@pytest.mark.equation("eq-ar-triangular")
@pytest.mark.parametrize("training", [False, True])
@every_model
def test_a_change_of_a_symbol_is_felt_after_it_only(make, training):
    """Without derivatives: other symbols from a place on, equal draws of dropout, equal logits to it."""
    model, x, other = seeded(make).train(training), some(8), some(8, seed=1)

    def logits(x):
        torch.manual_seed(7)
        return model(x)

    for place in range(12):
        changed = torch.cat([x[:, :place], other[:, place:]], dim=1)
        close(logits(changed)[:, : place + 1], logits(x)[:, : place + 1], rtol=0, atol=1e-12)
        if place < 11:
            assert not torch.equal(logits(changed)[:, place + 1 :], logits(x)[:, place + 1 :])


@pytest.mark.parametrize("fault", ["mask B first", "no shift", "no mask"])
def test_the_check_sees_what_it_is_for(fault):
    if fault == "mask B first":
        model = seeded(MODELS["PixelCNN"])
        model.first = MaskedConv2d("B", 1, 6, 2, 3).double()
    elif fault == "no shift":
        model = seeded(MODELS["transformer"])
        model.begin = lambda embedded: torch.cat([embedded, embedded[:, :1]], dim=1)
    else:
        model = seeded(MODELS["MADE"])
        model.layers[3].mask.fill_(1)
    assert (dependence(model, some(20)) & ~BEFORE).any()


def test_symbols_enter_as_evenly_spaced_numbers_from_minus_one_to_one():
    close(WaveNet(5, 6, (1,)).embed(torch.arange(5)[None])[0, :, 0], torch.linspace(-1, 1, 5))


@every_model
def test_a_sequence_does_not_depend_on_its_neighbours_in_the_batch(make):
    model, x = seeded(make), some(5)
    close(model(x)[2:3], model(x[2:3]), rtol=0, atol=1e-12)


@pytest.mark.equation("eq-ar-chain")
@pytest.mark.parametrize("name", ["MADE", "gated PixelCNN", "row LSTM", "WaveNet", "transformer"])
def test_the_probabilities_of_all_sequences_sum_to_one(name):
    """All 3⁴ of them; with a network that looks ahead the sum is another."""
    small = {
        "MADE": lambda: MADE(4, 3, 12),
        "gated PixelCNN": lambda: GatedPixelCNN((1, 2, 2), 3, 6, 2),
        "row LSTM": lambda: RowLSTM((1, 2, 2), 3, 6),
        "WaveNet": lambda: WaveNet(3, 6, (1, 2)),
        "transformer": lambda: Transformer(3, 4, width=8, layers=2, heads=2),
    }
    model = seeded(small[name])
    everything = torch.tensor(list(itertools.product(range(3), repeat=4)))
    assert log_prob(model, everything).exp().sum().item() == pytest.approx(1, abs=1e-12)
    ahead = model(everything.roll(-1, 1)).log_softmax(-1).gather(-1, everything[..., None]).sum((1, 2))
    assert abs(ahead.exp().sum().item() - 1) > 1e-6


@pytest.mark.equation("eq-ar-chain")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("zeros", [False, True])
def test_every_law_is_the_product_of_its_conditionals_in_every_order(order, zeros):
    """Where nothing has probability 0, and where much has: there a later factor may be any law."""
    law = torch.rand(2, 3, 4, generator=gen(), dtype=torch.float64)
    if zeros:
        law[0], law[:, 1], law[:, :, 2] = 0, 0, 0
    law = (law / law.sum()).permute(order)
    product = torch.ones((), dtype=torch.float64)
    for i in range(3):
        joint = law.flatten(i + 1).sum(-1) if i < 2 else law  # of the first i + 1 coordinates
        total = joint.sum(-1, keepdim=True)
        conditional = torch.where(total > 0, joint / total, 1 / joint.shape[-1])
        close(conditional.sum(-1), torch.ones_like(conditional[..., 0]))
        product = product[..., None] * conditional
    close(product, law)


@pytest.mark.equation("eq-ar-degrees")
@pytest.mark.parametrize("strict_hidden", [False, True])
def test_degrees_decide_what_an_output_can_depend_on(strict_hidden):
    """Weights of one, so that no two paths cancel: an output sees exactly what comes before it."""
    places, units = torch.arange(1, 7), torch.tensor([1, 2, 3, 4, 5, 5, 4, 2])
    masks = [
        degree_mask(places, units),
        degree_mask(units, units, strict=strict_hidden),
        degree_mask(units, places, strict=True),
    ]
    x = torch.rand(6, dtype=torch.float64)

    def network(x):
        for mask in masks:
            x = (mask.double() @ x).exp() ** 0.01
        return x

    seen = torch.autograd.functional.jacobian(network, x) != 0
    wanted = torch.ones(6, 6, dtype=torch.bool).tril(-2 if strict_hidden else -1)
    assert torch.equal(seen, wanted)
    paths = masks[2].long() @ masks[1].long() @ masks[0].long()
    assert torch.equal(paths > 0, wanted)


@pytest.mark.equation("eq-ar-bits")
def test_uniform_data_cost_their_bits_exactly_and_other_laws_entropy_and_divergence():
    model = seeded(lambda: MADE(4, 8, 12))
    everything = torch.tensor(list(itertools.product(range(8), repeat=4)))
    bits = bits_per_dim(log_prob(model, everything), 4)
    law = torch.rand(8**4, generator=gen(1), dtype=torch.float64) ** 3
    law = law / law.sum()
    q = log_prob(model, everything).exp()
    entropy, divergence = -(law * law.log2()).sum(), (law * (law / q).log2()).sum()
    assert (law @ bits).item() == pytest.approx((entropy + divergence).item() / 4, abs=1e-12)
    last = model.layers[-1]
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    close(bits_per_dim(log_prob(model, everything), 4), torch.full((8**4,), 3.0).double())
    # A law that isn't uniform can't be had for fewer bits than its entropy.
    assert (law @ bits).item() > entropy.item() / 4


@pytest.mark.equation("eq-ar-blind-spot")
def test_what_a_plain_pixelcnn_can_see():
    """By back-propagation; b columns to the right are seen from b rows above, and from no less."""
    side = 6
    torch.manual_seed(0)
    model = PixelCNN((1, side, side), 3, 8, 12).double()
    seen = dependence(model, torch.randint(3, (20, side**2), generator=gen())).view([side] * 4)
    for row, column, up, right in itertools.product(range(side), repeat=4):
        a, b = row - up, right - column
        assert seen[row, column, up, right] == ((a > 0 and b <= a) or (a == 0 and b < 0))


@pytest.mark.equation("eq-ar-blind-spot")
def test_two_stacks_have_no_blind_spot():
    side = 6
    torch.manual_seed(0)
    model = GatedPixelCNN((1, side, side), 3, 8, side).double()
    seen = dependence(model, torch.randint(3, (20, side**2), generator=gen()))
    assert torch.equal(seen, torch.ones(side**2, side**2, dtype=torch.bool).tril(-1))


@pytest.mark.equation("eq-ar-blind-spot")
def test_four_layers_of_two_stacks_see_a_rectangle():
    """Five rows up and four columns to either side, and four pixels to the left, with no gap."""
    torch.manual_seed(0)
    model = GatedPixelCNN((1, 7, 11), 3, 4, 4).double()
    seen = dependence(model, torch.randint(3, (5, 77), generator=gen())).view(7, 11, 7, 11)
    wanted = torch.zeros(7, 11, dtype=torch.bool)
    wanted[1:6, 1:10] = True
    wanted[6, 1:5] = True
    assert torch.equal(seen[6, 5], wanted)


def test_a_row_lstm_without_neighbours_is_torchs_cell_in_each_column():
    """The states beside are cut off; torch orders its gates as write, forget, value, output."""
    torch.manual_seed(0)
    model = RowLSTM((1, 5, 4), 3, 6).double().eval()
    with torch.no_grad():
        model.from_state.weight[:, :, [0, 2]] = 0
        image = torch.randn(2, 1, 5, 4, generator=gen(), dtype=torch.float64)
        features = model.first(image)
        given = model.from_input(features)  # (2, 24, 5, 4)
        cell = nn.LSTMCell(24, 6, bias=False).double()
        output, forget, write, value = torch.eye(24, dtype=torch.float64).chunk(4)
        order = torch.cat([write, forget, value, output])
        cell.weight_ih.copy_(order)
        cell.weight_hh.copy_(order @ model.from_state.weight[:, :, 1])
        hidden = torch.zeros_like(features)
        for column in range(4):
            state = None
            for row in range(5):
                state = cell(given[:, :, row, column], state)
                hidden[:, :, row, column] = state[0]
        close(model.maps(image), model.head((features + hidden).relu()), rtol=0, atol=1e-12)


def test_the_row_lstm_sees_a_triangle():
    """Two columns to the right in the row above, by the first convolution, and one more for each row up."""
    torch.manual_seed(0)
    model = RowLSTM((1, 7, 9), 3, 8).double()
    seen = dependence(model, torch.randint(3, (20, 63), generator=gen())).view(7, 9, 7, 9)
    for a in range(1, 7):
        assert seen[6, 1, 6 - a].nonzero().max() == min(1 + a + 1, 8)


@pytest.mark.parametrize("kind", ["A", "B"])
def test_masks_of_colours(kind):
    """Red sees red only behind mask B; green sees red and, behind mask B, itself; blue sees all before it."""
    colours = torch.tensor([0, 1, 2])
    mask = pixel_mask(kind, 2, 3, colours, colours)
    assert mask[:, :, 0].all()
    assert mask[:, :, 1, 0].all()
    assert not mask[:, :, 1, 2].any()
    rows, columns = torch.tril_indices(3, 3, -1 if kind == "A" else 0)
    wanted = torch.zeros(3, 3, dtype=torch.bool)
    wanted[rows, columns] = True
    assert torch.equal(mask[:, :, 1, 1], wanted)
    assert MaskedConv2d("B", 4, 4, 1, 1).mask.all()  # in grey a 1×1 convolution needs none
    with pytest.raises(ValueError, match="'A' or 'B'"):
        pixel_mask("C", 2, 3, colours, colours)
    with pytest.raises(ValueError, match="width of a masked kernel must be odd, not 4"):
        MaskedConv2d("A", 1, 8, 2, 4)
    with pytest.raises(ValueError, match="8 channels can't be shared out among 3"):
        MaskedConv2d("A", 3, 8, 2, 3, colours=3)


def test_images_become_sequences_in_raster_order_colour_by_colour():
    images = torch.arange(2 * 3 * 2 * 4).view(2, 3, 2, 4)
    x = as_sequences(images)
    first = [(c, 0, column) for column in range(4) for c in range(3)]
    assert x[0, :12].tolist() == [images[0][place].item() for place in first]
    assert torch.equal(as_images(x, (3, 2, 4)), images)


@pytest.mark.equation("eq-ar-receptive-field")
@pytest.mark.parametrize(
    ("kernel", "dilations"),
    [(2, (1, 2, 4, 8)), (2, (1, 1, 1)), (3, (1, 3, 9)), (3, (2, 5)), (2, (1, 4)), (5, (1,))],
)
def test_a_stack_sees_as_far_as_the_formula_says(kernel, dilations):
    torch.manual_seed(0)
    layers = [CausalConv1d(1, 1, kernel, d).double() for d in dilations]
    x = torch.randn(1, 1, 60, dtype=torch.float64)
    reach = torch.autograd.functional.jacobian(lambda x: nn.Sequential(*layers)(x)[0, 0, 50], x)[0, 0] != 0
    field = receptive_field(kernel, dilations)
    assert reach.nonzero().min().item() == 50 - field + 1
    assert reach.nonzero().max().item() == 50
    with_gaps = {(2, 5): 9, (1, 4): 4}  # how many of the places are seen where some are left out
    assert reach.sum() == with_gaps.get(dilations, field)


@pytest.mark.equation("eq-ar-receptive-field")
def test_a_wavenet_sees_so_many_symbols_back_and_all_of_them():
    model = seeded(lambda: WaveNet(3, 6, (1, 2, 4)))
    assert model.sees == 8
    seen = dependence(model, torch.randint(3, (30, 20), generator=gen()))
    places = torch.arange(20)
    back = places[:, None] - places
    assert torch.equal(seen, (back >= 1) & (back <= 8))


def copied(model: Transformer) -> nn.TransformerEncoder:
    """torch's own encoder with the weights of ours."""
    width, heads = model.head.in_features, model.layers[0].heads
    layer = nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    encoder = nn.TransformerEncoder(
        layer, len(model.layers), norm=nn.LayerNorm(width), enable_nested_tensor=False
    )
    names = {
        "norm1": "norm_attention",
        "norm2": "norm_mlp",
        "linear1": "mlp.0",
        "linear2": "mlp.2",
        "self_attn.out_proj": "out",
    }
    for theirs, ours in zip(encoder.layers, model.layers, strict=True):
        for name, own in names.items():
            theirs.get_submodule(name).load_state_dict(ours.get_submodule(own).state_dict())
        theirs.self_attn.in_proj_weight.data = ours.query_key_value.weight.data
        theirs.self_attn.in_proj_bias.data = ours.query_key_value.bias.data
    encoder.norm.load_state_dict(model.norm.state_dict())
    return encoder.double()


@pytest.fixture(scope="module")
def transformer():
    torch.manual_seed(0)
    return Transformer(5, 12, width=16, layers=3, heads=4).double().eval()


@pytest.mark.equation("eq-ar-cache")
def test_the_transformer_is_torchs_encoder_behind_a_causal_mask(transformer):
    x = torch.randint(5, (3, 12), generator=gen())
    inputs = torch.cat([transformer.start.expand(3, 1, -1), transformer.symbols(x)[:, :-1]], 1)
    mask = nn.Transformer.generate_square_subsequent_mask(12, dtype=torch.float64)
    for training in (False, True):  # torch has a path of its own for evaluation
        encoder = copied(transformer).train(training)
        theirs = transformer.head(encoder(inputs + transformer.places, mask=mask, is_causal=True))
        close(transformer(x), theirs, rtol=0, atol=1e-10)


def chunks(total: int):
    """All ways to cut `total` places into chunks."""
    for cuts in itertools.product([False, True], repeat=total - 1):
        ends = [place + 1 for place, cut in enumerate(cuts) if cut]
        yield list(itertools.pairwise([0, *ends, total]))


@pytest.mark.equation("eq-ar-cache")
def test_read_in_any_chunks_the_logits_are_the_same(transformer):
    """All 32 ways to cut six places, against torch's encoder on the whole."""
    x = torch.randint(5, (2, 6), generator=gen())
    inputs = transformer.begin(transformer.embed(x))[:, :-1]
    mask = nn.Transformer.generate_square_subsequent_mask(6, dtype=torch.float64)
    whole = transformer.head(copied(transformer)(inputs + transformer.places[:6], mask=mask))
    for cut in chunks(6):
        cache, found = [], []
        for begin, end in cut:
            logits, cache = transformer.read(inputs[:, begin:end], cache)
            found.append(logits)
        close(torch.cat(found, dim=1), whole, rtol=0, atol=1e-10)
        assert cache[0][0].shape == (2, 6, 16)


@pytest.mark.equation("eq-ar-cache")
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("cut", [[(0, 12)], [(0, 5), (5, 9), (9, 12)], [(i, i + 1) for i in range(12)]])
def test_no_chunk_looks_ahead_with_dropout_or_without(cut, training):
    torch.manual_seed(1)
    model = Transformer(3, 12, width=8, layers=2, heads=2, dropout=0.3).double().train(training)

    def in_chunks(embedded):
        inputs, cache, found = model.begin(embedded)[:, :-1], [], []
        for begin, end in cut:
            logits, cache = model.read(inputs[:, begin:end], cache)
            found.append(logits)
        return torch.cat(found, dim=1)

    model.logits = in_chunks
    assert torch.equal(dependence(model, some(30)), BEFORE)


@pytest.mark.parametrize(("past", "new"), [(0, 4), (3, 1), (3, 4)])
def test_a_chunk_sees_its_past_and_itself_up_to_the_diagonal(past, new):
    mask = chunk_mask(past, new)
    for query, key in itertools.product(range(new), range(past + new)):
        assert mask[query, key] == (key <= past + query)


def test_torchs_is_causal_hides_the_past_of_a_chunk():
    """Its triangle is aligned at the upper left, which for a chunk with a past is another mask."""
    query, key = torch.randn(1, 1, 2, 4, generator=gen()), torch.randn(1, 1, 5, 4, generator=gen(1))
    attention = nn.functional.scaled_dot_product_attention
    close(attention(query, key, key, is_causal=True)[0, 0, 0], key[0, 0, 0])  # the first place alone
    ours = attention(query, key, key, attn_mask=chunk_mask(3, 2))
    assert (ours - attention(query, key, key, is_causal=True)).abs().max() > 0.1


@pytest.mark.equation("eq-ar-cache")
@pytest.mark.parametrize("begun", [0, 1, 5])
def test_the_cached_sampler_draws_what_the_plain_one_draws(transformer, begun):
    given = torch.randint(5, (4, begun), generator=gen(2))
    plain = sample(transformer, 4, 12, gen(9), given=given)
    cached = sample_cached(transformer, 4, 12, gen(9), given=given)
    assert torch.equal(plain, cached)
    assert torch.equal(cached[:, :begun], given)


@every_model
def test_samples_have_the_models_law(make):
    """Of the first two symbols, against the probabilities that the model gives them."""
    model = seeded(make)
    drawn = sample(model, 4000, 12, gen())[:, :2]
    assert set(drawn.flatten().tolist()) <= {0, 1, 2}
    pairs = torch.tensor(list(itertools.product(range(3), repeat=2)))
    x = torch.cat([pairs, torch.zeros(9, 10, dtype=torch.long)], dim=1)
    law = model(x).log_softmax(-1)[:, :2].gather(-1, pairs[..., None]).sum((1, 2)).exp()
    found = torch.bincount(3 * drawn[:, 0] + drawn[:, 1], minlength=9) / 4000
    assert ((found - law).abs() < 4 * (law * (1 - law) / 4000).sqrt() + 1e-9).all()


def test_a_draw_follows_the_logits():
    drawn = draw(torch.tensor([0.5, 0.3, 0.2]).log().expand(20_000, -1), gen())
    close(torch.bincount(drawn) / 20_000, torch.tensor([0.5, 0.3, 0.2]), atol=0.015, rtol=0)


@pytest.mark.equation("eq-ar-sampling-cost")
@pytest.mark.parametrize(("width", "length"), [(8, 6), (16, 12)])
def test_sampling_costs_what_the_formula_says(width, length):
    """torch counts the multiplications of one layer, as its places are read one by one or again and again."""
    layer = Layer(width, 2, 0.0).eval()
    inputs = torch.randn(1, length, width)

    def cached():
        past = None
        for i in range(length):
            _, past = layer(inputs[:, i : i + 1], past)

    def plain():
        for i in range(length):
            layer(inputs[:, : i + 1])

    triangle, pyramid = length * (length + 1) // 2, length * (length + 1) * (2 * length + 1) // 6
    assert multiplications(cached) == 12 * width**2 * length + 2 * width * triangle
    assert multiplications(plain) == 12 * width**2 * triangle + 2 * width * pyramid


@pytest.mark.equation("eq-ar-sequential")
@pytest.mark.parametrize("length", [3, 12])
@pytest.mark.parametrize("name", ["MADE", "WaveNet", "transformer"])
def test_drawing_calls_the_network_once_a_symbol_and_scoring_once(name, length):
    model = seeded(MODELS[name])
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    begun = some(2)[:, : 12 - length]
    sample(model, 2, 12, gen(), given=begun)
    assert len(calls) == length
    calls.clear()
    log_prob(model, some(2))
    assert len(calls) == 1


@pytest.mark.equation("eq-ar-sequential")
@pytest.mark.parametrize("name", ["MADE", "WaveNet", "transformer"])
def test_to_draw_every_place_anew_settles_one_more_a_call_and_ends_in_the_plain_sample(name):
    """With the same random numbers; and some sample is whole before as many calls as it has symbols."""
    model, uniform = seeded(MODELS[name]), torch.rand(8, 12, 1, generator=gen(), dtype=torch.float64)

    def drawn(x):
        return (model(x).softmax(-1).cumsum(-1)[..., :2] < uniform).sum(-1)

    plain = torch.zeros(8, 12, dtype=torch.long)
    for i in range(12):
        plain[:, i] = drawn(plain)[:, i]
    guess, right = some(8), []
    for calls in range(1, 13):
        guess = drawn(guess)
        assert torch.equal(guess[:, :calls], plain[:, :calls])
        right.append((guess == plain).all(1).any().item())
    assert torch.equal(drawn(plain), plain)
    assert right.index(True) + 1 < 12


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MADE(12, 3, 10), "width must be at least 11"),
        (lambda: MADE(4, 1, 10), "at least 2 levels, not 1"),
        (lambda: sample(MADE(4, 3, 10), 2, 3, gen(), given=torch.zeros(2, 4).long()), "4 symbols are given"),
        (
            lambda: sample_cached(
                Transformer(3, 4, width=8, layers=1, heads=2), 2, 3, gen(), given=torch.zeros(2, 4).long()
            ),
            "4 symbols are given, more than the length 3",
        ),
        (
            lambda: sample(MADE(4, 3, 10), 3, 4, gen(), given=torch.zeros(1, 2).long()),
            r"given must be \(3, …\), the first symbols of each, not \(1, 2\)",
        ),
        (
            lambda: sample_cached(
                Transformer(3, 4, width=8, layers=1, heads=2), 3, 4, gen(), given=torch.zeros(1, 2).long()
            ),
            r"given must be \(3, …\), the first symbols of each, not \(1, 2\)",
        ),
        (lambda: sample(MADE(4, 3, 10), 2, 2, gen(), given=torch.full((2, 2), 3)), "but given holds 3 … 3"),
        (
            lambda: sample_cached(
                Transformer(3, 4, width=8, layers=1, heads=2), 2, 4, gen(), given=torch.full((2, 2), -1)
            ),
            "symbols are 0 … 2, but given holds -1 … -1",
        ),
        (
            lambda: sample(MADE(4, 3, 10), 2, 4, gen(), given=torch.full((2, 2), 1.7)),
            r"symbols are whole numbers: write given\.long\(\)",
        ),
        (lambda: dependence(MADE(4, 3, 10), torch.zeros(0, 4).long()), "no rows, so nothing could be found"),
        (lambda: sample(MADE(4, 3, 10, dropout=0.5), 2, 4, gen()), r"call eval\(\) on the model first"),
        (
            lambda: sample_cached(
                Transformer(3, 4, width=8, layers=1, heads=2, dropout=0.5), 2, 4, gen()
            ),
            r"call eval\(\) on the model first",
        ),
        (lambda: RowLSTM((3, 4, 4), 3, 6), "grey images, not for 3"),
        (lambda: Transformer(3, 4, width=9, layers=1, heads=2), "multiple of heads = 2, not 9"),
        (lambda: Transformer(3, 4, width=8, layers=1, heads=2)(torch.zeros(1, 5).long()), "4 symbols, not 5"),
        (lambda: WaveNet(3, 4, (1,))(torch.tensor([[0, 3]])), "symbols are 0 … 2, not 0 … 3"),
        (lambda: WaveNet(3, 4, (1,))(torch.zeros(1, 2)), "whole numbers, not of torch.float32; `to_levels`"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_one_dimension_is_a_plain_categorical_law():
    model = seeded(lambda: MADE(1, 4, 3))
    assert log_prob(model, torch.arange(4)[:, None]).exp().sum().item() == pytest.approx(1)
    assert math.isfinite(log_prob(model, torch.tensor([[2]])).item())
