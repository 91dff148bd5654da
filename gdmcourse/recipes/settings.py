"""Changes of a recipe's fields, as they are typed on the command line."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from gdmcourse.recipes.recipe import Recipe


def with_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with fields replaced by texts such as "target=x0", "lr=1e-3" or "multipliers=[1, 2, 2]".

    A value is JSON where it can be read as such, else a word. Raises ValueError, which lists the fields there
    are, for an unknown one, and for a value of another kind than the recipe's own.
    """
    known, changes = asdict(recipe), dict[str, Any]()
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not equals or field not in known:
            raise ValueError(f"{setting!r} isn't FIELD=VALUE with a field of: {', '.join(known)}")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        value = tuple(value) if isinstance(value, list) else value
        old = known[field]
        if isinstance(old, float) and type(value) is int:
            value = float(value)
        if old is not None and type(value) is not type(old):
            raise ValueError(f"{field} is {old!r} in this recipe, so {text!r} can't replace it")
        changes[field] = value
    return replace(recipe, **changes)
