"""Changes of a recipe's fields, as they are typed on the command line."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from gdmcourse.recipes.recipe import Recipe


def with_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with fields replaced by texts such as "target=x0", "lr=1e-3" or "multipliers=[1, 2, 2]".

    A value is JSON where it can be read as such, else a word. Raises ValueError, which lists the fields there
    are, for an unknown one, and for a value of another kind than the field's.
    """
    known, kinds, changes = asdict(recipe), get_type_hints(type(recipe)), dict[str, Any]()
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not equals or field not in known:
            raise ValueError(f"{setting!r} isn't FIELD=VALUE with a field of: {', '.join(known)}")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        value = tuple(value) if isinstance(value, list) else value
        if not _fits(value, kinds[field]) and _fits(_as_floats(value), kinds[field]):
            value = _as_floats(value)
        if not _fits(value, kinds[field]):
            raise ValueError(f"{field} is {known[field]!r} in this recipe, so {text!r} can't replace it")
        changes[field] = value
    return replace(recipe, **changes)


def _as_floats(value: Any) -> Any:
    """The value with each whole number, alone or in a tuple, as a float."""
    if isinstance(value, tuple):
        return tuple(map(_as_floats, value))
    return float(value) if type(value) is int else value


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a field's kind: a number, word or truth value, a tuple of these, or None."""
    if get_origin(kind) is UnionType:
        return any(_fits(value, part) for part in get_args(kind))
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_fits(part, get_args(kind)[0]) for part in value)
    return type(value) is (NoneType if kind is None else kind)
