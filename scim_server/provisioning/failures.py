"""What a client is told of what the store refuses: the same whether it asked by a request of its own or in a Bulk."""

from __future__ import annotations

from scim_server.scim.errors import InvalidValue, ScimError, UniquenessError
from scim_server.store.errors import StoreError, Taken, UnknownMembers

_NAMED_IDS = 10


def refusal(failure: StoreError) -> ScimError | None:
    """The refusal that a store's error is to a client; None if it is none."""
    if isinstance(failure, Taken):
        case = "" if ":" in failure.attribute else " (case does not matter)"  # of a tenant's own attribute it may
        return UniquenessError(f"Another resource of this type already has this {failure.attribute}{case}.")
    if isinstance(failure, UnknownMembers):
        named = ", ".join(repr(each[:64]) for each in failure.ids[:_NAMED_IDS])
        more = f" and {len(failure.ids) - _NAMED_IDS} more" if len(failure.ids) > _NAMED_IDS else ""
        return InvalidValue(f"No user or group has the id {named}{more}; nothing was changed.")
    return None
