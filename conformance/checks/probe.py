"""What a check works with: requests that are recorded, users and groups of its own under unique names, and their removal afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.bearer import redact
from conformance.checks.answer import Answer, Document, at
from conformance.checks.evidence import Broken, Exchange, clean, describe, shown
from conformance.checks.offer import Offer
from conformance.checks.urns import ENTERPRISE, GROUP, PATCH_OP, USER
from conformance.wire import SCIM_JSON, Unreachable, Wire

Parameters = Mapping[str, str | int] | str


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that a check made. `hint` is how the check calls it, `name` its userName or displayName, `answer` the 201."""

    hint: str
    name: str
    id: str
    path: str
    answer: Answer

    @property
    def document(self) -> Document:
        return self.answer.document()


def quoted(text: str) -> str:
    """A string literal of a filter."""
    return json.dumps(text, ensure_ascii=False)


class Probe:
    """One check's view of the server. `tag` begins every name that the check gives, and no other check's."""

    def __init__(self, wire: Wire, offer: Offer, tag: str) -> None:
        self.wire = wire
        self.offer = offer
        self.tag = tag
        self.conversation: list[Exchange] = []
        self._made: list[str] = []  # paths, in the order of making
        self._stranger = Wire(wire.base_url, None, timeout=wire.timeout)

    def redact(self, text: str) -> str:
        """The text without the token and what it was had for, percent-encoded as they may be."""
        return redact(text, self.wire.source.confidential) if self.wire.source else text

    # -- requests ---------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | str | None = None,
        content_type: str | None = SCIM_JSON,
        *,
        anonymous: bool = False,
    ) -> Answer:
        """Send one request with the token (or without any), and record it. What a POST made is removed after the check."""
        wire = self._stranger if anonymous else self.wire
        response = wire.request(method, path, body=body, query=query, headers=headers, raw_body=raw, content_type=content_type)
        content = shown(body) if body is not None else raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw or ""
        # Headers that a check sets are what it is about; the token among them is redacted.
        lines = [f"{method} {response.target}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        if content and content_type != SCIM_JSON:
            lines.append(f"Content-Type: {content_type}")
        sent = clean("\n".join([*lines, *([content] if content else [])]), self.redact)
        answer = Answer(response, sent, describe(response, self.redact), self.redact)
        self.conversation.append(Exchange(answer.sent, answer.came))
        if method == "POST" and response.status == 201:
            self._remember(path, answer)
        return answer

    def _remember(self, endpoint: str, answer: Answer) -> None:
        location = answer.header("Location")
        below = self.wire.below(location) if location else None
        if below is None or not below.startswith(f"{endpoint}/"):
            try:
                below = f"{endpoint}/{answer.response.json()['id']}"
            except (ValueError, TypeError, KeyError):  # no JSON object with an id: nothing that could be deleted
                return
        self._made.append(below)

    def get(self, path: str, query: Parameters | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("GET", path, query=query, headers=headers)

    def post(self, path: str, body: Any, query: Parameters | None = None) -> Answer:
        return self.request("POST", path, body, query)

    def put(self, path: str, body: Any, query: Parameters | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("PUT", path, body, query, headers)

    def patch(self, path: str, *operations: Document, query: Parameters | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)}, query, headers)

    def delete(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("DELETE", path, headers=headers)

    # -- resources of one's own -------------------------------------------------------------------------------------

    def name(self, hint: str) -> str:
        return f"{self.tag}-{hint}"

    def user_body(self, hint: str = "user", enterprise: Document | None = None, **attributes: Any) -> Document:
        """A User that the server should take: userName, what its published schema requires besides, and the attributes given.

        `enterprise` is the object of the extension; it may also stand among the attributes, under its URN.
        """
        body: Document = {"schemas": [USER], "userName": self.name(hint)}
        usual: Document = {
            "name": {"givenName": "Given", "familyName": "Family"},
            "emails": [{"value": f"{self.name(hint)}@checks.example", "type": "work", "primary": True}],
            "displayName": self.name(hint),
            "active": True,
        }
        for attribute in self.offer.attributes(USER) or []:
            if attribute.get("required") is True and attribute.get("name") in usual:
                body[attribute["name"]] = usual[attribute["name"]]
        body |= attributes
        if enterprise is not None:
            body[ENTERPRISE] = enterprise
        if ENTERPRISE in body:
            body["schemas"] = [USER, ENTERPRISE]
        return body

    def user(self, hint: str = "user", enterprise: Document | None = None, **attributes: Any) -> Made:
        return self._make("/Users", hint, self.user_body(hint, enterprise, **attributes), "userName")

    def group_body(self, hint: str = "group", members: Iterable[Made] = (), **attributes: Any) -> Document:
        body: Document = {"schemas": [GROUP], "displayName": self.name(hint)} | attributes
        listed = [{"value": member.id} for member in members]
        return body | ({"members": listed} if listed else {})

    def group(self, hint: str = "group", members: Iterable[Made] = (), **attributes: Any) -> Made:
        return self._make("/Groups", hint, self.group_body(hint, members, **attributes), "displayName")

    def _make(self, endpoint: str, hint: str, body: Document, named: str) -> Made:
        answer = self.post(endpoint, body)
        id = at(answer.json(), "id") if answer.code == 201 else None
        if not isinstance(id, str) or not id:
            raise Broken(f"needs a resource of its own, and could not make it\nsent: {answer.sent}\ncame: {answer.came}")
        return Made(hint, str(body[named]), id, f"{endpoint}/{id}", answer)

    def state(self, made: Made, cause: Answer | None = None) -> Answer:
        """The resource as it is now; in a failure, the `cause` is shown as what was sent."""
        answer = self.get(made.path).status(200)
        return replace(answer, sent=cause.sent) if cause else answer

    def patched(self, made: Made, *operations: Document) -> Answer:
        """The resource after a PATCH that must succeed."""
        answer = self.patch(made.path, *operations).status(200, 204)
        return self.state(made, answer)

    # -- queries ----------------------------------------------------------------------------------------------------

    def find(self, filter: str, endpoint: str = "/Users", **parameters: str | int) -> Answer:
        return self.get(endpoint, {"filter": filter} | parameters)

    def finds(self, filter: str, expected: Iterable[Made], among: Iterable[Made], endpoint: str = "/Users") -> Answer:
        """That a filter gives exactly these of the check's resources, and no other resource at all."""
        answer = self.find(filter, endpoint)
        hints = {made.id: made.hint for made in among}
        came = sorted(hints.get(str(at(one, "id")), "somebody else's resource") for one in answer.resources())
        wanted = sorted(made.hint for made in expected)
        return answer.expect(came == wanted, f"{filter} to find {', '.join(wanted) or 'nobody'}", f"found: {', '.join(came) or 'nobody'}")

    def mine(self, condition: str, named: str = "userName") -> str:
        """A filter that only resources of this check can satisfy."""
        return f'{named} sw "{self.tag}" and ({condition})'

    # -- the end ----------------------------------------------------------------------------------------------------

    def clean(self) -> list[str]:
        """Delete what the check made, the last first; the paths that would not go."""
        left = []
        for path in dict.fromkeys(reversed(self._made)):
            try:
                if self.wire.request("DELETE", path).status not in (200, 202, 204, 404, 410):
                    left.append(path)
            except Unreachable:
                left.append(path)
        self._stranger.close()
        return left
