"""What a SCIM attribute is: its characteristics (RFC 7643 §2.2, §7) and where a name points to.

``Attribute`` is one entry of a schema. ``Target`` is the answer to "what does this attribute
notation mean for this resource type": which object of the document, which attribute, which
sub-attribute. Names are compared without regard to case (RFC 7643 §2.1), and always written
back in the schema's own spelling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class _Knowing(Protocol):
    @property
    def known(self) -> dict[Any, Any]: ...


Known = TypeVar("Known", bound=_Knowing)


def derived(make: Callable[[Known], T]) -> Callable[[Known], T]:
    """Keep what ``make`` makes of an attribute, a schema or a resource type with that object: made once, gone with it.

    So what follows from a tenant's own schemas is forgotten together with them, however many tenants there are.
    """

    @wraps(make)
    def found(of: Known) -> T:
        known = of.known
        if make not in known:
            known[make] = make(of)
        result: T = known[make]
        return result

    return found


class Type(StrEnum):
    """Data types (RFC 7643 §2.3)."""

    STRING = "string"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATETIME = "dateTime"
    BINARY = "binary"
    REFERENCE = "reference"
    COMPLEX = "complex"


class Mutability(StrEnum):
    READ_ONLY = "readOnly"
    READ_WRITE = "readWrite"
    IMMUTABLE = "immutable"
    WRITE_ONLY = "writeOnly"


class Returned(StrEnum):
    ALWAYS = "always"
    NEVER = "never"
    DEFAULT = "default"
    REQUEST = "request"


class Uniqueness(StrEnum):
    NONE = "none"
    SERVER = "server"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute of a schema, with the defaults of RFC 7643 §2.2.

    Compared and hashed by identity: two schemas may have an attribute of the same name.
    """

    name: str
    type: Type = Type.STRING
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: Mutability = Mutability.READ_WRITE
    returned: Returned = Returned.DEFAULT
    uniqueness: Uniqueness = Uniqueness.NONE
    description: str = ""
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple[Attribute, ...] = ()
    known: dict[Any, Any] = field(init=False, repr=False, default_factory=dict)
    _subs: dict[str, Attribute] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._subs.update((sub.name.lower(), sub) for sub in self.sub_attributes)

    def __repr__(self) -> str:
        return f"<{self.type} {self.name}{'[]' if self.multi_valued else ''}>"

    @property
    def is_complex(self) -> bool:
        return self.type is Type.COMPLEX

    @property
    def shown(self) -> bool:
        """Whether anybody is ever shown its values (RFC 7643 §7)."""
        return self.returned is not Returned.NEVER and self.mutability is not Mutability.WRITE_ONLY

    @property
    def kept(self) -> bool:
        """Whether values that clients send are kept. What nobody is ever shown is taken and dropped."""
        return self.shown and self.mutability is not Mutability.READ_ONLY

    def sub(self, name: str) -> Attribute | None:
        """The sub-attribute of that name, in whatever case; None if there is none."""
        return self._subs.get(name.lower())


@dataclass(frozen=True, slots=True)
class Target:
    """Where an attribute notation points within a resource.

    ``extension`` is the URN of the extension object that holds the attribute, None for the
    resource itself. ``attribute`` is None when the notation names a whole extension.
    """

    extension: str | None
    attribute: Attribute | None
    sub: Attribute | None = None

    @property
    def leaf(self) -> Attribute:
        """The attribute whose values are meant."""
        leaf = self.sub or self.attribute
        assert leaf is not None, "a whole extension has no leaf"
        return leaf

    def __str__(self) -> str:
        name = self.attribute.name if self.attribute else ""
        if self.sub:
            name += "." + self.sub.name
        if self.extension:
            return f"{self.extension}:{name}" if name else self.extension
        return name
