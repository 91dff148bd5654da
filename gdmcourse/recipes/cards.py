"""Cards of a run and of a data set: what code knows of them, and blanks for what a person must write.

The headings of the first follow Mitchell et al. (2019), the questions of the second are chosen from
Gebru et al. (2021).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from gdmcourse.data.catalog import CATALOG, is_folder, load

BLANK = "*to be written by a person*"
# Assumed, and measured by nobody: of a processor's core, of a large card, of a small machine's graphics.
WATTS = {"cpu": 15.0, "cuda": 400.0, "mps": 15.0}
SHOWN = 20  # classes in the table of a data card
SOURCES = {
    "digits": "Digits that 13 people wrote into forms (Alpaydin and Kaynak 1998, its test part).",
    "mnist": "Digits of census workers and of pupils, scanned by NIST (LeCun et al. 1998).",
    "cifar10": "Photographs found on the web and labelled by paid students (Krizhevsky 2009).",
    "stacked": "Three of the digits of `digits` as the channels of one image, drawn by this course.",
}


def kilowatt_hours(seconds: float, device: str = "cpu") -> float:
    """Energy of a run on one core or one card, at the watts that are assumed in WATTS."""
    return WATTS[device.partition(":")[0]] * seconds / 3.6e6


def card(subject: str | Path) -> str:
    """The model card of a run folder, or the data card of a data set; raises ValueError for neither."""
    if (Path(subject) / "config.json").is_file():
        return model_card(Path(subject))
    if str(subject) in CATALOG or is_folder(str(subject)):
        return data_card(str(subject))
    raise ValueError(
        f"{subject} is neither the folder of a run (see gdmcourse train) nor a data set; "
        f"the data sets are {', '.join(CATALOG)}"
    )


def model_card(run: Path) -> str:
    """The card in Markdown, from the run's own files; raises ValueError for a run that isn't complete."""
    if not (run / "metrics.json").is_file():
        raise ValueError(
            f"{run} isn't complete, so there is nothing to report; `gdmcourse train` goes on with it"
        )
    config = json.loads((run / "config.json").read_text())
    metrics = json.loads((run / "metrics.json").read_text())
    settings = config["recipe"]
    about = {name: metrics.pop(name) for name in ("parameters", "steps", "seconds", "device")}
    energy = kilowatt_hours(about["seconds"], about["device"])
    watts = WATTS[about["device"].partition(":")[0]]
    source = "Made by this course's code, in the recipe's method `data`; there is no data card: " + BLANK
    if "dataset" in settings:
        source = f"{settings['dataset']}; see its data card."
    return _document(
        f"Model card: {config['name']}",
        {
            "Model details": [
                f"Recipe `{config['name']}`, preset `{config['preset']}`, seed {settings['seed']}.",
                f"{about['parameters']:,} parameters, {about['steps']:,} steps of {settings['batch_size']}.",
                "Version, licence, whom to ask: " + BLANK,
            ],
            "Intended use": ["What for, by whom, and what not for: " + BLANK],
            "Factors": ["Groups of people or conditions for which it may work unlike: " + BLANK],
            "Metrics and results": _table(metrics) or ["The recipe has no scores."],
            "Training and evaluation data": [source],
            "Ethical considerations": [
                "Consent, copyright, copies of training data (which test, which result): " + BLANK
            ],
            "Compute": [
                f"{about['seconds']:,.1f} s on {about['device']}; {energy:.2g} kWh, if it took "
                f"{watts:.0f} watts, which is assumed."
            ],
            "Caveats": ["What is known to go wrong: " + BLANK],
            "All settings": _table(settings),
        },
    )


def data_card(name: str) -> str:
    """The card in Markdown, of what can be counted in a data set; raises ValueError as `load` does."""
    splits = {split: load(name, split) for split in ("train", "test")}
    train, test = splits["train"], splits["test"]
    low, high = train.images.aminmax()
    counts = {c: f"{n} + {test.class_counts[c]}" for c, n in list(train.class_counts.items())[:SHOWN]}
    if (more := len(train.class_counts) - SHOWN) > 0:
        counts["…"] = f"and {more:,} classes more"
    return _document(
        f"Data card: {name}",
        {
            "Motivation": ["Who made it, what for, who paid: " + BLANK],
            "Composition": [
                *(
                    f"{split}: {len(part):,} images of {tuple(part.images.shape[1:])}."
                    for split, part in splits.items()
                ),
                f"Values from {low:g} to {high:g}; {len(train.classes):,} classes.",
                f"{repeats(train.images)} of the images for training repeat another one.",
                f"{shared(train.images, test.images)} of the images for testing are also for training.",
                "People whom it shows or who can be told from it: " + BLANK,
            ],
            "Images of each class (train + test)": _table(counts),
            "Collection": [
                SOURCES.get(name, BLANK),
                "Consent of the people, and how to withdraw it: " + BLANK,
            ],
            "Preprocessing": [train.note or "None beyond what the loader's documentation says."],
            "Uses": ["What it should not be used for: " + BLANK],
            "Distribution and maintenance": ["Licence, and who mends it: " + BLANK],
        },
    )


def unanswered(text: str) -> list[str]:
    """The lines of a card that still wait for a person."""
    return [line.removeprefix("- ") for line in text.splitlines() if BLANK in line]


def repeats(images: torch.Tensor) -> int:
    """How many images there are more than different ones."""
    return len(images) - len(images.flatten(1).unique(dim=0))


def shared(train: torch.Tensor, test: torch.Tensor) -> int:
    """How many images of `test` are also in `train`, pixel by pixel."""
    known = {row.numpy().tobytes() for row in train.flatten(1)}
    return sum(row.numpy().tobytes() in known for row in test.flatten(1))


def _table(values: Mapping[str, Any]) -> list[str]:
    def shown(value: Any) -> str:
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    rows = [f"| {name} | {shown(value)} |" for name, value in values.items()]
    return ["| | |", "| --- | --- |", *rows] if rows else []


def _document(title: str, sections: dict[str, list[str]]) -> str:
    parts = [f"# {title}"]
    for heading, lines in sections.items():
        body = "\n".join(line if line.startswith("|") else f"- {line}" for line in lines)
        parts.append(f"## {heading}\n\n{body}")
    return "\n\n".join(parts) + "\n"
