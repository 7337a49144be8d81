"""A schema is changed under values that are there: what fits stays, what does not is named, and goes only if somebody says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from scim_server.events import Scope
from scim_server.provisioning import groups, schemas, users
from scim_server.provisioning.schemas import LOST, MISSING, TWICE, NotThere, OtherThere, Outcome, Refused
from scim_server.scim.definitions import MAX_EXTENSIONS, InvalidDefinition, load
from scim_server.scim.filters import parse_filter
from scim_server.scim.matching import bind
from scim_server.scim.schemas import GROUP, USER, Extension
from scim_server.store.errors import Taken
from scim_server.store.unit import Store

ACME = "urn:example:acme:User"


def extension(*attributes: dict[str, Any], urn: str = ACME, kind: str = "User", required: bool = False, **said: Any) -> Extension:
    return Extension(kind, load({"id": urn, "attributes": list(attributes) or [{"name": "badge"}], **said}), required)


class Tenant:
    """A tenant whose schema is changed, and whose users are written and found as clients do it."""

    def __init__(self, store: Store, scope: Scope) -> None:
        self.store = store
        self.scope = scope

    def add(self, *attributes: dict[str, Any], accept_missing: bool = False, **options: Any) -> Outcome:
        new = extension(*attributes, **options)
        return self.store.transact(self.scope, lambda unit: schemas.add(unit, new, accept_missing=accept_missing))

    def set(self, *attributes: dict[str, Any], drop_values: bool = False, accept_missing: bool = False, **options: Any) -> Outcome:
        new = extension(*attributes, **options)
        return self.store.transact(
            self.scope, lambda unit: schemas.change(unit, new, drop_values=drop_values, accept_missing=accept_missing)
        )

    def remove(self, *, drop_values: bool = False) -> Outcome:
        return self.store.transact(self.scope, lambda unit: schemas.remove(unit, ACME, drop_values=drop_values))

    def look(self, *attributes: dict[str, Any], **options: Any) -> Outcome:
        with self.store.picture(self.scope) as unit:
            (old,) = unit.schemas.all()
            return schemas.look(unit, old, extension(*attributes, **options) if attributes else None)

    def user(self, name: str, **values: Any) -> str:
        body = {"schemas": [USER], "userName": name, **({ACME: values} if values else {})}
        return self.store.transact(self.scope, lambda unit: users.create(unit, body, lenient=True)).id

    def document(self, user_id: str) -> Any:
        with self.store.read(self.scope) as unit:
            found = unit.users.get(user_id)
            assert found is not None
            assert found.document["schemas"] == [USER, *([ACME] if ACME in found.document else [])]
            return found.document.get(ACME)

    def version(self, user_id: str) -> int:
        with self.store.read(self.scope) as unit:
            found = unit.users.get(user_id)
            assert found is not None
            return found.version

    def found(self, filter: str) -> list[str]:
        with self.store.read(self.scope) as unit:
            return [each.id for each in unit.users.find(bind(parse_filter(filter), unit.users.type), 1, 99).resources]

    def events(self, prefix: str) -> list[Any]:
        with self.store.read(self.scope) as unit:
            return [each for each in unit.events.list(99) if each.tag.startswith(prefix)]


@pytest.fixture
def tenant(store: Store, scope: Scope) -> Tenant:
    return Tenant(store, scope)


def findings(call: Callable[..., Any], *arguments: Any, **options: Any) -> set[tuple[str, str, int]]:
    """What is in the way, by attribute."""
    with pytest.raises(Refused) as refused:
        call(*arguments, **options)
    return {(each.attribute.removeprefix(ACME).removeprefix(":"), each.problem, each.count) for each in refused.value.findings}


BADGE: dict[str, Any] = {"name": "badge"}
LEVEL: dict[str, Any] = {"name": "level", "type": "integer"}
TAGS: dict[str, Any] = {"name": "tags", "multiValued": True}
DESK: dict[str, Any] = {"name": "desk", "type": "complex", "subAttributes": [{"name": "floor", "type": "integer"}, {"name": "room"}]}
VALUES = {"badge": "Ab", "level": 5, "tags": ["x", "X2"], "desk": {"floor": 1, "room": "R"}}


def desk(*subs: dict[str, Any], **said: Any) -> dict[str, Any]:
    return {**DESK, "subAttributes": list(subs), **said}


FLOOR, ROOM = {"name": "floor", "type": "integer"}, {"name": "room"}

COMPATIBLE = [
    [BADGE, LEVEL, TAGS, DESK, {"name": "new"}],
    [DESK, TAGS, LEVEL, BADGE],
    [
        {**BADGE, "description": "What it is.", "canonicalValues": ["x"], "returned": "request", "mutability": "immutable"},
        LEVEL,
        TAGS,
        DESK,
    ],
    [{**BADGE, "returned": "always"}, {**LEVEL, "uniqueness": "none"}, TAGS, DESK],
    [BADGE, LEVEL, TAGS, desk(FLOOR, ROOM, {"name": "new"})],
    [{**BADGE, "required": True}, LEVEL, TAGS, DESK],
    [{**BADGE, "uniqueness": "server"}, LEVEL, TAGS, DESK],
    [{**BADGE, "caseExact": True}, LEVEL, TAGS, DESK],
    [BADGE, {**LEVEL, "type": "decimal"}, TAGS, DESK],
    [BADGE, LEVEL, TAGS, desk({**FLOOR, "type": "decimal", "required": True}, {**ROOM, "caseExact": True})],
]


@pytest.mark.parametrize("attributes", COMPATIBLE, ids=range(len(COMPATIBLE)))
def test_what_fits_stays_and_is_found(tenant: Tenant, attributes: list[dict[str, Any]]) -> None:
    """No new version, no event of the user."""
    tenant.add(BADGE, LEVEL, TAGS, DESK)
    user_id, other = tenant.user("ada", **VALUES), tenant.user("bea")
    outcome = tenant.set(*attributes)
    assert (outcome.findings, outcome.dropped, bool(outcome.differences)) == ((), 0, attributes != COMPATIBLE[1])
    assert (tenant.document(user_id), tenant.document(other), tenant.version(user_id)) == (VALUES, None, 1)
    for filter in (f'{ACME}:badge eq "Ab"', f"{ACME}:level gt 4", f'{ACME}:tags eq "x"', f'{ACME}:desk[floor eq 1 and room eq "R"]'):
        assert tenant.found(filter) == [user_id], filter
    exact = [each for each in attributes if each["name"] == "badge" and each.get("caseExact")]
    assert tenant.found(f'{ACME}:badge eq "aB"') == ([] if exact else [user_id])
    assert tenant.events("operator:user:") == []
    assert len(tenant.events("operator:schema:changed")) == bool(outcome.differences)


IN_THE_WAY: list[tuple[list[dict[str, Any]], set[tuple[str, str, int]], Any]] = [
    ([LEVEL, TAGS, DESK], {("badge", LOST, 1)}, {**VALUES, "badge": None}),
    ([{**BADGE, "type": "integer"}, LEVEL, TAGS, DESK], {("badge", LOST, 1)}, {**VALUES, "badge": None}),
    ([{**BADGE, "multiValued": True}, LEVEL, TAGS, DESK], {("badge", LOST, 1)}, {**VALUES, "badge": None}),
    ([{**BADGE, "returned": "never"}, LEVEL, TAGS, DESK], {("badge", LOST, 1)}, {**VALUES, "badge": None}),
    ([{**BADGE, "mutability": "writeOnly"}, LEVEL, TAGS, DESK], {("badge", LOST, 1)}, {**VALUES, "badge": None}),
    ([{**BADGE, "mutability": "readOnly"}, LEVEL, TAGS, DESK], {("badge", LOST, 1)}, {**VALUES, "badge": None}),
    ([{"name": "Badge"}, LEVEL, TAGS, DESK], {("badge", LOST, 1)}, {**VALUES, "badge": None}),
    ([BADGE, {**LEVEL, "type": "string"}, TAGS, DESK], {("level", LOST, 1)}, {**VALUES, "level": None}),
    ([BADGE, LEVEL, {**TAGS, "multiValued": False}, DESK], {("tags", LOST, 1)}, {**VALUES, "tags": None}),
    ([BADGE, LEVEL, {**TAGS, "type": "dateTime"}, DESK], {("tags", LOST, 1)}, {**VALUES, "tags": None}),
    ([BADGE, LEVEL, TAGS, desk(ROOM)], {("desk.floor", LOST, 1)}, {**VALUES, "desk": {"room": "R"}}),
    ([BADGE, LEVEL, TAGS, desk(FLOOR, {**ROOM, "type": "boolean"})], {("desk.room", LOST, 1)}, {**VALUES, "desk": {"floor": 1}}),
    ([BADGE, LEVEL, TAGS, desk(FLOOR, ROOM, multiValued=True)], {("desk", LOST, 1)}, {**VALUES, "desk": None}),
    ([BADGE, LEVEL, TAGS, {"name": "desk"}], {("desk", LOST, 1)}, {**VALUES, "desk": None}),
    ([BADGE, LEVEL], {("tags", LOST, 1), ("desk", LOST, 1)}, {**VALUES, "tags": None, "desk": None}),
    ([{"name": "new"}], {("badge", LOST, 1), ("level", LOST, 1), ("tags", LOST, 1), ("desk", LOST, 1)}, {}),
]


@pytest.mark.parametrize(("attributes", "expected", "left"), IN_THE_WAY, ids=range(len(IN_THE_WAY)))
def test_what_does_not_fit_stops_the_change_and_goes_if_somebody_says_so(
    tenant: Tenant, attributes: list[dict[str, Any]], expected: set[tuple[str, str, int]], left: dict[str, Any]
) -> None:
    tenant.add(BADGE, LEVEL, TAGS, DESK)
    user_id, other = tenant.user("ada", **VALUES), tenant.user("bea")
    assert findings(tenant.set, *attributes) == expected
    looked = tenant.look(*attributes)
    told = {(each.attribute.removeprefix(f"{ACME}:"), each.problem, each.count) for each in looked.findings}
    assert (told, looked.dropped) == (expected, 1)
    assert {each.ids[0] for each in looked.findings} == {user_id}
    assert (tenant.document(user_id), tenant.version(user_id), tenant.found(f"{ACME}:badge pr")) == (VALUES, 1, [user_id])
    assert (tenant.events("operator:schema:changed"), tenant.events("operator:user:")) == ([], [])
    outcome = tenant.set(*attributes, drop_values=True)
    assert (outcome.dropped, outcome.found_anew) == (1, 0)
    left = {name: value for name, value in left.items() if value is not None}
    assert (tenant.document(user_id), tenant.version(user_id), tenant.version(other)) == (left or None, 2, 1)
    (event,) = tenant.events("operator:user:changed")
    assert (event.subject_id, event.data["version"]) == (user_id, 2)
    gone = {each["path"].removeprefix(f"{ACME}:").partition(".")[0] for each in event.data["changes"]}
    assert gone == {attribute.partition(".")[0] for attribute, _, _ in expected}
    assert all(each["new"] is None for each in event.data["changes"])
    (changed,) = tenant.events("operator:schema:changed")
    assert (changed.subject_id, changed.data["dropped"], changed.principal) == (ACME, 1, tenant.scope.principal)
    if "badge" in left:
        assert tenant.found(f'{ACME}:badge eq "ab"') == [user_id]
    for name in ("level", "tags", "new"):
        if any(each["name"] == name for each in attributes):
            assert tenant.found(f"{ACME}:{name} pr") == ([user_id] if name in left else [])


def test_what_becomes_required_and_is_missing(tenant: Tenant) -> None:
    tenant.add(BADGE, LEVEL, DESK)
    ada = tenant.user("ada", level=1, desk={"room": "R"})
    tenant.user("bea", badge="7", desk={"floor": 1, "room": "R"})
    cyd = tenant.user("cyd")
    required = [{**BADGE, "required": True}, LEVEL, desk({**FLOOR, "required": True}, ROOM)]
    assert findings(tenant.set, *required) == {("badge", MISSING, 1), ("desk.floor", MISSING, 1)}
    assert findings(tenant.set, *required, drop_values=True) == {("badge", MISSING, 1), ("desk.floor", MISSING, 1)}
    assert findings(tenant.set, *required, required=True) == {("badge", MISSING, 1), ("desk.floor", MISSING, 1), ("", MISSING, 1)}
    tenant.set(*required, required=True, accept_missing=True)
    assert tenant.document(ada) == {"level": 1, "desk": {"room": "R"}}
    patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}

    def disable(user_id: str) -> Any:
        body = {**patch, "Operations": [{"op": "replace", "path": "active", "value": False}]}
        return tenant.store.transact(tenant.scope, lambda unit: users.patch(unit, user_id, body, lenient=True))

    for user_id in (ada, cyd):  # what is missing stops nobody from being disabled
        assert disable(user_id).document["active"] is False


def test_an_extension_that_is_to_be_required_from_the_start(tenant: Tenant) -> None:
    user_id = tenant.user("ada")
    assert findings(tenant.add, BADGE, required=True) == {("", MISSING, 1)}
    with tenant.store.read(tenant.scope) as unit:
        assert unit.schemas.all() == []
    assert tenant.add(BADGE, required=True, accept_missing=True).differences
    assert tenant.document(user_id) is None


def test_what_becomes_unique_must_be(tenant: Tenant) -> None:
    tenant.add(BADGE, TAGS)
    ids = [tenant.user(f"u{n}", badge=badge, tags=["t", f"t{n}"]) for n, badge in enumerate(["Ab", "x", "aB", "AB", "y"])]
    unique = {**BADGE, "uniqueness": "server"}
    with pytest.raises(Refused) as refused:
        tenant.set(unique, TAGS, drop_values=True, accept_missing=True)
    (finding,) = refused.value.findings
    assert (finding.attribute, finding.problem, finding.count, set(finding.ids)) == (f"{ACME}:badge", TWICE, 3, {ids[0], ids[2], ids[3]})
    assert findings(tenant.set, BADGE, {**TAGS, "uniqueness": "server"}) == {("tags", TWICE, 5)}
    tenant.set({**unique, "caseExact": True}, TAGS)
    with pytest.raises(Taken, match="badge"):
        tenant.user("new", badge="aB")
    tenant.user("new", badge="ab")
    assert findings(tenant.set, unique, TAGS) == {("badge", TWICE, 4)}
    tenant.set(BADGE, TAGS)  # unique no more
    tenant.user("more", badge="aB")
    assert len(tenant.found(f'{ACME}:badge eq "ab"')) == 5


def test_unique_values_follow_a_change(tenant: Tenant, owner_engine: Engine) -> None:
    """Of what is not unique, not there, or not kept any more, no row is left that could stop anybody."""
    unique = {**BADGE, "uniqueness": "server"}

    def rows() -> int:
        with owner_engine.connect() as connection:
            count = text("SELECT count(*) FROM unique_values WHERE tenant_id = :t")
            return int(connection.execute(count, {"t": tenant.scope.tenant_id}).scalar_one())

    tenant.add(unique, LEVEL)
    tenant.user("ada", badge="7")
    tenant.user("bea", badge="x", level=3)
    assert rows() == 2
    tenant.set({**unique, "type": "integer"}, {**LEVEL, "uniqueness": "global"}, drop_values=True)
    assert rows() == 1
    tenant.set({"name": "other"}, drop_values=True)
    assert rows() == 0
    tenant.set(unique)
    tenant.user("cyd", badge="7")
    assert rows() == 1
    tenant.remove(drop_values=True)
    assert rows() == 0


def test_removing(tenant: Tenant) -> None:
    tenant.add(BADGE)
    ada, bea = tenant.user("ada", badge="7"), tenant.user("bea")
    assert findings(tenant.remove) == {("", LOST, 1)}
    assert tenant.look().dropped == 1
    outcome = tenant.remove(drop_values=True)
    assert (outcome.dropped, tenant.document(ada), tenant.version(ada), tenant.version(bea)) == (1, None, 2, 1)
    (event,) = tenant.events("operator:schema:removed")
    assert (event.subject_id, event.data["dropped"]) == (ACME, 1)
    with pytest.raises(NotThere):
        tenant.remove()
    tenant.add(LEVEL)
    assert tenant.remove().dropped == 0
    with tenant.store.read(tenant.scope) as unit:
        assert (unit.schemas.all(), len(unit.types.user.extensions)) == ([], 1)


def test_the_same_again_changes_nothing(tenant: Tenant) -> None:
    tenant.add(BADGE, LEVEL)
    assert tenant.add(BADGE, LEVEL).differences == ()
    assert tenant.set({**BADGE, "required": False}, LEVEL).differences == ()
    assert [each.tag for each in tenant.events("operator:schema:")] == ["operator:schema:added"]
    adding: list[dict[str, Any]] = [{"required": True}, {"urn": ACME.upper()}, {"kind": "Group"}, {"name": "another"}]
    for options in adding:
        with pytest.raises(OtherThere):
            tenant.add(BADGE, LEVEL, **options)
    for options in adding[1:3]:
        with pytest.raises(OtherThere):
            tenant.set(BADGE, LEVEL, **options)
    with pytest.raises(NotThere):
        tenant.set(BADGE, urn="urn:example:other:User")


def test_beside_others(tenant: Tenant) -> None:
    tenant.add(BADGE)
    with pytest.raises(InvalidDefinition, match="tell them apart"):
        tenant.add(BADGE, urn=f"{ACME}:more", kind="Group")
    for n in range(MAX_EXTENSIONS - 1):
        tenant.add(BADGE, urn=f"urn:example:x{n}:User", kind=["User", "Group"][n % 2])
    with pytest.raises(InvalidDefinition, match="cannot have more"):
        tenant.add(BADGE, urn="urn:example:last:User")
    with tenant.store.read(tenant.scope) as unit:
        assert [each.schema.id for each in unit.schemas.all()][:2] == [ACME, "urn:example:x0:User"]
        assert (len(unit.types.user.extensions), len(unit.types.group.extensions)) == (12, 9)


def test_groups_too(tenant: Tenant) -> None:
    team = "urn:example:acme:Team"
    tenant.add(BADGE, urn=team, kind="Group")
    body = {"schemas": [GROUP], "displayName": "team", team: {"badge": "7"}}
    made = tenant.store.transact(tenant.scope, lambda unit: groups.create(unit, body, lenient=True))
    with pytest.raises(Refused):
        tenant.store.transact(tenant.scope, lambda unit: schemas.remove(unit, team, drop_values=False))
    tenant.store.transact(tenant.scope, lambda unit: schemas.remove(unit, team.upper(), drop_values=True))
    with tenant.store.read(tenant.scope) as unit:
        found = unit.groups.get(made.id)
    assert found is not None
    assert (found.version, found.document) == (2, {"schemas": [GROUP], "displayName": "team"})
    assert [each.subject_id for each in tenant.events("operator:group:changed")] == [made.id]


def test_more_than_a_page_of_them(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scim_server.store.schemas._PAGE", 3)
    tenant.add(BADGE, LEVEL)
    ids = [tenant.user(f"u{n}", **({"badge": str(n)} if n % 3 else {"level": n})) for n in range(10)]
    looked = tenant.look(LEVEL)
    assert [(each.count, each.ids) for each in looked.findings] == [(6, [each for n, each in enumerate(ids) if n % 3][:5])]
    assert tenant.set(LEVEL, drop_values=True).dropped == 6
    assert [tenant.document(each) for each in ids] == [None if n % 3 else {"level": n} for n in range(10)]
    assert findings(tenant.set, LEVEL, required=True) == {("", MISSING, 6)}


def test_whoever_is_gone_is_not_looked_at(tenant: Tenant) -> None:
    tenant.add(BADGE)
    user_id = tenant.user("ada", badge="7")
    tenant.store.transact(tenant.scope, lambda unit: users.delete(unit, user_id))
    assert tenant.remove().dropped == 0
