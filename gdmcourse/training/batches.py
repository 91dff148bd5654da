"""Shuffled batches of data that lies on the device, drawn by number."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gdmcourse.training.randomness import derive_seed

if TYPE_CHECKING:
    import lightning_fabric

Data = Tensor | tuple[Tensor, ...]  # what is trained on; a batch has the same form


class Batches:
    """An endless supply of shuffled batches: `batches[k]` is the k-th, k = 0, 1, …

    One shuffled pass over the data follows the other, each example once in each. Which examples are in a
    batch depends on the seed and on its number alone, so nothing has to be stored for a resumed run to see
    the same batches. With several processes each takes its own share of the joint batch. The data are moved
    to the device once; a batch is an indexing there. Raises ValueError when the data or the batch size
    don't fit.
    """

    def __init__(self, data: Data, batch_size: int, seed: int, fabric: "lightning_fabric.Fabric") -> None:
        tensors = data if isinstance(data, tuple) else (data,)
        sizes = {len(tensor) for tensor in tensors}
        if len(sizes) != 1 or 0 in sizes:
            raise ValueError(f"the data must be tensors of one length, at least 1, not {sorted(sizes)}")
        if batch_size < 1 or batch_size % fabric.world_size:
            raise ValueError(
                f"batch size {batch_size} can't be divided among {fabric.world_size} process(es); "
                f"use a positive multiple of {fabric.world_size}"
            )
        self.tensors = tuple(tensor.to(fabric.device) for tensor in tensors)
        self.single = not isinstance(data, tuple)
        self.size = sizes.pop()
        self.batch_size, self.seed = batch_size, seed
        self.share = batch_size // fabric.world_size
        self.rank, self.device = fabric.global_rank, fabric.device
        self._orders: dict[int, Tensor] = {}

    def __getitem__(self, number: int) -> Data:
        """This process's share of batch `number`."""
        start = number * self.batch_size + self.rank * self.share
        end, parts = start + self.share, []
        while start < end:  # a batch may reach into the next pass
            epoch, offset = divmod(start, self.size)
            parts.append(self._order(epoch)[offset : offset + end - start])
            start += len(parts[-1])
        index = torch.cat(parts)
        batch = tuple(tensor[index] for tensor in self.tensors)
        return batch[0] if self.single else batch

    def _order(self, epoch: int) -> Tensor:
        if epoch not in self._orders:
            generator = torch.Generator().manual_seed(derive_seed(self.seed, "batches", epoch))
            order = torch.randperm(self.size, generator=generator).to(self.device)
            self._orders = {key: self._orders[key] for key in self._orders if key == epoch - 1} | {
                epoch: order
            }
        return self._orders[epoch]
