"""The schemas that are served: core User, enterprise User, Group (RFC 7643 §4, §8.7.1), and the
resource types built from them (§6).

The verified errata are applied: Group.displayName is required (5368), User.groups.$ref refers to
Group only (8471), manager.value is caseExact (8472). ``members.display`` is in the published
schema, as RFC 7643 §2.4 has it for every multi-valued attribute (reported 6011).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from scim_server.scim.attributes import Attribute, Mutability, Returned, Target, Type, Uniqueness

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A schema: a URN and the attributes under it."""

    id: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]
    known: dict[Any, Any] = field(init=False, repr=False, default_factory=dict)
    _by_name: dict[str, Attribute] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update((a.name.lower(), a) for a in self.attributes)

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name, in whatever case; None if there is none."""
        return self._by_name.get(name.lower())


# Common attributes (RFC 7643 §3.1): part of every resource, listed in no schema.
SCHEMAS = Attribute(
    "schemas",
    Type.REFERENCE,
    multi_valued=True,
    returned=Returned.ALWAYS,
    description="The URIs of the schemas that this resource uses.",
)
ID = Attribute(
    "id",
    case_exact=True,
    mutability=Mutability.READ_ONLY,
    returned=Returned.ALWAYS,
    uniqueness=Uniqueness.SERVER,
    description="The identifier that the server gave the resource.",
)
EXTERNAL_ID = Attribute(
    "externalId",
    case_exact=True,
    description="The identifier that the client gave the resource.",
)
META = Attribute(
    "meta",
    Type.COMPLEX,
    mutability=Mutability.READ_ONLY,
    description="What the server knows about the resource.",
    sub_attributes=(
        Attribute("resourceType", case_exact=True, mutability=Mutability.READ_ONLY),
        Attribute("created", Type.DATETIME, mutability=Mutability.READ_ONLY),
        Attribute("lastModified", Type.DATETIME, mutability=Mutability.READ_ONLY),
        Attribute("location", Type.REFERENCE, case_exact=True, mutability=Mutability.READ_ONLY, reference_types=("uri",)),
        Attribute("version", case_exact=True, mutability=Mutability.READ_ONLY),
    ),
)
COMMON = Schema("", "Common", "Attributes of every resource.", (SCHEMAS, ID, EXTERNAL_ID, META))


@dataclass(frozen=True, slots=True, eq=False)
class ResourceType:
    """A kind of resource: its endpoint, its schema, its extensions (RFC 7643 §6).

    ``required``: the URNs of the extensions that every resource must have. No URN is the beginning of another with a colon
    behind it (``definitions`` sees to that), so a notation can belong to one schema only.
    """

    name: str
    endpoint: str
    description: str
    schema: Schema
    extensions: tuple[Schema, ...] = ()
    required: frozenset[str] = frozenset()
    known: dict[Any, Any] = field(init=False, repr=False, default_factory=dict)
    _extensions: dict[str, Schema] = field(init=False, repr=False, default_factory=dict)
    # What was resolved, by its lower case; there are no more than there are names.
    _targets: dict[str, Target] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._extensions.update((s.id.lower(), s) for s in self.extensions)

    def extension(self, urn: str) -> Schema | None:
        """The extension schema of that URN, in whatever case; None if this type has none such."""
        return self._extensions.get(urn.lower())

    def attribute(self, name: str) -> Attribute | None:
        """A common or core attribute by its plain name."""
        return COMMON.attribute(name) or self.schema.attribute(name)

    def resolve(self, notation: str) -> Target | None:
        """What an attribute notation (RFC 7644 §3.10) means here; None if no schema has it.

        ``userName``, ``name.familyName``, ``urn:…:User:name.familyName``, an extension's
        ``urn:…:department``, and an extension's bare URN. The URN is taken off first, since it holds
        dots and colons itself (``…:core:2.0:User``).
        """
        lowered = notation.lower()
        found = self._targets.get(lowered)
        if found is None and (found := self._find(notation)) is not None:
            self._targets[lowered] = found
        return found

    def _find(self, notation: str) -> Target | None:
        schema, rest = self.schema, notation
        if notation[:4].lower() == "urn:":
            lowered = notation.lower()
            for candidate in (self.schema, *self.extensions):
                if lowered.startswith(candidate.id.lower()):
                    rest = notation[len(candidate.id) :]
                    if not rest:
                        return None if candidate is self.schema else Target(candidate.id, None)
                    if rest[0] == ":":
                        schema, rest = candidate, rest[1:]
                        break
            else:
                return None
        name, dot, sub_name = rest.partition(".")
        extension = None if schema is self.schema else schema.id
        attribute = schema.attribute(name) if extension else self.attribute(name)
        if attribute is None:
            return None
        if not dot:
            return Target(extension, attribute)
        sub = attribute.sub(sub_name)
        return Target(extension, attribute, sub) if sub else None

    def names(self) -> Iterable[str]:
        """Every attribute notation of this type, canonical, sub-attributes included."""
        for schema in (COMMON, self.schema, *self.extensions):
            prefix = f"{schema.id}:" if schema in self.extensions else ""
            for attribute in schema.attributes:
                yield prefix + attribute.name
                for sub in attribute.sub_attributes:
                    yield f"{prefix}{attribute.name}.{sub.name}"

    def nearby(self, notation: str) -> list[str]:
        """Known notations that resemble an unknown one, for the detail of a refusal; at most three."""
        short = {name.rpartition(":")[2].lower(): name for name in self.names()}
        found = difflib.get_close_matches(notation.rpartition(":")[2].lower()[:100], short, n=3, cutoff=0.6)
        return [short[name] for name in found]


def _plural(
    name: str,
    description: str,
    *types: str,
    value: Attribute | None = None,
    mutability: Mutability = Mutability.READ_WRITE,
) -> Attribute:
    """A multi-valued attribute with the usual sub-attributes (RFC 7643 §2.4)."""
    return Attribute(
        name,
        Type.COMPLEX,
        multi_valued=True,
        description=description,
        mutability=mutability,
        sub_attributes=(
            value or Attribute("value", description="The value itself."),
            Attribute("display", description="A name for a person to read."),
            Attribute("type", description="What the value is for.", canonical_values=types),
            Attribute("primary", Type.BOOLEAN, description="Whether this is the preferred value; true at most once."),
        ),
    )


_READ_ONLY, _IMMUTABLE = Mutability.READ_ONLY, Mutability.IMMUTABLE

USER_SCHEMA = Schema(
    USER,
    "User",
    "A person's account.",
    (
        Attribute(
            "userName",
            required=True,
            uniqueness=Uniqueness.SERVER,
            description="The name the person signs in with; unique in the tenant, whatever its case.",
        ),
        Attribute(
            "name",
            Type.COMPLEX,
            description="The components of the person's name.",
            sub_attributes=(
                Attribute("formatted", description="The whole name, for display."),
                Attribute("familyName", description="The family name, or last name."),
                Attribute("givenName", description="The given name, or first name."),
                Attribute("middleName", description="The middle names."),
                Attribute("honorificPrefix", description="Titles before the name."),
                Attribute("honorificSuffix", description="Suffixes after the name."),
            ),
        ),
        Attribute("displayName", description="The name shown to others."),
        Attribute("nickName", description="The casual name."),
        Attribute(
            "profileUrl",
            Type.REFERENCE,
            case_exact=True,
            reference_types=("external",),
            description="The address of a page about the person.",
        ),
        Attribute("title", description="The person's title at work."),
        Attribute("userType", description="How the organisation relates to the person."),
        Attribute("preferredLanguage", description="Preferred languages, as in Accept-Language."),
        Attribute("locale", description="Locale for formatting, as a language tag."),
        Attribute("timezone", description="Time zone, by its IANA name."),
        Attribute("active", Type.BOOLEAN, description="Whether the person may use the service."),
        Attribute(
            "password",
            mutability=Mutability.WRITE_ONLY,
            returned=Returned.NEVER,
            description="Accepted for compatibility and dropped: nobody signs in with a password here.",
        ),
        _plural("emails", "E-mail addresses.", "work", "home", "other"),
        _plural("phoneNumbers", "Telephone numbers.", "work", "home", "mobile", "fax", "pager", "other"),
        _plural("ims", "Instant messaging addresses.", "aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
        _plural(
            "photos",
            "Addresses of pictures of the person.",
            "photo",
            "thumbnail",
            value=Attribute(
                "value", Type.REFERENCE, case_exact=True, reference_types=("external",), description="The address of an image."
            ),
        ),
        Attribute(
            "addresses",
            Type.COMPLEX,
            multi_valued=True,
            description="Postal addresses.",
            sub_attributes=(
                Attribute("formatted", description="The whole address, for display or a label."),
                Attribute("streetAddress", description="Street, house number, and so on."),
                Attribute("locality", description="City or place."),
                Attribute("region", description="State or region."),
                Attribute("postalCode", description="Postal code."),
                Attribute("country", description="Country, as an ISO 3166-1 alpha-2 code."),
                Attribute("type", description="What the address is for.", canonical_values=("work", "home", "other")),
                Attribute("primary", Type.BOOLEAN, description="Whether this is the preferred address; true at most once."),
            ),
        ),
        Attribute(
            "groups",
            Type.COMPLEX,
            multi_valued=True,
            mutability=_READ_ONLY,
            description="The groups the person belongs to; changed through the groups.",
            sub_attributes=(
                Attribute("value", description="The id of the group.", mutability=_READ_ONLY, case_exact=True),
                Attribute(
                    "$ref",
                    Type.REFERENCE,
                    case_exact=True,
                    mutability=_READ_ONLY,
                    reference_types=("Group",),
                    description="The address of the group.",
                ),
                Attribute("display", description="The group's displayName.", mutability=_READ_ONLY),
                Attribute(
                    "type", description="How the membership comes about.", mutability=_READ_ONLY, canonical_values=("direct", "indirect")
                ),
            ),
        ),
        _plural("entitlements", "Things the person may have or do."),
        _plural("roles", "Roles of the person."),
        _plural(
            "x509Certificates",
            "Certificates of the person.",
            value=Attribute("value", Type.BINARY, case_exact=True, description="A DER certificate, base64."),
        ),
    ),
)

ENTERPRISE_USER_SCHEMA = Schema(
    ENTERPRISE_USER,
    "EnterpriseUser",
    "A person at work.",
    (
        Attribute("employeeNumber", description="The number the organisation gave the person."),
        Attribute("costCenter", description="The cost centre."),
        Attribute("organization", description="The organisation."),
        Attribute("division", description="The division."),
        Attribute("department", description="The department."),
        Attribute(
            "manager",
            Type.COMPLEX,
            description="The person's manager.",
            sub_attributes=(
                Attribute("value", description="The id of the manager's User resource.", case_exact=True),
                Attribute(
                    "$ref",
                    Type.REFERENCE,
                    case_exact=True,
                    mutability=_READ_ONLY,
                    reference_types=("User",),
                    description="The address of the manager's User resource; it follows from the value.",
                ),
                Attribute("displayName", description="The manager's displayName.", mutability=_READ_ONLY),
            ),
        ),
    ),
)

GROUP_SCHEMA = Schema(
    GROUP,
    "Group",
    "A group of people or groups.",
    (
        Attribute("displayName", required=True, description="The name of the group."),
        Attribute(
            "members",
            Type.COMPLEX,
            multi_valued=True,
            description="The direct members.",
            sub_attributes=(
                Attribute("value", description="The id of the member.", mutability=_IMMUTABLE, case_exact=True, required=True),
                Attribute(
                    "$ref",
                    Type.REFERENCE,
                    case_exact=True,
                    mutability=_IMMUTABLE,
                    reference_types=("User", "Group"),
                    description="The address of the member.",
                ),
                Attribute("display", description="The member's name.", mutability=_READ_ONLY),
                Attribute("type", description="What the member is.", mutability=_IMMUTABLE, canonical_values=("User", "Group")),
            ),
        ),
    ),
)

USER_TYPE = ResourceType("User", "/Users", "User accounts.", USER_SCHEMA, (ENTERPRISE_USER_SCHEMA,))
GROUP_TYPE = ResourceType("Group", "/Groups", "Groups of users and of groups.", GROUP_SCHEMA)
RESOURCE_TYPES = (USER_TYPE, GROUP_TYPE)


@dataclass(frozen=True, slots=True)
class Extension:
    """A schema of its own by which a tenant extends the resource type of that name; ``required`` of every resource, or not."""

    resource_type: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Types:
    """The resource types of one tenant: the two, with the extensions that the tenant has."""

    user: ResourceType = USER_TYPE
    group: ResourceType = GROUP_TYPE

    @classmethod
    def extended(cls, extensions: Iterable[Extension]) -> Types:
        """Those of a tenant with schemas of its own."""
        own = tuple(extensions)
        return cls(*(_extended(each, [one for one in own if one.resource_type == each.name]) for each in RESOURCE_TYPES))

    def __iter__(self) -> Iterator[ResourceType]:
        yield self.user
        yield self.group

    def named(self, name: str) -> ResourceType | None:
        """The type of that name (RFC 7643 §3.1, ``meta.resourceType``), which is case-sensitive."""
        return self.user if name == self.user.name else self.group if name == self.group.name else None


def _extended(base: ResourceType, own: list[Extension]) -> ResourceType:
    if not own:
        return base
    required = frozenset(each.schema.id for each in own if each.required)
    return ResourceType(
        base.name, base.endpoint, base.description, base.schema, (*base.extensions, *(each.schema for each in own)), required
    )


BASE_TYPES = Types()
"""Those of a tenant that has defined nothing of its own."""

EVERYBODYS = frozenset(schema.id for each in RESOURCE_TYPES for schema in (each.schema, *each.extensions))
"""The URNs of the schemas that every tenant has."""
