"""Records of studies: results as JSON, with the machine and the date of the run."""

import datetime
import json
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = Path(__file__).parent


def record(name: str) -> dict[str, Any]:
    """The record `name`; raises ValueError, which lists those there are, for an unknown one."""
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.json")))
        raise ValueError(f"there is no record {name!r}; there are: {known}")
    return json.loads(path.read_text(encoding="utf-8"))


def save_record(name: str, content: dict[str, Any], folder: Path = FOLDER) -> dict[str, Any]:
    """Write `content` as the record `name` into `folder`, with this machine's processor and today's date."""
    content = {**content, "machine": processor(), "date": datetime.date.today().isoformat()}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return content


def picture(name: str) -> "Tensor":
    """The record's picture as one image (1, 1, H, W) in [−1, 1], 1 being ink, for `plots.show_images`."""
    import torch
    from matplotlib.image import imread

    return 1 - 2 * torch.from_numpy(imread(FOLDER / f"{name}.png")[None, None, :, :, 0])


def save_picture(name: str, images: "Tensor", folder: Path = FOLDER) -> None:
    """Write grey images (N, 1, H, W) in [−1, 1] as the picture `name`: rows of ten, ink on paper."""
    from matplotlib.image import imsave

    from gdmcourse.plots.images import image_grid

    grid, options = image_grid(images, columns=10), {"optimize": True}
    imsave(folder / f"{name}.png", grid, cmap="gray_r", vmin=0, vmax=1, pil_kwargs=options)


def processor() -> str:
    """The name of this machine's processor."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.M) if info.exists() else None
    name = found[1].strip() if found else "unknown"
    return name if name != "unknown" else platform.processor() or platform.machine()
