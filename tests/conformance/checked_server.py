"""A very small SCIM server that the graded checks are tried on: right in what it does, unless it is told to be wrong.

It knows users, their plain attributes, `userName eq|sw`, and the three discovery documents. `faults` names what it does wrong.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "s3cret+token/of=tests"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
MESSAGE = "urn:ietf:params:scim:api:messages:2.0:"
CREATED = "2026-01-02T03:04:05Z"


class Refused(Exception):
    """Becomes an error answer: (status, scimType or None, detail)."""


def folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).lower()


def has_compatible(name: str) -> bool:
    """Whether there is a letter in it that is but a way to write others, as a ligature is."""
    return any(unicodedata.decomposition(letter).startswith("<compat>") for letter in name)


def features(**changes: Any) -> dict[str, Any]:
    return {
        "schemas": [CORE + "ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": 100},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": False},
        "authenticationSchemes": [{"type": "oauthbearertoken", "name": "Bearer", "description": "A token"}],
    } | changes


def attribute(name: str, **more: Any) -> dict[str, Any]:
    plain = {"type": "string", "multiValued": False, "required": False, "caseExact": False, "uniqueness": "none"}
    return {"name": name} | plain | {"mutability": "readWrite", "returned": "default"} | more


@dataclass
class Small:
    """The state of the server. `lose_after`: the number of requests after which no more are answered."""

    faults: set[str] = field(default_factory=set)
    config: dict[str, Any] = field(default_factory=features)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    lose_after: int | None = None
    requests: list[str] = field(default_factory=list)
    base_url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, method: str, target: str, headers: Any, raw: bytes) -> tuple[int, Any, dict[str, str]]:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        path = unquote(parts.path).removeprefix("/v2")
        try:
            if path != "/ServiceProviderConfig" and headers.get("Authorization") != f"Bearer {TOKEN}" and "open" not in self.faults:
                raise Refused(401, None, f"no: {headers.get('Authorization')}, {target}")
            return self.route(method, path, query, raw)
        except Refused as refused:
            status, kind, detail = refused.args
            if "always 500" in self.faults:
                status = 500
            body = {"schemas": [MESSAGE + "Error"], "status": status if "numeric status" in self.faults else str(status), "detail": detail}
            code = ', error="invalid_token"' if "Authorization" in headers else ""
            challenge = {"WWW-Authenticate": f'Bearer realm="small"{code}'} if status == 401 and "no challenge" not in self.faults else {}
            return status, body | ({"scimType": kind} if kind and "no scimType" not in self.faults else {}), challenge

    def route(self, method: str, path: str, query: dict[str, str], raw: bytes) -> tuple[int, Any, dict[str, str]]:
        if path in ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas"):
            if method != "GET":
                raise Refused(405, None, "read only")
            return 200, self.discovery(path), {}
        match = re.fullmatch(r"/Users(?:/([^/]+))?", path)
        if not match:
            raise Refused(404, None, "no such endpoint")
        with self.lock:
            if match[1] is None:
                return self.create(self.body(raw)) if method == "POST" else self.query(query)
            user = self.users.get(match[1])
            if user is None:
                raise Refused(404, None, "no such user")
            if method == "DELETE":
                if "undeletable" not in self.faults:
                    del self.users[match[1]]
                return 204, None, {}
            if method == "PUT":
                user = self.valid(self.body(raw), match[1])
                self.users[match[1]] = user
            elif method == "PATCH":
                user = self.valid(self.patched(user, self.body(raw)), match[1])
                self.users[match[1]] = user
            return 200, user, {}

    def body(self, raw: bytes) -> dict[str, Any]:
        try:
            body = json.loads(raw)
        except ValueError:
            raise Refused(400, "invalidSyntax", "no JSON") from None
        if not isinstance(body, dict):
            raise Refused(400, "invalidSyntax", "no object")
        return body

    def valid(self, body: dict[str, Any], ident: str) -> dict[str, Any]:
        schemas = body.get("schemas")
        if not (isinstance(schemas, list) and USER in schemas) and "any schemas" not in self.faults:
            raise Refused(400, "invalidValue", "schemas")
        name = body.get("userName")
        if (not isinstance(name, str) or not name) and "any userName" not in self.faults:
            raise Refused(400, "invalidValue", "userName is required")
        if has_compatible(str(name)):
            raise Refused(400, "invalidValue", "userName has a letter that must not be in it")
        taken = [other["userName"] for other in self.users.values() if other["id"] != ident]
        if "case-sensitive" not in self.faults:
            taken, name = [folded(other) for other in taken], folded(str(name))
        if name in taken and "duplicates" not in self.faults:
            raise Refused(409, "uniqueness", "userName is taken")
        kept = {
            key: value for key, value in body.items() if value not in (None, [], {}) and key not in ("id", "meta", "groups", "password")
        }
        if "shows password" in self.faults and "password" in body:
            kept["password"] = body["password"]
        location = f"{self.base_url}/Users/{ident}"
        meta = {"resourceType": "User", "created": CREATED, "lastModified": CREATED, "location": location}
        return kept | {"schemas": [USER], "id": ident, "meta": meta}

    def create(self, body: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        ident = str(body.get("id", "x")) if "client id" in self.faults else uuid.uuid4().hex
        user = self.valid(body, ident)
        self.users[ident] = user
        location = "/elsewhere" if "wrong location" in self.faults else user["meta"]["location"]
        return 200 if "200 for 201" in self.faults else 201, user, {"Location": location}

    def query(self, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        found = list(self.users.values())
        if "filter" in query and "ignores filters" not in self.faults:
            match = re.fullmatch(r'(userName|externalId) (eq|sw) "([^"]*)"', query["filter"])
            if not match:
                raise Refused(400, "invalidFilter", "cannot do this")
            value = folded(match[3])
            held = {user["id"]: folded(str(user.get(match[1], ""))) for user in found}
            found = [u for u in found if held[u["id"]] == value or (match[2] == "sw" and held[u["id"]].startswith(value))]
            if not found and "404 for nobody" in self.faults:
                raise Refused(404, None, "nobody")
        start, count = max(int(query.get("startIndex", 1)), 1), max(int(query.get("count", 100)), 0)
        page = found[start - 1 : start - 1 + count]
        total = len(page) if "total of page" in self.faults else len(found)
        body = {"schemas": [MESSAGE + "ListResponse"], "totalResults": total, "startIndex": start, "itemsPerPage": len(page)}
        return 200, body | {"Resources": page}, {}

    def patched(self, user: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        if body.get("schemas") != [MESSAGE + "PatchOp"] or not isinstance(body.get("Operations"), list):
            raise Refused(400, "invalidSyntax", "no PatchOp")
        new = user if "not atomic" in self.faults else dict(user)
        for operation in body["Operations"]:
            op, path = (operation.get("op"), operation.get("path")) if isinstance(operation, dict) else (None, None)
            if op not in ("add", "remove", "replace"):
                raise Refused(400, "invalidSyntax", "op")
            if op == "remove" and path is None:
                raise Refused(400, "noTarget", "path")
            if path is not None and not re.fullmatch(r"[A-Za-z]+", str(path)):
                raise Refused(400, "invalidPath", "path")
            if op == "remove":
                new.pop(str(path), None)
            else:
                new.update(operation["value"] if path is None else {path: operation["value"]})
        return new

    def discovery(self, path: str) -> dict[str, Any]:
        if path == "/ServiceProviderConfig":
            return self.config
        names = {"userName": {"required": True, "uniqueness": "server"}, "nickName": {}, "title": {}, "displayName": {}}
        names["active"] = {"type": "boolean"}
        resources: list[dict[str, Any]]
        if path == "/Schemas":
            attributes = [attribute(name, **more) for name, more in names.items()]
            resources = [{"schemas": [CORE + "Schema"], "id": USER, "name": "User", "attributes": attributes}]
        else:
            resources = [{"schemas": [CORE + "ResourceType"], "id": "User", "name": "User", "endpoint": "/Users", "schema": USER}]
        if "bare array" in self.faults:
            return resources  # type: ignore[return-value]  # the fault is that it is no object
        return {"schemas": [MESSAGE + "ListResponse"], "totalResults": len(resources), "Resources": resources}


@contextmanager
def serving(small: Small) -> Iterator[Small]:
    """The server on a port of its own, while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:
            pass

        def handle_any(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            small.requests.append(f"{self.command} {self.path}")
            if small.lose_after is not None and len(small.requests) > small.lose_after:
                self.close_connection = True
                return
            status, body, headers = small.answer(self.command, self.path, self.headers, raw)
            content = b"" if body is None else json.dumps(body).encode()
            if "control characters" in small.faults and status >= 400:
                content += b" \x00\x08\xff"
            self.send_response(status)
            kind = "application/json" if "plain json" in small.faults else "application/scim+json"
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    small.base_url = f"http://127.0.0.1:{server.server_port}/v2"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield small
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
