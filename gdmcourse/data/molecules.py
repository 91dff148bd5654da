"""Strings in the manner of SMILES over a toy chemistry: four atoms, three bonds, branches, and no rings.

`C(=O)N` is a carbon with a double bond to an oxygen and a single one to a nitrogen; hydrogens fill up what an
atom has left and aren't written. A string is valid if its brackets close and no atom has more bonds than it
can. This is no chemistry: no rings, charges or aromatic bonds, and nothing of what would fall apart.
"""

import random
from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Generator, Tensor

VALENCE = {"C": 4, "N": 3, "O": 2, "F": 1}
ORDER = {"-": 1, "=": 2, "#": 3}  # a single bond is not written
END = "."
SYMBOLS = END + "CNOF=#()"
LENGTH = 24  # symbols of a row, END included
_SHARES = {"C": 0.6, "N": 0.15, "O": 0.2, "F": 0.05}


class Molecule(NamedTuple):
    """Atoms by name, and bonds (atom, atom, order) that join them to a tree."""

    atoms: list[str]
    bonds: list[tuple[int, int, int]]


def parse(text: str) -> Molecule:
    """The molecule that a string describes; raises ValueError, which says where and why, if it does not."""
    atoms: list[str] = []
    bonds: list[tuple[int, int, int]] = []
    branches: list[int] = []
    here, order, last = -1, 0, ""
    for place, symbol in enumerate(text):
        ended = last == ")" or last in VALENCE  # something can be closed, or branch off
        if symbol in VALENCE:
            if here >= 0:
                bonds.append((here, len(atoms), order or 1))
            here, order = len(atoms), 0
            atoms.append(symbol)
        elif symbol in "=#" and (ended or last == "("):
            order = ORDER[symbol]
        elif symbol == "(" and ended:
            branches.append(here)
        elif symbol == ")" and ended and branches:
            here = branches.pop()
        else:
            raise ValueError(f"{text!r}: {symbol!r} can't stand at place {place + 1}")
        last = symbol
    if not atoms or branches or order:
        raise ValueError(f"{text!r} ends too early")
    used = [0] * len(atoms)
    for one, other, bond in bonds:
        used[one] += bond
        used[other] += bond
    for number, (atom, count) in enumerate(zip(atoms, used, strict=True)):
        if count > VALENCE[atom]:
            raise ValueError(
                f"{text!r}: atom {number + 1}, {atom}, has {count} bonds; it can have {VALENCE[atom]}"
            )
    return Molecule(atoms, bonds)


def write(molecule: Molecule, root: int, shuffle: random.Random | None = None) -> str:
    """The molecule as a string that begins at the atom `root`, its branches sorted, or in random order."""
    neighbours: dict[int, list[tuple[int, str]]] = {atom: [] for atom in range(len(molecule.atoms))}
    for one, other, order in molecule.bonds:
        sign = {1: "", 2: "=", 3: "#"}[order]
        neighbours[one].append((other, sign))
        neighbours[other].append((one, sign))

    def below(atom: int, parent: int) -> str:
        parts = sorted(
            (sign + below(child, atom) for child, sign in neighbours[atom] if child != parent),
            key=lambda part: (len(part), part),
        )
        if shuffle is not None:
            shuffle.shuffle(parts)
        return molecule.atoms[atom] + "".join(f"({part})" for part in parts[:-1]) + "".join(parts[-1:])

    return below(root, -1)


def canonical(text: str) -> str | None:
    """One and the same string for all strings of a molecule; None for a string that isn't valid.

    The first in order of those that begin at its atoms with sorted branches: two trees are alike if and only
    if these are.
    """
    try:
        molecule = parse(text)
    except ValueError:
        return None
    return min(write(molecule, root) for root in range(len(molecule.atoms)))


def draw_molecules(n: int, rng: Generator) -> list[str]:
    """`n` strings of three to seven atoms each, grown atom by atom and written from one chosen by chance."""
    seed = torch.randint(2**62, (1,), generator=rng, device=rng.device).item()
    chance, strings = random.Random(seed), list[str]()
    while len(strings) < n:
        molecule = _grow(chance.randint(3, 7), chance)
        text = write(molecule, chance.randrange(len(molecule.atoms)), chance)
        if len(text) < LENGTH:
            strings.append(text)
    return strings


def _grow(size: int, chance: random.Random) -> Molecule:
    atoms, bonds = ["C"], list[tuple[int, int, int]]()
    free = [VALENCE["C"]]
    while len(atoms) < size and any(free):
        open_ones = [atom for atom, left in enumerate(free) if left]
        here = open_ones[-1] if chance.random() < 0.7 else chance.choice(open_ones)
        (atom,) = chance.choices(list(_SHARES), list(_SHARES.values()))
        (order,) = chance.choices((1, 2, 3), (0.8, 0.15, 0.05))
        order = min(order, free[here], VALENCE[atom])
        bonds.append((here, len(atoms), order))
        atoms.append(atom)
        free[here] -= order
        free.append(VALENCE[atom] - order)
    return Molecule(atoms, bonds)


def encode(strings: list[str]) -> Int64[Tensor, "n length"]:
    """A row of LENGTH numbers for each string, filled up with ends. Raises ValueError where it can't be."""
    for text in strings:
        if len(text) >= LENGTH or set(text) - set(SYMBOLS[1:]):
            raise ValueError(f"{text!r} isn't a string of fewer than {LENGTH} of the symbols {SYMBOLS[1:]!r}")
    return torch.tensor([[SYMBOLS.index(symbol) for symbol in text.ljust(LENGTH, END)] for text in strings])


def decode(rows: Int64[Tensor, "n length"]) -> list[str]:
    """The string of each row, up to its first end."""
    return ["".join(SYMBOLS[number] for number in row).partition(END)[0] for row in rows.tolist()]
