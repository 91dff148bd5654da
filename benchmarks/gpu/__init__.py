"""Try and measure the library on one graphics card: checks, training and sampling of every `gpu` preset.

`python -m benchmarks.gpu` needs torch, torchvision, scikit-learn and Lightning, no data sets and no network,
and ends within eight minutes; what they don't suffice for is named. `--plan` says what it would do, and
`--smoke` does all of it in little on the processor. Only what a card measured is written to results.json.

A training's examples a second are those of `play` with batches on the card, after a warm-up that compiles.
The share of the card's rate is the floating-point operations of its matrix products and convolutions, as
torch counts them, over what the card does in the same time when it multiplies large matrices in bfloat16.
"""
