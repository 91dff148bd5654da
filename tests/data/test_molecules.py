"""Strings of the toy chemistry: the checker against a grammar, the canonical form against isomorphism."""

import itertools
import random

import networkx
import pytest

from gdmcourse.data.molecules import (
    LENGTH,
    VALENCE,
    canonical,
    decode,
    draw_molecules,
    encode,
    parse,
    write,
)
from tests.oracles import gen

SIGNS = {"": 1, "=": 2, "#": 3}


def chains(length, taken):
    """By the grammar's rules, all chains of so many symbols whose first atom has `taken` bonds already."""
    for atom, valence in VALENCE.items():
        if length >= 1 and taken <= valence:
            yield from (atom + rest for rest in tails(length - 1, valence - taken))


def tails(length, free):
    """What can follow an atom with so many free bonds: nothing, a branch and more, or a bond and a chain."""
    if length == 0:
        yield ""
    for sign, order in SIGNS.items():
        if order <= free:
            yield from (sign + chain for chain in chains(length - len(sign), order))
            for inside in range(1, length - 1 - len(sign)):
                for branch, rest in itertools.product(
                    list(chains(inside, order)), list(tails(length - 2 - len(sign) - inside, free - order))
                ):
                    yield f"({sign}{branch}){rest}"


def test_just_those_strings_are_valid_that_the_grammar_writes():
    for length in (1, 2, 3, 4):
        written = set(chains(length, 0))
        accepted = {
            text for text in map("".join, itertools.product("CNOF=#()", repeat=length)) if canonical(text)
        }
        assert accepted == written


def graph(text):
    molecule = parse(text)
    made = networkx.Graph()
    made.add_nodes_from((i, {"atom": atom}) for i, atom in enumerate(molecule.atoms))
    made.add_edges_from((a, b, {"order": order}) for a, b, order in molecule.bonds)
    return made


def test_one_name_for_a_molecule_and_one_molecule_for_a_name():
    strings = draw_molecules(60, gen(1))
    for one, other in itertools.combinations(strings, 2):
        alike = networkx.is_isomorphic(
            graph(one),
            graph(other),
            node_match=lambda a, b: a["atom"] == b["atom"],
            edge_match=lambda a, b: a["order"] == b["order"],
        )
        assert (canonical(one) == canonical(other)) == alike


def test_every_way_of_writing_has_the_same_name():
    for text in ("C(=O)(N)CF", "CC(C)(C)C#N", *draw_molecules(20, gen(2))):
        molecule, shuffle = parse(text), random.Random(0)
        ways = {write(molecule, root, shuffle) for root in range(len(molecule.atoms)) for _ in range(4)}
        assert {canonical(way) for way in ways} == {canonical(text)}


def test_drawn_strings_are_valid_and_survive_coding():
    strings = draw_molecules(300, gen(3))
    assert all(canonical(text) for text in strings)
    assert {len(parse(text).atoms) for text in strings} == {3, 4, 5, 6, 7}
    assert decode(encode(strings)) == strings


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "ends too early"),
        ("C(", "ends too early"),
        ("C=", "ends too early"),
        ("C()", r"'\)' can't stand at place 3"),
        ("=C", "'=' can't stand at place 1"),
        ("C)", "can't stand at place 2"),
        ("Cl", "'l' can't stand at place 2"),
        ("F=C", "atom 1, F, has 2 bonds; it can have 1"),
    ],
)
def test_what_is_wrong_is_said(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse(text)
    with pytest.raises(ValueError, match="isn't a string of fewer"):
        encode(["C" * LENGTH])
