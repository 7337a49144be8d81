"""How many examples a property is tried with: few in each run of the tests, as many as SCIM_EXAMPLES says in a long one."""

from __future__ import annotations

import os

_LONG = int(os.environ.get("SCIM_EXAMPLES", "0"))


def examples(few: int) -> int:
    return max(few, _LONG)
