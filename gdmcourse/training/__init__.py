"""Training: one loop for one loss (`fit`), one for a two-player game (`fit_game`), and what both need."""

from gdmcourse.training.batches import Batches, Data
from gdmcourse.training.checkpoint import load_checkpoint, load_weights
from gdmcourse.training.device import make_fabric
from gdmcourse.training.fit import Loss, Result, fit
from gdmcourse.training.game import GameLoss, GameResult, fit_game
from gdmcourse.training.history import History
from gdmcourse.training.randomness import derive_seed, seeded
from gdmcourse.training.rates import warmup_cosine
from gdmcourse.training.run import NonFiniteLoss

__all__ = [
    "Batches",
    "Data",
    "GameLoss",
    "GameResult",
    "History",
    "Loss",
    "NonFiniteLoss",
    "Result",
    "derive_seed",
    "fit",
    "fit_game",
    "load_checkpoint",
    "load_weights",
    "make_fabric",
    "seeded",
    "warmup_cosine",
]
