"""A course on generative models: the library behind the book.

Nothing heavy is imported here; import the room that you need, such as ``gdmcourse.probability``.
"""

__version__ = "0.1.0"
