"""The errors of the data room. Each says what was wrong and what to do about it."""


class DataError(ValueError):
    """Any failure to deliver a data set; the parent of the errors below."""


class UnknownDatasetError(DataError):
    """The name is not one of the known ones, which the message lists."""


class MissingDataError(DataError):
    """The data set is not on this machine and could not be, or was not to be, downloaded."""


class CorruptFileError(DataError):
    """A file is damaged. The message names it; nothing else was touched."""


class ImageFolderError(DataError):
    """A folder of images is absent, empty, or mixes sizes."""
