"""One answer of the server, with the questions a check asks of it; a wrong answer to a question is `Failed`, evidence included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from conformance.checker.evidence import Failed, clean, shown
from conformance.checker.urns import ERROR, LIST_RESPONSE
from conformance.wire import Response

Document = dict[str, Any]
Key = str | int | dict[str, Any]

MISSING: Any = object()


def at(document: Any, *keys: Key) -> Any:
    """What lies at a path of a JSON document, or MISSING.

    A string is the name of a member, a number a place in an array, a dict the first element of an array that has all its members:
    `at(user, "emails", {"type": "work"}, "value")`.
    """
    found = document
    for key in keys:
        if isinstance(key, str):
            found = found.get(key, MISSING) if isinstance(found, dict) else MISSING
        elif isinstance(key, int):
            found = found[key] if isinstance(found, list) and -len(found) <= key < len(found) else MISSING
        else:
            elements = found if isinstance(found, list) else []
            found = next((e for e in elements if isinstance(e, dict) and key.items() <= e.items()), MISSING)
        if found is MISSING:
            return MISSING
    return found


def spelled(keys: tuple[Key, ...]) -> str:
    """A path as a reader knows it: `emails[type=work].value`."""
    text = ""
    for key in keys:
        if isinstance(key, str):
            text += f".{key}" if text else key
        elif isinstance(key, int):
            text += f"[{key}]"
        else:
            text += "[" + " ".join(f"{name}={value}" for name, value in key.items()) + "]"
    return text


@dataclass(frozen=True, slots=True)
class Answer:
    """`sent` is the request as text (for a look at what a write did: the write), `came` the answer; both redacted."""

    response: Response
    sent: str
    came: str
    redact: Callable[[str], str]

    @property
    def code(self) -> int:
        return self.response.status

    def header(self, name: str) -> str | None:
        return self.response.headers.get(name)

    @property
    def media_type(self) -> str:
        return (self.header("Content-Type") or "").split(";")[0].strip().lower()

    def fail(self, expected: str, came: str | None = None) -> Failed:
        whole = self.came if came is None else f"{clean(came, self.redact)}\nin: {self.came}"
        return Failed(self.sent, clean(expected, self.redact), whole)

    def expect(self, condition: bool, expected: str, came: str | None = None) -> Self:
        """Fail with this answer as evidence unless the condition holds."""
        if not condition:
            raise self.fail(expected, came)
        return self

    def status(self, *codes: int) -> Self:
        return self.expect(self.code in codes, "status " + " or ".join(map(str, codes)))

    def client_error(self) -> Self:
        return self.expect(400 <= self.code < 500, "a 4xx status")

    def no_server_error(self) -> Self:
        return self.expect(self.code < 500 or self.code == 501, "no 5xx status")

    def json(self) -> Any:
        try:
            return self.response.json()
        except ValueError:
            raise self.fail("a JSON body") from None

    def document(self) -> Document:
        """The body, which must be a JSON object."""
        body = self.json()
        if not isinstance(body, dict):
            raise self.fail("a JSON object")
        return body

    def refused(self, code: int, *scim_types: str) -> Self:
        """A SCIM error of this status (and one of these scimTypes, where given)."""
        self.status(code)
        if scim_types:
            came = at(self.document(), "scimType")
            self.expect(came in scim_types, f"{code} with scimType " + " or ".join(scim_types))
        return self

    def error_body(self) -> Document:
        """The body, which must be a SCIM error that repeats the status as a string."""
        body = self.document()
        self.expect(at(body, "schemas") == [ERROR], f"a body whose schemas is [{ERROR}]")
        self.expect(at(body, "status") == str(self.code), f'a body whose status is the string "{self.code}"')
        return body

    def resources(self, *, counted: bool = True) -> list[Document]:
        """The Resources of a 200 with a ListResponse. A server may leave them out when there are none; and, paging by cursor, their
        number (RFC 9865 §2), which is `counted` False here."""
        self.status(200)
        body = self.document()
        self.expect(at(body, "schemas") == [LIST_RESPONSE], f"a body whose schemas is [{LIST_RESPONSE}]")
        total = at(body, "totalResults")
        self.expect(type(total) is int or (total is MISSING and not counted), "totalResults as a number")
        resources = body.get("Resources", [])
        self.expect(isinstance(resources, list) and all(isinstance(r, dict) for r in resources), "Resources as an array of objects")
        return list(resources)

    @property
    def total(self) -> int:
        self.resources()
        return int(self.document()["totalResults"])

    def value(self, *keys: Key) -> Any:
        """What lies at a path of the body; failing when nothing does."""
        found = at(self.document(), *keys)
        self.expect(found is not MISSING, f"a body with {spelled(keys)}")
        return found

    def text(self, *keys: Key) -> str:
        """A non-empty string at a path of the body."""
        found = self.value(*keys)
        if not isinstance(found, str) or not found:
            raise self.fail(f"{spelled(keys)} as a non-empty string", f"{spelled(keys)} = {shown(found)}")
        return found

    def has(self, value: Any, *keys: Key) -> Self:
        """That the body has exactly this value at a path. `true` is not 1."""
        found = at(self.document(), *keys)
        same = found == value and isinstance(found, bool) == isinstance(value, bool)
        return self.expect(
            same, f"{spelled(keys)} = {shown(value)}", f"no {spelled(keys)}" if found is MISSING else f"{spelled(keys)} = {shown(found)}"
        )

    def lacks(self, *keys: Key) -> Self:
        """That the body has no value at a path. null, [] and {} are no value (RFC 7643 §2.5)."""
        found = at(self.document(), *keys)
        return self.expect(found is MISSING or found in (None, [], {}), f"no {spelled(keys)}", f"{spelled(keys)} = {shown(found)}")
