"""A row LSTM: a recurrent network that goes down an image row by row (van den Oord et al. 2016)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.likelihood.masks import MaskedConv2d
from gdmcourse.likelihood.pixelcnn import ImageModel


class RowLSTM(ImageModel):
    """Each pixel's state is made of three states of the row above and of features of the pixels before it.

    What comes from the image is a masked convolution of all rows at once; what comes from the state above is
    a convolution without a mask, one row after the other. For grey images. Source: `def-ar-row-lstm`.
    """

    def __init__(self, shape: tuple[int, int, int], levels: int, width: int, dropout: float = 0.0) -> None:
        super().__init__(shape, levels)
        if shape[0] != 1:
            raise ValueError(f"the row LSTM is for grey images, not for {shape[0]} colours")
        self.width = width
        self.first = MaskedConv2d("A", 1, width, 3, 5)
        self.from_input = MaskedConv2d("B", width, 4 * width, 1, 3)
        self.from_state = nn.Conv1d(width, 4 * width, 3, padding=1, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.ReLU(), nn.Conv2d(2 * width, levels, 1))

    def maps(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n out h w"]:
        """As many steps as there are rows."""
        features = self.first(image)
        inputs = self.from_input(features)  # (n, 4·width, h, w)
        hidden = cell = torch.zeros_like(features[:, :, 0])  # (n, width, w)
        rows = []
        for row in inputs.unbind(2):
            output, forget, write, value = (row + self.from_state(hidden)).chunk(4, dim=1)
            cell = forget.sigmoid() * cell + write.sigmoid() * value.tanh()
            hidden = output.sigmoid() * cell.tanh()
            rows.append(hidden)
        return self.head(F.relu(self.dropout(features + torch.stack(rows, dim=2))))
