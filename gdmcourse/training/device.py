"""Where training runs: device, number of processes and precision, all by Lightning Fabric."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import lightning_fabric

PRECISIONS = ("32-true", "bf16-mixed")


def make_fabric(
    devices: int | None = None,
    nodes: int | None = None,
    precision: str = "32-true",
    accelerator: str = "auto",
) -> "lightning_fabric.Fabric":
    """A launched Fabric: `cuda` where it is, else `mps`, else the CPU; one process unless told otherwise.

    `devices` counts the processes of one node. Left out, both counts come from `torchrun` if that started us.
    With several devices on one node and no `torchrun`, Fabric starts the other processes itself. float16
    isn't offered because it overflows where bfloat16 doesn't. Raises ValueError for a count or a precision
    that can't be.
    """
    from lightning_fabric import Fabric  # two seconds, so not before it is needed

    devices = devices if devices is not None else int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    nodes = nodes if nodes is not None else int(os.environ.get("GROUP_WORLD_SIZE", 1))
    if devices < 1 or nodes < 1:
        raise ValueError(f"devices and nodes must be at least 1, not {devices} and {nodes}")
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r} isn't one of {', '.join(PRECISIONS)}")
    if nodes > 1 and not os.environ.keys() & {"WORLD_SIZE", "SLURM_NTASKS"}:
        raise ValueError("on several nodes the processes have to be started by torchrun or srun")
    fabric = Fabric(
        accelerator=accelerator,
        devices=devices,
        num_nodes=nodes,
        precision=precision,  # type: ignore[arg-type]
        strategy="ddp" if devices * nodes > 1 else "auto",
    )
    fabric.launch()
    return fabric
