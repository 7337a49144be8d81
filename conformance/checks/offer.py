"""What the server says it can do: ServiceProviderConfig, resource types, schemas. Read once, before the first check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conformance.checks.answer import MISSING, at
from conformance.checks.urns import ENTERPRISE, GROUP, USER
from conformance.wire import Response, Wire

# What is taken for granted when the server says nothing at all: checks of these run, and show that it is silent.
SILENT = {"patch": True, "filter": True, "sort": False, "bulk": False, "etag": False, "changePassword": False}


@dataclass(frozen=True, slots=True)
class Offer:
    """`config` is the ServiceProviderConfig, `types` the resource types and `schemas` the schemas by lower-cased URN; empty where the
    server did not answer, and then nothing is concluded from them."""

    config: dict[str, Any] = field(default_factory=dict)
    types: tuple[dict[str, Any], ...] = ()
    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)

    def supports(self, feature: str) -> bool:
        said = at(self.config, feature, "supported")
        return SILENT[feature] if said is MISSING else said is True

    def type_of(self, schema: str) -> dict[str, Any] | None:
        return next((one for one in self.types if str(one.get("schema")).lower() == schema.lower()), None)

    def attributes(self, schema: str) -> list[dict[str, Any]] | None:
        """The attributes of a schema as published, or None if it is not."""
        attributes = at(self.schemas.get(schema.lower()), "attributes")
        return [a for a in attributes if isinstance(a, dict)] if isinstance(attributes, list) else None

    def lack(self, need: str) -> str | None:
        """Why a need is not met, or None if it is.

        A need is a feature of the ServiceProviderConfig ("sort"), its denial ("no sort"), "groups", "enterprise", or an attribute
        ("User.title", "Group.members", "enterprise.department").
        """
        if need in SILENT:
            return None if self.supports(need) else f"the ServiceProviderConfig does not offer {need}"
        if need.startswith("no "):
            feature = need[3:]
            return None if at(self.config, feature, "supported") is False else f"the ServiceProviderConfig does not deny {feature}"
        if need == "groups":
            return None if not self.types or self.type_of(GROUP) else "no resource type has the Group schema"
        if need == "enterprise":
            user = self.type_of(USER)
            extensions = at(user, "schemaExtensions")
            listed = [str(at(e, "schema")).lower() for e in extensions] if isinstance(extensions, list) else []
            return None if user is None or ENTERPRISE.lower() in listed else "the User resource type has no enterprise extension"
        owner, _, name = need.partition(".")
        attributes = self.attributes({"User": USER, "Group": GROUP, "enterprise": ENTERPRISE}[owner])
        known = attributes is None or any(str(a.get("name")).lower() == name.lower() for a in attributes)
        return None if known else f"the published {owner} schema has no {name}"


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
