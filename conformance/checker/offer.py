"""What the server says it can do: ServiceProviderConfig, resource types, schemas. Read once, before the first check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conformance.checker import published
from conformance.checker.answer import MISSING, Document, at
from conformance.checker.published import WANTED, Published
from conformance.checker.urns import ENTERPRISE, GROUP, USER
from conformance.wire import Response, Wire

# What is taken for granted when the server says nothing at all: checks of these run, and show that it is silent.
SILENT = {"patch": True, "filter": True, "sort": False, "bulk": False, "etag": False, "changePassword": False}

OTHER, ME = "another tenant", "a person"
"""Credentials that there may be besides the first: of another tenant, and of a user who is somebody at /Me."""
_OPTIONS = {OTHER: "--other-token", ME: "--me-token"}


@dataclass(frozen=True, slots=True)
class Offer:
    """`config` is the ServiceProviderConfig, `types` the resource types and `schemas` the schemas by lower-cased URN; empty where the
    server did not answer, and then nothing is concluded from them. `credentials` are those that the run has besides the first."""

    config: dict[str, Any] = field(default_factory=dict)
    types: tuple[dict[str, Any], ...] = ()
    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)
    credentials: frozenset[str] = frozenset()

    def supports(self, feature: str) -> bool:
        said = at(self.config, feature, "supported")
        return SILENT[feature] if said is MISSING else said is True

    def type_of(self, schema: str) -> dict[str, Any] | None:
        return next((one for one in self.types if str(one.get("schema")).lower() == schema.lower()), None)

    def attributes(self, schema: str) -> list[dict[str, Any]] | None:
        """The attributes of a schema as published, or None if it is not."""
        attributes = at(self.schemas.get(schema.lower()), "attributes")
        return [a for a in attributes if isinstance(a, dict)] if isinstance(attributes, list) else None

    def extensions(self) -> list[tuple[str, bool]]:
        """The extensions of users: the URN of each, and whether it is required."""
        listed = at(self.type_of(USER), "schemaExtensions")
        return [(str(at(one, "schema")), at(one, "required") is True) for one in listed] if isinstance(listed, list) else []

    def required_extensions(self) -> list[str]:
        return [urn for urn, required in self.extensions() if required and self.attributes(urn)]

    def other_types(self) -> list[Document]:
        """The resource types that are neither User nor Group."""
        known = (USER.lower(), GROUP.lower())
        return [one for one in self.types if isinstance(one.get("schema"), str) and one["schema"].lower() not in known]

    def of_users(self) -> list[Published]:
        """All attributes of users that are published, those of the User schema first."""
        urns = [(None, USER), *((urn, urn) for urn, _ in self.extensions())]
        return [Published(urn, each) for urn, schema in urns for each in published.listed(self.attributes(schema))]

    def attribute(self, need: str) -> Published:
        """The attribute that a check which needs one of the kind is tried on."""
        found = self._found(need)
        if found is None:
            raise ValueError(f"a check did not say that it needs {need}")
        return found

    def _found(self, need: str) -> Published | None:
        return published.found(need, self.of_users())

    def lack(self, need: str) -> str | None:
        """Why a need is not met, or None if it is.

        A need is a feature of the ServiceProviderConfig ("sort"), its denial ("no sort"), what it says of paging ("pagination", "cursor"),
        "groups", "enterprise", an attribute ("User.title", "Group.members", "enterprise.department"), an attribute of a kind
        ("a decimal", see `published.WANTED`), "a required extension", "another type", or a credential (OTHER, ME).
        """
        if need in WANTED:
            return None if self._found(need) else f"no published schema of users has an attribute {WANTED[need].words}"
        if need in SILENT:
            return None if self.supports(need) else f"the ServiceProviderConfig does not offer {need}"
        if need.startswith("no "):
            feature = need[3:]
            return None if at(self.config, feature, "supported") is False else f"the ServiceProviderConfig does not deny {feature}"
        if need in _OPTIONS:
            return None if need in self.credentials else f"there is no credential of {need} ({_OPTIONS[need]})"
        if need in (named := self._named()):
            met, reason = named[need]
            return None if met else reason
        owner, _, name = need.partition(".")
        attributes = self.attributes({"User": USER, "Group": GROUP, "enterprise": ENTERPRISE}[owner])
        known = attributes is None or any(str(a.get("name")).lower() == name.lower() for a in attributes)
        return None if known else f"the published {owner} schema has no {name}"

    def _named(self) -> dict[str, tuple[bool, str]]:
        """The needs that have a name of their own: whether each is met, and what is the case if not."""
        enterprise = self.type_of(USER) is None or ENTERPRISE.lower() in [urn.lower() for urn, _ in self.extensions()]
        return {
            "groups": (not self.types or self.type_of(GROUP) is not None, "no resource type has the Group schema"),
            "enterprise": (enterprise, "the User resource type has no enterprise extension"),
            "a required extension": (bool(self.required_extensions()), "the User resource type has no extension that is required"),
            "another type": (bool(self.other_types()), "there are no resource types but User and Group"),
            "pagination": (isinstance(at(self.config, "pagination"), dict), "the ServiceProviderConfig says nothing of pagination"),
            "cursor": (at(self.config, "pagination", "cursor") is True, "the ServiceProviderConfig does not offer paging by cursor"),
        }


def read(wire: Wire) -> Offer:
    """Ask the three discovery endpoints. What is not answered as it should be stays empty; the checks of discovery will say so."""
    config = _json(wire.request("GET", "/ServiceProviderConfig"))
    types = _listed(_json(wire.request("GET", "/ResourceTypes")))
    schemas = _listed(_json(wire.request("GET", "/Schemas")))
    return Offer(config if isinstance(config, dict) else {}, tuple(types), {str(one.get("id")).lower(): one for one in schemas})


def _json(response: Response) -> Any:
    if response.status != 200:
        return None
    try:
        return response.json()
    except ValueError:
        return None


def _listed(body: Any) -> list[dict[str, Any]]:
    resources = at(body, "Resources")
    return [one for one in resources if isinstance(one, dict)] if isinstance(resources, list) else []
