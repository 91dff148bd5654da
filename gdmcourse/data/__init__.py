"""Data sets by name as tensors in [−1, 1]: digits, MNIST, CIFAR-10, a folder of images, and 2-D toys."""

from gdmcourse.data.catalog import CATALOG, is_folder, load
from gdmcourse.data.dataset import Dataset
from gdmcourse.data.errors import (
    CorruptFileError,
    DataError,
    ImageFolderError,
    MissingDataError,
    UnknownDatasetError,
)
from gdmcourse.data.folder import image_folder
from gdmcourse.data.roots import data_root
from gdmcourse.data.toys import TOYS, gaussian_grid, gaussian_ring, toy, toy_mixture

__all__ = [
    "CATALOG",
    "TOYS",
    "CorruptFileError",
    "DataError",
    "Dataset",
    "ImageFolderError",
    "MissingDataError",
    "UnknownDatasetError",
    "data_root",
    "gaussian_grid",
    "gaussian_ring",
    "image_folder",
    "is_folder",
    "load",
    "toy",
    "toy_mixture",
]
