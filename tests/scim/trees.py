"""Filters grown from leaves, for the properties."""

from hypothesis import strategies as st

from scim_server.scim.filters import And, Filter, Not, Or


def joined(kind: type[And[Filter]] | type[Or[Filter]], terms: list[Filter]) -> Filter:
    """As the parser joins: a chain is one node."""
    flat: list[Filter] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, kind) else [term])
    return kind(tuple(flat))


def grown(trees: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    """One step of ``st.recursive``."""
    several = st.lists(trees, min_size=2, max_size=4)
    return st.one_of(st.builds(joined, st.just(And), several), st.builds(joined, st.just(Or), several), st.builds(Not, trees))
