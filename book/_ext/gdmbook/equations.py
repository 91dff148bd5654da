"""A link to a labelled equation by its number, as the role `{eq}` makes it."""

from docutils import nodes
from sphinx import addnodes


def equation_reference(label: str, docname: str, *, warn: bool = True) -> nodes.Node:
    """Return a reference to equation `label` for page `docname`; with `warn` an unknown label is an error."""
    return addnodes.pending_xref(
        "",
        nodes.literal("", label),
        refdomain="math",
        reftype="eq",
        reftarget=label,
        refdoc=docname,
        refexplicit=False,
        refwarn=warn,
    )
