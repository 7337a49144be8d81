"""What a tenant has of its own, besides its profile: kept as JSON in its row."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache

import orjson

from scim_server.store.documents import dump


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """None stands for what the server's settings say, or for the usual."""

    rate_limit: int | None = None  # requests per second and node
    session_idle_s: int | None = None
    session_max_s: int | None = None
    link_by_user_name: bool | None = None  # whether a person may be found to be a user by the name that he signs in with
    guests: bool | None = None  # whether they may sign in
    contact: str | None = None  # whom somebody asks who was refused

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> TenantSettings:
        """From how they are stored. A field that a later version left there is passed over."""
        stored = orjson.loads(text)
        return cls(**{field.name: stored[field.name] for field in dataclasses.fields(cls) if field.name in stored})

    def text(self) -> str:
        return dump({name: value for name, value in dataclasses.asdict(self).items() if value is not None})
