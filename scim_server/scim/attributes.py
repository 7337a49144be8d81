"""What a SCIM attribute is: its characteristics (RFC 7643 §2.2, §7) and where a name points to.

``Attribute`` is one entry of a schema. ``Target`` is the answer to "what does this attribute
notation mean for this resource type": which object of the document, which attribute, which
sub-attribute. Names are compared without regard to case (RFC 7643 §2.1), and always written
back in the schema's own spelling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


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
    _subs: dict[str, Attribute] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._subs.update((sub.name.lower(), sub) for sub in self.sub_attributes)

    def __repr__(self) -> str:
        return f"<{self.type} {self.name}{'[]' if self.multi_valued else ''}>"

    @property
    def is_complex(self) -> bool:
        return self.type is Type.COMPLEX

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
