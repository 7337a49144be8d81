"""What a check works with: requests that are recorded, users and groups of its own under unique names, and their removal afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.bearer import redact
from conformance.checker.answer import Answer, Document, at
from conformance.checker.evidence import Broken, Exchange, clean, describe, shown
from conformance.checker.offer import ME, OTHER, Offer
from conformance.checker.published import said, sample, writable
from conformance.checker.urns import ENTERPRISE, GROUP, PATCH_OP, USER
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
    """One check's view of the server. `tag` begins every name that the check gives, and no other check's.

    `others` are the credentials besides the first, and what the server offers to each: a Probe of its own, which takes part in the same
    conversation.
    """

    def __init__(self, wire: Wire, offer: Offer, tag: str, others: Mapping[str, tuple[Wire, Offer]] | None = None) -> None:
        self.wire = wire
        self.offer = offer
        self.tag = tag
        self.conversation: list[Exchange] = []
        self._made: list[str] = []  # paths, in the order of making
        self._counted = 0
        self._stranger = Wire(wire.base_url, None, timeout=wire.timeout)
        self._elsewhere: dict[str, Wire] = {}  # by base URL
        self._others = {name: Probe(its_wire, its_offer, tag) for name, (its_wire, its_offer) in (others or {}).items()}
        self._wires = [wire, *(each.wire for each in self._others.values())]
        for each in self._others.values():
            each.conversation, each._wires = self.conversation, self._wires

    @property
    def other(self) -> Probe:
        """The same server as another tenant sees it."""
        return self._others[OTHER]

    @property
    def me(self) -> Probe:
        """The same server as a user sees it; where there is no credential of one, the first may be a user's as well."""
        return self._others.get(ME, self)

    def redact(self, text: str) -> str:
        """The text without the tokens and what they were had for, percent-encoded as they may be."""
        return redact(text, tuple(secret for wire in self._wires if wire.source for secret in wire.source.confidential))

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
        base_url: str | None = None,
    ) -> Answer:
        """Send one request with the token (or without any), and record it. What a POST made is removed after the check.

        `base_url` is another one of the same server.
        """
        wire = self._stranger if anonymous else self.wire if base_url is None else self._below(base_url)
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

    def _below(self, base_url: str) -> Wire:
        if base_url not in self._elsewhere:
            self._elsewhere[base_url] = Wire(base_url, self.wire.source, timeout=self.wire.timeout)
        return self._elsewhere[base_url]

    def _remember(self, endpoint: str, answer: Answer) -> None:
        location = answer.header("Location")
        below = self.wire.below(location) if location else None
        if below is None or not (below.startswith(f"{endpoint}/") or endpoint == "/Me"):
            try:
                below = f"{endpoint}/{answer.response.json()['id']}"
            except (ValueError, TypeError, KeyError):  # no JSON object with an id: nothing that could be deleted
                return
        self._made.append(below)

    def remember(self, location: Any) -> str:
        """The path of what was made other than by a POST to its endpoint, as its location says; it is removed after the check."""
        below = self.wire.below(location) if isinstance(location, str) else None
        if below is None:
            raise Broken(f"what was made has the location {shown(location)}, which is not below {self.wire.base_url}")
        self._made.append(below)
        return below

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
        """A User that the server should take: userName, what its published schemas require besides, and the attributes given.

        `enterprise` is the object of the extension; objects of extensions may also stand among the attributes, under their URNs.
        """
        body: Document = {"schemas": [USER], "userName": self.name(hint)} | self._required(hint)
        if enterprise is not None:
            attributes[ENTERPRISE] = enterprise
        for name, value in attributes.items():
            needed = body.get(name) if ":" in name else None
            body[name] = needed | value if isinstance(needed, dict) and isinstance(value, dict) else value
        body["schemas"] = [USER, *(name for name in body if ":" in name)]
        return body

    def _required(self, hint: str) -> Document:
        """What the published schemas require of a user besides userName."""
        required: Document = {}
        usual: Document = {
            "name": {"givenName": "Given", "familyName": "Family"},
            "emails": [{"value": f"{self.name(hint)}@checks.example", "type": "work", "primary": True}],
            "displayName": self.name(hint),
            "active": True,
        }
        insisted = self.offer.required_extensions()
        for each in self.offer.of_users():
            if (
                said(each.definition, "required") is not True
                or each.keys == ("userName",)
                or not (each.urn is None or each.urn in insisted)
            ):
                continue
            value = usual.get(each.name) if each.urn is None else None
            if value is None and writable(each.definition):
                value = sample(each.definition, self._word(each.definition, hint))
            if value is not None:
                required.setdefault(each.urn, {}).update({each.name: value}) if each.urn else required.update({each.name: value})
        return required

    def _word(self, definition: Document, hint: str) -> str:
        """What a value is made of: the same for the same user, unless it is unique, and may be taken by whoever had the name before."""
        if said(definition, "uniqueness") in ("none", None) or said(definition, "mutability") == "immutable":
            return self.name(hint)
        self._counted += 1
        return f"{self.name(hint)}-{self._counted}"

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
        left = [path for other in self._others.values() for path in other.clean()]
        for path in dict.fromkeys(reversed(self._made)):
            try:
                if self.wire.request("DELETE", path).status not in (200, 202, 204, 404, 410):
                    left.append(path)
            except Unreachable:
                left.append(path)
        for wire in (self._stranger, *self._elsewhere.values()):
            wire.close()
        return left
