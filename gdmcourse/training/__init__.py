"""Training: one loop for any number of players (`play`), of which `fit` is the case of one network."""

from gdmcourse.training.batches import Batches, Data
from gdmcourse.training.checkpoint import load_checkpoint, load_weights
from gdmcourse.training.device import make_fabric
from gdmcourse.training.ema import EMA
from gdmcourse.training.fit import Loss, Result, fit
from gdmcourse.training.history import History
from gdmcourse.training.play import Played, play
from gdmcourse.training.player import Player, PlayerLoss, Rate, Turn
from gdmcourse.training.randomness import derive_seed, seeded
from gdmcourse.training.rates import warmup_cosine
from gdmcourse.training.run import NonFiniteLoss

__all__ = [
    "EMA",
    "Batches",
    "Data",
    "History",
    "Loss",
    "NonFiniteLoss",
    "Played",
    "Player",
    "PlayerLoss",
    "Rate",
    "Result",
    "Turn",
    "derive_seed",
    "fit",
    "load_checkpoint",
    "load_weights",
    "make_fabric",
    "play",
    "seeded",
    "warmup_cosine",
]
