"""Profiles: what a tenant's clients may send beyond the letter of the RFCs (docs/decisions/profiles.md).

There are two switches and no more, so that a tenant's wire can be told in two words.
"""

from __future__ import annotations

from dataclasses import dataclass

ENTRA_DIALECT, TEXT_BOOLEANS = "entra", "text booleans"
"""What is rewritten before anything is parsed: all of Entra's deviations (``entra``), or booleans that came as text (``booleans``)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How the wire of a tenant is read.

    ``lenient``: what no schema has is passed over, what a value path describes is made where it is not there, and values are
    held to their types only. Else all of that is refused, and so is what a schema does not list. ``dialect``: what is rewritten.
    """

    name: str
    lenient: bool
    dialect: str | None


DEFAULT = "entra"
PROFILES = {
    each.name: each
    for each in (
        Profile("entra", lenient=True, dialect=ENTRA_DIALECT),
        Profile("okta", lenient=True, dialect=TEXT_BOOLEANS),
        Profile("rfc", lenient=False, dialect=None),
    )
}
