"""What a recipe is: data, networks, losses, loop, and what to make of the result, in one small dataclass."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import torch
from torch import nn

from gdmcourse.training.batches import Data
from gdmcourse.training.cached_training import use_threads
from gdmcourse.training.code_hash import result_hash
from gdmcourse.training.device import make_fabric
from gdmcourse.training.fit import Loss, for_one
from gdmcourse.training.play import Played, play
from gdmcourse.training.player import Player, Rate
from gdmcourse.training.randomness import derive_seed, seeded
from gdmcourse.training.rates import warmup_cosine

if TYPE_CHECKING:
    import lightning_fabric
    from matplotlib.figure import Figure

AnyRecipe = TypeVar("AnyRecipe", bound="Recipe")

# Where code is found by a name that a recipe holds: an entry more there changes no result.
CATALOGUES = ("gdmcourse.data.catalog", "gdmcourse.recipes", "gdmcourse.recipes.trained")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Derive from it, add fields for sizes, define `data`, and `model` and `loss` or `modules` and `players`.

    The fields are what presets set and what a run folder's `config.json` records: numbers and words. A recipe
    of one network defines `model` and `loss`; a game, or one with state of its own, defines `modules` and
    `players`, and names in `result` the player whose network is what it was all for. One that can be looked
    at defines `figure`, one that is scored `metrics`; what only these use can't change the training, and so
    makes no trained network stale (see `hash`).
    """

    result: ClassVar[str] = "model"

    steps: int
    batch_size: int
    lr: float = 1e-3
    warmup: int | None = None  # steps in which the rate rises, to fall to 0 at the end; None: constant
    ema_decay: float | None = None
    clip_norm: float | None = None
    precision: str = "32-true"
    compile: bool = False
    save_every: int = 500
    threads: int | None = None  # on tiny images 1 is fastest
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for what would fail in the middle of the training, or after it."""
        self.check()

    def check(self) -> None:
        """Raise ValueError for settings that can't be; a recipe with settings of its own adds to it."""
        if self.warmup is not None:
            self.rate()

    def hash(self) -> str:
        """Changes with every field that the training reads, and with the code that it runs."""
        settings = asdict(self) | {"below": [recipe.hash() for recipe in self.below()]}
        return result_hash(settings, type(self), *self.parts(), methods=("train", "below"), stop=CATALOGUES)

    def below(self) -> list["Recipe"]:
        """The recipes whose trained networks this one is built on."""
        return []

    def parts(self) -> list[Callable[..., Any]]:
        """Functions that decide the result and that only a catalogue names."""
        return []

    def data(self, split: str) -> Any:
        """The split "train" or "test" of what is trained on."""
        raise NotImplementedError

    def tensors(self, train: Any) -> Data:
        """What batches are drawn from: the data themselves, unless they are more than tensors."""
        return train

    def rate(self) -> Rate:
        """The learning rate: constant, or with a warm-up and half a cosine."""
        return self.lr if self.warmup is None else warmup_cosine(self.lr, self.steps, self.warmup)

    def model(self, train: Any) -> nn.Module:
        """The network before training, made for the shape of the data."""
        raise NotImplementedError

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """The loss, made once: a function (model, batch, rng) → the scalar to be made small."""
        raise NotImplementedError

    def modules(self, train: Any) -> dict[str, nn.Module]:
        """The networks before training by name, and state of the recipe's own, such as a pool of images."""
        return {"model": self.model(train)}

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """How the networks are trained, in the order in which they move."""
        player = Player(
            loss=for_one(self.loss(device)),
            lr=self.rate(),
            clip_norm=self.clip_norm,
            ema_decay=self.ema_decay,
        )
        return {"model": player}

    def after_step(self, modules: dict[str, nn.Module], step: int) -> None:
        """Called after each step, to change state of the recipe's own."""

    def build(self, train: Any) -> dict[str, nn.Module]:
        """The modules with the weights that the seed gives them."""
        with seeded(derive_seed(self.seed, "weights")):
            return self.modules(train)

    def train(
        self,
        train: Any = None,
        *,
        fabric: "lightning_fabric.Fabric | None" = None,
        checkpoint: Path | None = None,
        progress: bool | None = None,
    ) -> Played:
        """Run the loop, or go on with it from `checkpoint`.

        `train` holds the data where they have been loaded already. Without a `fabric` there is one process.
        """
        train = self.data("train") if train is None else train
        fabric = fabric or make_fabric(devices=1, nodes=1, precision=self.precision)
        modules = self.build(train)
        with use_threads(self.threads):
            return play(
                modules,
                self.players(modules, fabric.device),
                self.tensors(train),
                steps=self.steps,
                batch_size=self.batch_size,
                seed=self.seed,
                after_step=lambda step: self.after_step(modules, step),
                compile=self.compile,
                checkpoint=checkpoint,
                save_every=self.save_every,
                fabric=fabric,
                progress=progress,
            )

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """By the history's names, what the losses of untrained networks lie near, and how near."""
        raise NotImplementedError

    def figure(self, model: nn.Module, rng: torch.Generator) -> "Figure | None":
        """A picture of what the trained network makes; None if there is nothing to see."""
        return None

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Scores of the trained network by name."""
        return {}

    def presets(self: AnyRecipe, *, smoke: dict[str, Any] | None = None, **gpu: Any) -> dict[str, AnyRecipe]:
        """This recipe as `laptop`; made tiny, with these changes, as `smoke`; and with others as `gpu`.

        Without a word `smoke` takes 8 steps of batches of 8; `gpu` is compiled, in bfloat16.
        """
        tiny: dict[str, Any] = {"steps": 8, "batch_size": 8, "warmup": None if self.warmup is None else 2}
        fast: dict[str, Any] = {"precision": "bf16-mixed", "compile": True, "threads": None}
        return {
            "smoke": replace(self, **tiny | (smoke or {})),
            "laptop": self,
            "gpu": replace(self, **fast | gpu),
        }
