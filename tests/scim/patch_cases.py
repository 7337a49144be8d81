"""PATCH, cell by cell, to be read beside RFC 7644 §3.5.2: what the path points to × the operation.

``TABLE`` has every cell, and in each the states that matter; ``OTHERS`` is what no cell is about: paths that are none,
and several operations. A case: name, requirements (without ``S-7644-3.5.2``; in full where they are others), the content
before, operations, the content after or the scimType of the refusal; and what a strict tenant gets if that is something
else. ``schemas`` and a userName ("u") are understood. An operation is (op, path or None, value); the value may be missing.
The first case of each cell is also sent over HTTP (``tests/standards/test_patch.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from scim_server.scim.attributes import Attribute, Mutability
from scim_server.scim.schemas import ENTERPRISE_USER, GROUP, GROUP_TYPE, USER, USER_TYPE, ResourceType, Schema

E, U, G = ENTERPRISE_USER, USER, GROUP
W = {"type": "work", "value": "w@x"}
H = {"type": "home", "value": "h@x"}
P = {**W, "primary": True}
HP = {**H, "primary": True}
NOT_P = {**W, "primary": False}

GUARDED = Schema(
    "urn:example:Guarded",
    "Guarded",
    "",
    (
        Attribute("userName"),
        Attribute("badge", mutability=Mutability.IMMUTABLE),
        Attribute("title"),
    ),
)
GUARDED_TYPE = ResourceType("Guarded", "/Guarded", "", GUARDED)
"""None of the schemas that everybody has holds an immutable attribute beside members."""

SHOWN: dict[str, Any] = {
    "id": "u1",
    "meta": {"resourceType": "User", "created": "2026-01-01T00:00:00.000Z", "version": 'W/"1"'},
    "groups": [{"value": "g1", "display": "G", "type": "direct"}],
}
"""What the server has set of the user that the cases are about."""


@dataclass(frozen=True)
class Case:
    name: str
    ids: tuple[str, ...]
    before: dict[str, Any]
    operations: list[tuple[Any, ...]]
    after: Any
    strict: Any

    def expected(self, *, lenient: bool) -> Any:
        return self.after if lenient else self.strict

    @property
    def marks(self) -> list[pytest.MarkDecorator]:
        return [pytest.mark.requirement(*self.ids)] if self.ids else []


def c(name: str, ids: str, before: dict[str, Any], operations: list[tuple[Any, ...]], after: Any, strict: Any = ...) -> Case:
    named = tuple(each if each.startswith("S-") else f"S-7644-3.5.2{each}" for each in ids.split())
    return Case(name, named, before, operations, after, after if strict is ... else strict)


TYPES = {"members": GROUP_TYPE, "immutable attribute": GUARDED_TYPE}
"""What the cases of a row are about, where it is not a user."""


def type_of(row: str) -> ResourceType:
    return TYPES.get(row, USER_TYPE)


TABLE: dict[str, dict[str, list[Case]]] = {
    # path omitted: the value is a set of attributes (§3.5.2.1, §3.5.2.3), and there is nothing that could be removed (§3.5.2.2)
    "no path": {
        "add": [
            c("several attributes", ".1-02 -06", {"title": "S", "nickName": "N"}, [("add", None, {"title": "T", "emails": W})],
              {"title": "T", "nickName": "N", "emails": [W]}),
            c("no value", ".1-01", {}, [("add", None)], "invalidValue"),
            c("null", ".1-01 .1-02", {}, [("add", None, None)], "invalidValue"),
            c("an array", ".1-02", {}, [("add", None, [{"title": "T"}])], "invalidValue"),
            c("null within", "-25", {"title": "S"}, [("add", None, {"title": None})], {"title": "S"}),
            c("an extension", ".1-03 -13", {E: {"division": "V"}}, [("add", None, {E: {"department": "D"}})],
              {E: {"division": "V", "department": "D"}}),
            c("names with URNs", ".1-04", {}, [("add", None, {f"{E}:department": "D", f"{E}:manager.value": "m"})],
              {E: {"department": "D", "manager": {"value": "m"}}}),
            c("names with dots", ".1-04", {"name": {"familyName": "F"}}, [("add", None, {"name.givenName": "G"})],
              {"name": {"familyName": "F", "givenName": "G"}}),
            c("makes another primary", "-16", {"emails": [P]}, [("add", None, {"emails": [HP]})], {"emails": [NOT_P, HP]}),
        ],
        "replace": [
            c("several attributes", ".3-01 -06", {"title": "S", "nickName": "N", "emails": [H]},
              [("replace", None, {"title": "T", "emails": [W]})], {"title": "T", "nickName": "N", "emails": [W]}),
            c("nothing in it", ".3-01", {"title": "S"}, [("replace", None, {})], {"title": "S"}),
            c("null within", ".3-10", {"title": "S"}, [("replace", None, {"title": None})], {}),
            c("a complex attribute", ".3-05", {"name": {"familyName": "F"}}, [("replace", None, {"name": {"givenName": "G"}})],
              {"name": {"familyName": "F", "givenName": "G"}}),
            c("names with dots", ".1-04", {"name": {"familyName": "F"}}, [("replace", None, {"name.givenName": "G"})],
              {"name": {"familyName": "F", "givenName": "G"}}),
            c("an extension", ".1-03 -13", {}, [("replace", None, {E: {"department": "D"}})], {E: {"department": "D"}}),
            c("a name with the core URN", ".1-04", {}, [("replace", None, {f"{U}:title": "T"})], {"title": "T"}),
            c("a name with brackets", ".1-04", {"emails": [W]}, [("replace", None, {'emails[type eq "work"].value': "z"})],
              {"emails": [{**W, "value": "z"}]}),
            c("a name with broken brackets", "-07", {}, [("replace", None, {'emails[type eq "work".value': "z"})], "invalidPath"),
            c("a name with brackets on one value", "-07", {}, [("replace", None, {'title[value eq "z"]': "z"})], "invalidPath"),
            c("unknown names", "-09", {}, [("replace", None, {"x": 1, "y.z": 2, "urn:a:b": 3, "title": "T"})], {"title": "T"},
              "invalidPath"),
            c("an unknown sub-attribute", "-09", {}, [("replace", None, {'emails[type eq "work"].x': 1, "title": "T"})], {"title": "T"},
              "invalidPath"),
            c("one name twice", "S-7643-2.1-05", {}, [("replace", None, {"title": "T", "TITLE": "U"})], "invalidSyntax"),
            c("userName, empty", "S-7643-2.5-03", {}, [("replace", None, {"userName": ""})], "invalidValue"),
            c("userName, null", ".3-10", {}, [("replace", None, {"userName": None})], "mutability"),
            c("schemas beside", ".3-12", {}, [("replace", None, {"schemas": [U], "title": "T"})], {"title": "T"}),
            c("the id that it has", ".3-12", {}, [("replace", None, {"id": "u1", "title": "T"})], {"title": "T"}),
            c("another id", ".3-12 .3-11", {}, [("replace", None, {"id": "u2", "title": "T"})], "mutability"),
            c("what it was read with", ".3-12", {}, [("replace", None, {**SHOWN, "title": "T"})], {"title": "T"}),
            c("meta of another version", ".3-12", {}, [("replace", None, {"meta": {"version": 'W/"0"'}, "title": "T"})], {"title": "T"},
              "mutability"),
            c("other groups", ".3-12", {}, [("replace", None, {"groups": [{"value": "g2"}], "title": "T"})], {"title": "T"}, "mutability"),
            c("groups told otherwise", ".3-12", {}, [("replace", None, {"groups": [{"VALUE": "g1", "display": "H"}], "title": "T"})],
              {"title": "T"}, "mutability"),
            c("groups that are none", ".3-12", {}, [("replace", None, {"groups": [["g1"]], "title": "T"})], {"title": "T"}, "mutability"),
            c("groups without ids", ".3-12", {}, [("replace", None, {"groups": [{"value": ["g1"]}], "title": "T"})], {"title": "T"},
              "mutability"),
            c("groups, less said", ".3-12", {}, [("replace", None, {"groups": [{"VALUE": "g1"}], "title": "T"})], {"title": "T"}),
            c("no groups, having some", ".3-12", {}, [("replace", None, {"groups": [], "title": "T"})], {"title": "T"}, "mutability"),
            c("makes another primary", "-16", {"emails": [P, H]}, [("replace", None, {'emails[type eq "home"].primary': True})],
              {"emails": [NOT_P, HP]}),
        ],
        "remove": [
            c("refused", ".2-01 -06", {"title": "S"}, [("remove", None)], "noTarget"),
            c("refused, with a value", ".2-01", {"title": "S"}, [("remove", None, {"title": "S"})], "noTarget"),
        ],
    },
    "simple attribute": {
        "add": [
            c("absent", ".1-05", {}, [("add", "title", "T")], {"title": "T"}),
            c("present", ".1-05", {"title": "S"}, [("add", "title", "T")], {"title": "T"}),
            c("the same", ".1-09", {"title": "T"}, [("add", "title", "T")], {"title": "T"}),
            c("null", ".1-01", {}, [("add", "title", None)], "invalidValue"),
            c("no value", ".1-01", {}, [("add", "title")], "invalidValue"),
            c("a number", "-11", {}, [("add", "title", 5)], "invalidValue"),
            c("an object", "-11", {}, [("add", "title", {"value": "T"})], "invalidValue"),
            c("an array", "-11", {}, [("add", "title", ["T"])], "invalidValue"),
        ],
        "replace": [
            c("present", ".3-02", {"title": "S"}, [("replace", "title", "T")], {"title": "T"}),
            c("absent", ".3-04", {}, [("replace", "title", "T")], {"title": "T"}),
            c("null", ".3-10", {"title": "S"}, [("replace", "title", None)], {}),
            c("null, absent", ".3-10", {}, [("replace", "title", None)], {}),
            c("no value", "-11", {"title": "S"}, [("replace", "title")], "invalidValue"),
            c("an empty string", "S-7643-2.5-03", {"title": "S"}, [("replace", "title", "")], {"title": ""}),
            c("a boolean", ".3-02", {"active": True}, [("replace", "active", False)], {"active": False}),
            c("a boolean by a string", ".3-16", {"active": True}, [("replace", "active", "false")], "invalidValue"),
            c("a boolean by a number", "-11", {"active": True}, [("replace", "active", 0)], "invalidValue"),
            c("a reference by no URI", "-11", {}, [("replace", "profileUrl", "not a uri")], "invalidValue"),
            c("names in another case", "-05 S-7643-2.1-02", {"title": "S"}, [("Replace", "TITLE", "T")], {"title": "T"}),
            c("with the core URN", "S-7644-3.10-01", {"title": "S"}, [("replace", f"{U}:title", "T")], {"title": "T"}),
            c("externalId", ".3-02", {"externalId": "a"}, [("replace", "externalId", "b")], {"externalId": "b"}),
        ],
        "remove": [
            c("present", ".2-02", {"title": "S"}, [("remove", "title")], {}),
            c("absent", ".2-10", {}, [("remove", "title")], {}),
            c("with a value", ".2-02", {"title": "S"}, [("remove", "title", "other")], {}),
            c("externalId", ".2-02", {"externalId": "a"}, [("remove", "externalId")], {}),
        ],
    },
    # §3.5.2.2: "removed or becomes unassigned and is defined as a required attribute": mutability
    "required attribute": {
        "add": [
            c("replaced by it", ".1-05", {}, [("add", "userName", "v")], {"userName": "v"}),
            c("empty", "S-7643-2.5-03", {}, [("add", "userName", "")], "invalidValue"),
        ],
        "replace": [
            c("another", ".3-02", {}, [("replace", "userName", "v")], {"userName": "v"}),
            c("null", ".3-10", {}, [("replace", "userName", None)], "mutability"),
            c("an empty array", ".3-10", {}, [("replace", "userName", [])], "mutability"),
            c("empty", "S-7643-2.5-03", {}, [("replace", "userName", "")], "invalidValue"),
            c("blank", "S-7643-4.1.1-01", {}, [("replace", "userName", " \t")], "invalidValue"),
        ],
        "remove": [
            c("refused", ".2-08", {}, [("remove", "userName")], "mutability"),
            c("though it would be added again", ".2-08 -14", {}, [("remove", "userName"), ("add", "userName", "v")], "mutability"),
        ],
    },
    "sub-attribute": {
        "add": [
            c("absent", ".1-07", {}, [("add", "name.givenName", "G")], {"name": {"givenName": "G"}}),
            c("beside another", ".1-07", {"name": {"familyName": "F"}}, [("add", "name.givenName", "G")],
              {"name": {"familyName": "F", "givenName": "G"}}),
            c("names in another case", "S-7644-3.10-01", {}, [("add", f"{U.upper()}:NAME.GivenName", "G")], {"name": {"givenName": "G"}}),
        ],
        "replace": [
            c("present", ".3-02", {"name": {"familyName": "F", "givenName": "A"}}, [("replace", "name.givenName", "B")],
              {"name": {"familyName": "F", "givenName": "B"}}),
            c("absent", ".3-04", {"name": {"familyName": "F"}}, [("replace", "name.givenName", "B")],
              {"name": {"familyName": "F", "givenName": "B"}}),
            c("null", ".3-10", {"name": {"familyName": "F", "givenName": "A"}}, [("replace", "name.givenName", None)],
              {"name": {"familyName": "F"}}),
            c("wrong type", "-11", {}, [("replace", "name.givenName", ["B"])], "invalidValue"),
        ],
        "remove": [
            c("present", ".2-02", {"name": {"familyName": "F", "givenName": "A"}}, [("remove", "name.givenName")],
              {"name": {"familyName": "F"}}),
            c("the last", ".2-07", {"name": {"givenName": "A"}}, [("remove", "name.givenName")], {}),
            c("absent", ".2-10", {"name": {"givenName": "A"}}, [("remove", "name.familyName")], {"name": {"givenName": "A"}}),
        ],
    },
    "complex attribute": {
        "add": [
            c("merged", ".1-06", {"name": {"familyName": "F"}}, [("add", "name", {"givenName": "G"})],
              {"name": {"familyName": "F", "givenName": "G"}}),
            c("absent", ".1-06", {}, [("add", "name", {"givenName": "G"})], {"name": {"givenName": "G"}}),
            c("null within", "-25", {"name": {"familyName": "F"}}, [("add", "name", {"familyName": None})], {"name": {"familyName": "F"}}),
            c("nothing in it", ".1-06", {"name": {"familyName": "F"}}, [("add", "name", {})], {"name": {"familyName": "F"}}),
            c("a string", ".1-06 -11", {}, [("add", "name", "G F")], "invalidValue"),
            c("an unknown sub-attribute", "", {}, [("add", "name", {"givenName": "G", "x": 1})], {"name": {"givenName": "G"}},
              "invalidSyntax"),
            c("a sub-attribute twice", "S-7643-2.1-05", {}, [("add", "name", {"givenName": "G", "GIVENNAME": "G"})], "invalidSyntax"),
        ],
        "replace": [
            c("merged", ".3-05", {"name": {"familyName": "F", "givenName": "A"}}, [("replace", "name", {"givenName": "B"})],
              {"name": {"familyName": "F", "givenName": "B"}}),
            c("absent", ".3-04", {}, [("replace", "name", {"givenName": "B"})], {"name": {"givenName": "B"}}),
            c("null within", ".3-10", {"name": {"familyName": "F", "givenName": "A"}}, [("replace", "name", {"givenName": None})],
              {"name": {"familyName": "F"}}),
            c("null", ".3-10", {"name": {"familyName": "F"}}, [("replace", "name", None)], {}),
            c("an empty array", ".3-10", {"name": {"familyName": "F"}}, [("replace", "name", [])], {}),
        ],
        "remove": [
            c("present", ".2-02", {"name": {"familyName": "F"}}, [("remove", "name")], {}),
            c("absent", ".2-10", {}, [("remove", "name")], {}),
        ],
    },
    "multi-valued attribute": {
        "add": [
            c("appended", ".1-08", {"emails": [H]}, [("add", "emails", [W])], {"emails": [H, W]}),
            c("absent", ".1-08", {}, [("add", "emails", [W])], {"emails": [W]}),
            c("one object", ".1-08", {}, [("add", "emails", W)], {"emails": [W]}),
            c("the same", ".1-09", {"emails": [H, W]}, [("add", "emails", [W])], {"emails": [H, W]}),
            c("the same but for case", ".1-10", {"emails": [W]}, [("add", "emails", [{"type": "WORK", "value": "W@X"}])], {"emails": [W]}),
            c("the same, another display", ".1-10", {"emails": [{**W, "display": "C"}]}, [("add", "emails", [{**W, "display": "D"}])],
              {"emails": [{**W, "display": "D"}]}),
            c("the same, not primary", ".1-09", {"emails": [W]}, [("add", "emails", [{**W, "primary": False}])], {"emails": [W]}),
            c("the same, less said", ".1-09", {"emails": [{**P, "display": "D"}]}, [("add", "emails", [W])],
              {"emails": [{**P, "display": "D"}]}),
            c("the same value, another type", ".1-10", {"emails": [W]}, [("add", "emails", [{"type": "home", "value": "w@x"}])],
              {"emails": [W, {"type": "home", "value": "w@x"}]}),
            c("without a value", ".1-10", {"addresses": [{"type": "work", "locality": "A"}]},
              [("add", "addresses", {"type": "work", "locality": "B"})],
              {"addresses": [{"type": "work", "locality": "A"}, {"type": "work", "locality": "B"}]}),
            c("without a value, the same", ".1-10", {"addresses": [{"type": "work", "locality": "A"}]},
              [("add", "addresses", {"locality": "a", "type": "work", "primary": True})],
              {"addresses": [{"type": "work", "locality": "A", "primary": True}]}),
            c("nothing in it", ".1-08", {"emails": [W]}, [("add", "emails", [])], {"emails": [W]}),
            c("primary", "-16", {"emails": [P]}, [("add", "emails", [HP])], {"emails": [NOT_P, HP]}),
            c("the same becomes primary", "-16 .1-10", {"emails": [W, HP]}, [("add", "emails", [P])],
              {"emails": [P, {**H, "primary": False}]}),
            c("two primary", "-17", {}, [("add", "emails", [P, HP])], "invalidValue"),
            c("null within", "-25", {}, [("add", "emails", [{**W, "display": None}, None, {}])], {"emails": [W]}),
            c("strings", "-11", {}, [("add", "emails", ["w@x"])], "invalidValue"),
            c("an array of arrays", "-11 S-7643-2.4-07", {}, [("add", "emails", [[W]])], "invalidValue"),
        ],
        "replace": [
            c("others", ".3-03", {"emails": [H]}, [("replace", "emails", [W])], {"emails": [W]}),
            c("absent", ".3-04", {}, [("replace", "emails", [W])], {"emails": [W]}),
            c("one object", ".3-03", {"emails": [H]}, [("replace", "emails", W)], {"emails": [W]}),
            c("null", ".3-10", {"emails": [H]}, [("replace", "emails", None)], {}),
            c("an empty array", ".3-10", {"emails": [H]}, [("replace", "emails", [])], {}),
            c("one twice", "S-7643-2.4-06", {}, [("replace", "emails", [W, W])], {"emails": [W]}),
            c("two primary", "-17", {"emails": [H]}, [("replace", "emails", [P, HP])], "invalidValue"),
        ],
        "remove": [
            c("all", ".2-03", {"emails": [H, W]}, [("remove", "emails")], {}),
            c("absent", ".2-10", {}, [("remove", "emails")], {}),
            # with a value (not of the RFC): those that it names, and never all because it names none
            c("those given", "", {"emails": [H, W]}, [("remove", "emails", [{"value": "H@X"}])], {"emails": [W]}),
            c("those given, with more said", "", {"emails": [H, W]}, [("remove", "emails", [{**W, "display": "D"}])], {"emails": [H]}),
            c("those given, none such", "", {"emails": [H]}, [("remove", "emails", [W])], {"emails": [H]}),
            c("none given", "", {"emails": [H]}, [("remove", "emails", [])], {"emails": [H]}),
            c("none said of it", "", {"emails": [H]}, [("remove", "emails", [{"primary": False}])], {"emails": [H]}),
        ],
    },
    # It is not said which of the elements is meant; the RFC is silent.
    "sub-attribute of a multi-valued attribute": {
        "add": [c("refused", ".1-14", {"emails": [W]}, [("add", "emails.value", "z")], "noTarget")],
        "replace": [c("refused", ".1-14", {"emails": [W]}, [("replace", "emails.value", "z")], "noTarget")],
        "remove": [c("refused", ".1-14", {"emails": [W]}, [("remove", "emails.value")], "noTarget")],
    },
    "value path, match": {
        "add": [
            c("merged", ".1-11", {"emails": [W, H]}, [("add", 'emails[type eq "work"]', {"display": "D"})],
              {"emails": [{**W, "display": "D"}, H]}),
            c("every match", ".1-11", {"emails": [W, H]}, [("add", 'emails[value co "@x"]', {"display": "D"})],
              {"emails": [{**W, "display": "D"}, {**H, "display": "D"}]}),
            c("null within", "-25", {"emails": [W]}, [("add", 'emails[type eq "work"]', {"value": None})], {"emails": [W]}),
            c("an array", "-11", {"emails": [W]}, [("add", 'emails[type eq "work"]', [{"display": "D"}])], "invalidValue"),
        ],
        "replace": [
            c("whole", ".3-06", {"emails": [{**P, "display": "D"}, H]},
              [("replace", 'emails[type eq "work"]', {"type": "work", "value": "z"})],
              {"emails": [{"type": "work", "value": "z"}, H]}),
            c("what the path says stays", ".3-06", {"emails": [{**P, "display": "D"}]},
              [("replace", 'emails[type eq "work"]', {"value": "z"})],
              {"emails": [{"type": "work", "value": "z"}]}, {"emails": [{"value": "z"}]}),

                         c("every match", ".3-06", {"ims": [{"type": "aim", "value": "1"}, {"value": "2"}, {"type": "msn", "value": "3"}]},
              [("replace", 'ims[value ne "3"]', {"type": "qq", "value": "4"})],
              {"ims": [{"type": "qq", "value": "4"}, {"type": "msn", "value": "3"}]}),
            c("null", ".3-10", {"emails": [W, H]}, [("replace", 'emails[type eq "work"]', None)], {"emails": [H]}),
            c("nothing in it", ".3-10", {"emails": [W, H]}, [("replace", 'emails[type eq "work"]', {})], {"emails": [H]}),
            c("primary", "-16", {"emails": [P, H]}, [("replace", 'emails[type eq "home"]', HP)], {"emails": [NOT_P, HP]}),
            c("several primary", ".3-15", {"emails": [W, H]}, [("replace", "emails[value pr]", {"value": "z", "primary": True})],
              "invalidValue"),
        ],
        "remove": [
            c("one", ".2-05", {"emails": [W, H]}, [("remove", 'emails[type eq "work"]')], {"emails": [H]}),
            c("the last", ".2-04", {"emails": [W]}, [("remove", 'emails[type eq "WORK"]')], {}),
            c("several terms", ".2-05", {"emails": [W, {"type": "work", "value": "w@y"}]},
              [("remove", 'emails[type eq "work" and value ew "@y"]')], {"emails": [W]}),
            c("or", ".2-05", {"emails": [W, H]}, [("remove", 'emails[type eq "work" or type eq "home"]')], {}),
            c("not", ".2-05", {"emails": [W, H]}, [("remove", 'emails[not (type eq "work")]')], {"emails": [W]}),
            c("absent primary is false", "S-7643-2.4-02", {"emails": [P, H]}, [("remove", "emails[primary eq false]")], {"emails": [P]}),
            c("the primary, and none is promoted", ".2-17", {"emails": [P, H]}, [("remove", "emails[primary eq true]")], {"emails": [H]}),
            c("a value with brackets", "S-7644-3.4.2.2-08", {"emails": [{"value": "a]b"}, W]}, [("remove", 'emails[value eq "a]b"]')],
              {"emails": [W]}),
        ],
    },
    # The RFC: noTarget for replace (§3.5.2.3), nothing for add. A lenient tenant gets the element that the path describes.
    "value path, no match": {
        "add": [
            c("described", ".1-13", {"emails": [H]}, [("add", 'emails[type eq "work"]', {"value": "w@x"})], {"emails": [H, W]}, "noTarget"),
            c("none at all", ".1-13", {}, [("add", 'emails[type eq "work"]', {"value": "w@x"})], {"emails": [W]}, "noTarget"),
            c("nothing in it", ".1-13", {"emails": [H]}, [("add", 'emails[type eq "work"]', {})], {"emails": [H]}),
            c("not described", ".1-13", {"emails": [H]}, [("add", 'emails[type ne "home"]', {"value": "w@x"})], "noTarget"),
            c("described by or", ".1-13", {}, [("add", 'emails[type eq "work" or type eq "home"]', {"value": "w@x"})], "noTarget"),
            c("two types", ".1-13", {}, [("add", 'emails[type eq "a" and type eq "b"]', {"value": "w@x"})], "noTarget"),
            c("contradicted", ".1-13", {"emails": [H]}, [("add", 'emails[type eq "work"]', {"type": "other", "value": "z"})], "noTarget"),
        ],
        "replace": [
            c("described", ".3-08", {"emails": [H]}, [("replace", 'emails[type eq "work"]', {"value": "w@x"})], {"emails": [H, W]},
              "noTarget"),
            c("none at all", ".3-09", {}, [("replace", 'emails[type eq "work"]', {"value": "w@x"})], {"emails": [W]}, "noTarget"),
            c("not described", ".3-08", {"emails": [H]}, [("replace", 'emails[type ne "home"]', {"value": "w@x"})], "noTarget"),
        ],
        "remove": [
            c("no error", ".2-09", {"emails": [H]}, [("remove", 'emails[type eq "work"]')], {"emails": [H]}),
            c("none at all", ".2-09 .2-10", {}, [("remove", 'emails[type eq "work"]')], {}),
        ],
    },
    "value path and sub-attribute, match": {
        "add": [
            c("absent", ".1-12", {"emails": [W, H]}, [("add", 'emails[type eq "work"].display', "D")],
              {"emails": [{**W, "display": "D"}, H]}),
            c("present", ".1-12", {"emails": [W, H]}, [("add", 'emails[type eq "work"].value', "z")], {"emails": [{**W, "value": "z"}, H]}),
            c("primary", "-16", {"emails": [P, H]}, [("add", 'emails[type eq "home"].primary', True)], {"emails": [NOT_P, HP]}),
        ],
        "replace": [
            c("one", ".3-07", {"emails": [W, H]}, [("replace", 'emails[type eq "work"].value', "z")], {"emails": [{**W, "value": "z"}, H]}),
            c("every match", ".3-07", {"emails": [W, H]}, [("replace", 'emails[value co "@x"].display', "D")],
              {"emails": [{**W, "display": "D"}, {**H, "display": "D"}]}),
            c("null", ".3-10", {"emails": [{**W, "display": "D"}]}, [("replace", 'emails[type eq "work"].display', None)], {"emails": [W]}),
            c("primary", "-16", {"emails": [P, H]}, [("replace", 'emails[type eq "home"].primary', True)], {"emails": [NOT_P, HP]}),
            c("several primary", ".3-15", {"emails": [W, H]}, [("replace", "emails[value pr].primary", True)], "invalidValue"),
            c("becomes another", "S-7643-2.4-06", {"emails": [W, {"type": "home", "value": "w@x"}]},
              [("replace", 'emails[type eq "home"].type', "work")], {"emails": [W]}),
            c("wrong type", "-11", {"emails": [W]}, [("replace", 'emails[type eq "work"].primary', "yes")], "invalidValue"),
        ],
        "remove": [
            c("one", ".2-06", {"emails": [{**W, "display": "D"}, H]}, [("remove", 'emails[type eq "work"].display')], {"emails": [W, H]}),
            c("the last of an element", ".2-06", {"emails": [{"value": "z"}, H]}, [("remove", 'emails[value eq "z"].value')],
              {"emails": [H]}),
        ],
    },
    "value path and sub-attribute, no match": {
        "add": [
            c("described", ".1-13", {"emails": [H]}, [("add", 'emails[type eq "work"].value', "w@x")], {"emails": [H, W]}, "noTarget"),
            c("none at all", ".1-13", {}, [("add", 'emails[type eq "work"].value', "w@x")], {"emails": [W]}, "noTarget"),
            c("described as primary", ".1-13 -16", {"roles": [{"value": "a"}]},
              [("add", "roles[primary eq true].value", "b")],
              {"roles": [{"value": "a"}, {"primary": True, "value": "b"}]}, "noTarget"),
            c("described by two terms", ".1-13", {}, [("add", 'emails[type eq "work" and primary eq true].value', "w@x")],
              {"emails": [{"type": "work", "primary": True, "value": "w@x"}]}, "noTarget"),
        ],
        "replace": [
            c("described", ".3-08", {"emails": [H]}, [("replace", 'emails[type eq "work"].value', "w@x")], {"emails": [H, W]}, "noTarget"),
            c("none at all", ".3-09", {}, [("replace", 'emails[type eq "work"].value', "w@x")], {"emails": [W]}, "noTarget"),
            c("not described", ".3-08", {"emails": [H]}, [("replace", 'emails[value co "w"].display', "D")], "noTarget"),
            c("contradicted", ".3-08", {}, [("replace", 'emails[value eq "w@x"].value', "z")], "noTarget"),
            c("null", ".3-10", {"emails": [H]}, [("replace", 'emails[type eq "work"].value', None)], {"emails": [H]}),
        ],
        "remove": [c("no error", ".2-09", {"emails": [H]}, [("remove", 'emails[type eq "work"].display')], {"emails": [H]})],
    },
    "extension attribute": {
        "add": [
            c("absent", ".1-17 -13", {}, [("add", f"{E}:department", "D")], {E: {"department": "D"}}),
            c("names in another case", "S-7644-3.10-01", {}, [("add", f"{E.upper()}:DEPARTMENT", "D")], {E: {"department": "D"}}),
            c("without its URN", "-12 -09", {}, [("add", "department", "D")], "invalidPath"),
            c("without its URN, which schemas has", "-12", {E: {"division": "V"}}, [("add", "department", "D")],
              {E: {"division": "V", "department": "D"}}),
            c("a complex one", ".1-06", {}, [("add", f"{E}:manager", {"value": "m", "$ref": "../Users/m", "displayName": "M"})],
              {E: {"manager": {"value": "m"}}}),
            c("a complex one by a string", "-11", {}, [("add", f"{E}:manager", "m")], "invalidValue"),
        ],
        "replace": [
            c("present", ".3-02", {E: {"department": "C", "division": "V"}}, [("replace", f"{E}:department", "D")],
              {E: {"department": "D", "division": "V"}}),
            c("a sub-attribute", ".3-14", {E: {"manager": {"value": "m"}}}, [("replace", f"{E}:manager.value", "n")],
              {E: {"manager": {"value": "n"}}}),
            c("a complex one", ".3-14", {E: {"manager": {"value": "m"}}}, [("replace", f"{E}:manager", {"value": "n", "displayName": "N"})],
              {E: {"manager": {"value": "n"}}}),
            c("a complex one, merged", ".3-05", {E: {"manager": {"value": "m"}}}, [("replace", f"{E}:manager", {"displayName": "N"})],
              {E: {"manager": {"value": "m"}}}),
            c("null", ".3-10", {E: {"department": "C"}}, [("replace", f"{E}:department", None)], {}),
        ],
        "remove": [
            c("one", ".2-02", {E: {"department": "C", "division": "V"}}, [("remove", f"{E}:department")], {E: {"division": "V"}}),
            c("the last", ".2-13", {E: {"department": "C"}}, [("remove", f"{E}:department")], {}),
            c("a complex one", ".2-02", {E: {"manager": {"value": "m"}, "division": "V"}}, [("remove", f"{E}:manager")],
              {E: {"division": "V"}}),
        ],
    },
    "whole extension": {
        "add": [
            c("merged", ".1-18", {E: {"division": "V"}}, [("add", E, {"department": "D"})], {E: {"division": "V", "department": "D"}}),
            c("absent", ".1-18 -13", {}, [("add", E, {"department": "D"})], {E: {"department": "D"}}),
            c("no object", "-11", {}, [("add", E, "D")], "invalidValue"),
            c("null", ".1-01", {}, [("add", E, None)], "invalidValue"),
            c("an unknown one", "-09", {}, [("add", "urn:example:x:2.0:User", {"a": 1})], "invalidPath"),
        ],
        "replace": [
            c("merged", ".1-18", {E: {"division": "V", "department": "C"}}, [("replace", E, {"department": "D"})],
              {E: {"division": "V", "department": "D"}}),
            c("null within", ".3-10", {E: {"division": "V", "department": "C"}}, [("replace", E, {"department": None})],
              {E: {"division": "V"}}),
            c("names with dots", ".1-04", {E: {"division": "V"}}, [("replace", E, {"manager.value": "m"})],
              {E: {"division": "V", "manager": {"value": "m"}}}),
            c("null", ".3-10", {E: {"division": "V"}}, [("replace", E, None)], {}),
        ],
        "remove": [
            c("present", ".2-13", {E: {"division": "V"}, "title": "T"}, [("remove", E)], {"title": "T"}),
            c("in another case", ".2-13", {E: {"division": "V"}, "title": "T"}, [("remove", E.upper())], {"title": "T"}),
            c("absent", ".2-10", {}, [("remove", E)], {}),
        ],
    },
    # of a group; the letters are ids
    "members": {
        "add": [
            c("more", ".1-08", {"members": "ab"}, [("add", "members", [{"value": "b"}, {"value": "c"}])], {"members": "abc"}),
            c("one object", ".1-08", {"members": "a"}, [("add", "members", {"value": "b"})], {"members": "ab"}),
            c("who is one", ".1-09 .1-10", {"members": "ab"}, [("add", "members", [{"value": "a"}])], {"members": "ab"}),
            c("no path", ".1-02", {"members": "a"}, [("add", None, {"members": [{"value": "b"}]})], {"members": "ab"}),
            c("null within", "-25", {},
              [("add", "members", [{"$ref": None, "value": "a", "type": None, "display": "A"}])], {"members": "a"}),
            c("with the core URN", "S-7644-3.10-01", {}, [("add", f"{G}:members", [{"value": "a"}])], {"members": "a"}),
            c("nobody", ".1-08", {"members": "a"}, [("add", "members", [])], {"members": "a"}),
            c("null", ".1-01", {}, [("add", "members", None)], "invalidValue"),
            c("no value", ".1-01", {}, [("add", "members")], "invalidValue"),
            c("without an id", "-11", {}, [("add", "members", [{"display": "A"}])], "invalidValue"),
            c("strings", "-11", {}, [("add", "members", ["a"])], "invalidValue"),
            c("a sub-attribute", "S-7643-4.2-02", {"members": "a"}, [("add", "members.value", "b")], "mutability"),
            c("selected", "S-7643-4.2-02", {"members": "a"}, [("add", 'members[value eq "a"]', {"value": "b"})], "mutability"),
        ],
        "replace": [
            c("others", ".3-03", {"members": "ab"}, [("replace", "members", [{"value": "b"}, {"value": "c"}])], {"members": "bc"}),
            c("nobody", ".3-10", {"members": "ab"}, [("replace", "members", [])], {}),
            c("null", ".3-10", {"members": "ab"}, [("replace", "members", None)], {}),
            c("no path", ".3-01", {"members": "ab", "displayName": "F"},
              [("replace", None, {"displayName": "G", "members": [{"value": "c"}]})],
              {"displayName": "G", "members": "c"}),
            c("a member's id", "S-7643-4.2-02 .3-13", {"members": "a"}, [("replace", 'members[value eq "a"].value', "b")], "mutability"),
            c("a member's display", ".3-11", {"members": "a"}, [("replace", 'members[value eq "a"].display', "b")], "mutability"),
            c("a member", "S-7643-4.2-02", {"members": "a"}, [("replace", 'members[value eq "a"]', {"value": "b"})], "mutability"),
        ],
        "remove": [
            c("selected", ".2-04", {"members": "abc"}, [("remove", 'members[value eq "b"]')], {"members": "ac"}),
            c("the last", ".2-04", {"members": "a"}, [("remove", 'members[value eq "a"]')], {}),
            c("who is none", ".2-09", {"members": "a"}, [("remove", 'members[value eq "b"]')], {"members": "a"}),
            c("selected by or", ".2-04", {"members": "abc"}, [("remove", 'members[value eq "a" or value eq "c"]')], {"members": "b"}),
            c("selected by type", ".2-04", {"members": "ab"}, [("remove", 'members[type eq "User"]')], {}),
            c("all", ".2-03", {"members": "ab"}, [("remove", "members")], {}),
            c("those given", ".2-11", {"members": "abc"}, [("remove", "members", [{"value": "a"}, {"value": "d"}])], {"members": "bc"}),
            c("one object given", ".2-11", {"members": "abc"}, [("remove", "members", {"value": "a"})], {"members": "bc"}),
            c("nobody given", ".2-12", {"members": "ab"}, [("remove", "members", [])], {"members": "ab"}),
            c("nonsense given", ".2-11", {"members": "ab"}, [("remove", "members", [{}])], "invalidValue"),
            c("a sub-attribute", ".2-15", {"members": "a"}, [("remove", 'members[value eq "a"].value')], "mutability"),
            c("all, then some", "-14", {"members": "ab"}, [("remove", "members"), ("add", "members", [{"value": "c"}])], {"members": "c"}),
            c("the name of the group", ".2-08 S-7643-4.2-01", {"displayName": "F"}, [("remove", "displayName")], "mutability"),
        ],
    },
    "read-only attribute": {
        "add": [
            c("meta", ".1-16 -10", {}, [("add", "meta", {"created": "2026-01-01T00:00:00Z"})], "mutability"),
            c("groups", ".1-16 -10 S-7643-4.1.2-05", {}, [("add", "groups", [{"value": "g"}])], "mutability"),
        ],
        "replace": [
            c("id", ".3-11 -10", {}, [("replace", "id", "x")], "mutability"),
            c("a sub-attribute", ".3-11", {E: {"manager": {"value": "m"}}}, [("replace", f"{E}:manager.displayName", "N")], "mutability"),
            c("what follows from another", "", {E: {"manager": {"value": "m"}}},
              [("replace", f"{E}:manager.$ref", "../Users/n")], "mutability"),
        ],
        "remove": [
            c("a sub-attribute of meta", ".2-08 -10", {}, [("remove", "meta.created")], "mutability"),
            c("a group", ".2-08 S-7643-4.1.2-05", {}, [("remove", 'groups[value eq "g"]')], "mutability"),
        ],
    },
    "immutable attribute": {
        "add": [
            c("absent", ".1-15", {}, [("add", "badge", "1")], {"badge": "1"}),
            c("the same", ".1-15", {"badge": "1"}, [("add", "badge", "1")], {"badge": "1"}),
            c("another", ".1-15 -10", {"badge": "1"}, [("add", "badge", "2")], "mutability"),
        ],
        "replace": [
            c("another", ".3-13 -10", {"badge": "1"}, [("replace", "badge", "2")], "mutability"),
            c("the same", ".3-13", {"badge": "1"}, [("replace", "badge", "1")], {"badge": "1"}),
            c("absent", ".3-04", {}, [("replace", "badge", "1")], {"badge": "1"}),
            c("null", ".3-13", {"badge": "1"}, [("replace", "badge", None)], "mutability"),
            c("no path", ".3-13", {"badge": "1"}, [("replace", None, {"badge": "2", "title": "T"})], "mutability"),
            c("no path, the same", ".3-13", {"badge": "1"},
              [("replace", None, {"badge": "1", "title": "T"})], {"badge": "1", "title": "T"}),
        ],
        "remove": [
            c("present", ".2-14", {"badge": "1"}, [("remove", "badge")], "mutability"),
            c("absent", ".2-10", {}, [("remove", "badge")], {}),
        ],
    },
    # It follows from the content, so nothing comes of writing it but what a name without a URN means from there on.
    "schemas": {
        "add": [
            c("an extension", ".1-19", {}, [("add", "schemas", [E])], {}),
            c("an extension, then into it", "-12", {}, [("add", "schemas", [E]), ("add", "department", "D")], {E: {"department": "D"}}),
            c("by a name with its URN, then into it", "-12 -13", {}, [("add", f"{E}:division", "V"), ("add", "department", "D")],
              {E: {"division": "V", "department": "D"}}),
            c("in the same operation", "-12", {}, [("add", None, {"schemas": [E], "department": "D"})], {}, "invalidPath"),
            c("an unknown one", ".1-19", {}, [("add", "schemas", ["urn:x"])], {}, "invalidValue"),
            c("no URN", "-11", {}, [("add", "schemas", 5)], "invalidValue"),
        ],
        "replace": [
            c("the same", ".3-12", {}, [("replace", "schemas", [U])], {}),
            c("without the extension, then into it", "-12", {E: {"division": "V"}},
              [("replace", "schemas", [U]), ("add", "department", "D")], "invalidPath"),
            c("without the base", ".2-16", {}, [("replace", "schemas", [E])], {}, "mutability"),
        ],
        "remove": [
            c("refused", ".2-16", {}, [("remove", "schemas")], "mutability"),
            c("the extension, then into it", "-12", {E: {"division": "V"}}, [("remove", E), ("add", "department", "D")], "invalidPath"),
        ],
    },
    # taken, dropped, never shown
    "write-only attribute": {
        "add": [c("password", ".1-20", {}, [("add", "password", "secret")], {})],
        "replace": [
            c("password", ".1-20", {}, [("replace", "password", "secret")], {}),
            c("no path", ".1-20", {"title": "S"}, [("replace", None, {"password": "secret", "title": "T"})], {"title": "T"}),
        ],
        "remove": [c("password", ".1-20", {}, [("remove", "password")], {})],
    },
}  # fmt: skip

OTHERS: list[Case] = [
    # paths that are none
    c("unknown attribute", "-09", {}, [("replace", "titel", "T")], "invalidPath"),
    c("unknown sub-attribute", "-09", {}, [("replace", "name.first", "T")], "invalidPath"),
    c("unknown sub-attribute of an element", "-09", {"emails": [W]}, [("replace", 'emails[type eq "work"].x', "T")], "invalidPath"),
    c("sub-attribute of a simple one", "-09", {}, [("replace", "title.value", "T")], "invalidPath"),
    c("three levels", "-07", {}, [("replace", "a.b.c", "T")], "invalidPath"),
    c("filter on one value", "-07", {"title": "T"}, [("replace", 'title[value eq "T"]', "U")], "invalidPath"),
    c("filter on one object", "-07", {"name": {"givenName": "G"}}, [("remove", 'name[givenName eq "G"]')], "invalidPath"),
    c("filter names no sub-attribute", "-08", {"emails": [W]}, [("remove", 'emails[x eq "T"]')], "invalidFilter"),
    c("filter does not fit", "-08", {"emails": [W]}, [("remove", 'emails[primary eq "T"]')], "invalidFilter"),
    c("filter is broken", "-08", {"emails": [W]}, [("remove", "emails[type eq]")], "invalidPath"),
    c("bracket is open", "-07", {"emails": [W]}, [("remove", 'emails[type eq "work"')], "invalidPath"),
    c("path is empty", "-07", {}, [("replace", "", "T")], "invalidPath"),
    c("path begins with a slash", "-07", {}, [("replace", "/title", "T")], "invalidPath"),
    c("path has an index", "-07 -04", {"emails": [W]}, [("remove", "emails[0]")], "invalidPath"),
    # several operations
    c("in order", "-14", {"title": "S"}, [("remove", "title"), ("add", "title", "T"), ("replace", "title", "U")], {"title": "U"}),
    c("one builds on the other", "-14", {}, [("add", "emails", [H]), ("replace", 'emails[type eq "home"].value', "z")],
      {"emails": [{**H, "value": "z"}]}),
    c("the second fails", "-15", {"title": "S"}, [("replace", "title", "T"), ("replace", "active", "x")], "invalidValue"),
    c("the last fails on the state", "-15", {"title": "S"}, [("replace", "title", "T"), ("add", 'emails[type ne "w"].value', "x")],
      "noTarget"),
    c("there and back", ".3-17", {"title": "S"}, [("replace", "title", "T"), ("replace", "title", "S")], {"title": "S"}),
    c("none", "-03", {"title": "S"}, [], {"title": "S"}, "invalidSyntax"),
]  # fmt: skip

CASES = [(row, case) for row, ops in TABLE.items() for cases in ops.values() for case in cases] + [("", case) for case in OTHERS]
