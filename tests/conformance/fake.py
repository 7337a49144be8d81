"""A SCIM service in memory, just enough to be provisioned, with faults on demand.

It exists to prove that the client notices and survives trouble; it is no example of a server and is told nothing of the real one.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from socketserver import StreamRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CLAUSE = re.compile(r'(.+?) eq "((?:[^"\\]|\\.)*)"$')
TYPED = re.compile(r'(\w+)\[type eq "(\w+)"\]\.(\w+)$')

# What a fault does: nothing; drop the connection before or after the work is done; answer this status without doing the work.
Fault = str | int | None


class Fake:
    """`fault(method, path, number)` decides about each request; `bugs` names deliberate defects. May be stopped and started again."""

    def __init__(self, fault: Callable[[str, str, int], Fault] | None = None, bugs: frozenset[str] = frozenset()) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.fault = fault or (lambda method, path, number: None)
        self.bugs = bugs
        self.retry_after = 0.2  # seconds, what a 429 says
        self.seen: list[tuple[str, str, dict[str, str], Any]] = []
        self.lock = threading.RLock()
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._connections: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/scim/v2"

    def __enter__(self) -> Fake:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        fake = self

        class Handler(StreamRequestHandler):
            """Just enough HTTP/1.1 for well-formed requests; the standard library's handler takes longer over one than this service."""

            disable_nagle_algorithm = True
            wbufsize = -1  # an answer goes out in one piece: half the system calls, and the client is woken once

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError, ValueError):  # the client went away, or the server was stopped
                    while self.handle_request():
                        self.wfile.flush()

            def handle_request(self) -> bool:
                """Read one request and answer it; False if the connection is to be closed."""
                line = self.rfile.readline().decode()
                if not line:
                    return False
                method, path, _ = line.split()
                headers = {}
                while field := self.rfile.readline().decode().strip():
                    name, _, content = field.partition(":")
                    headers[name] = content.strip()
                raw = self.rfile.read(int(headers.get("Content-Length", 0)))
                with fake.lock:
                    fake.seen.append((method, path, headers, json.loads(raw) if raw else None))
                    number = len(fake.seen)
                fault = fake.fault(method, path, number)
                if fault == "before":
                    return False
                if isinstance(fault, int):
                    status, body = fault, {"detail": f"fault {fault}"}
                else:
                    with fake.lock:
                        status, body = fake.handle(method, path, json.loads(raw) if raw else None)
                if fault == "after":
                    return False
                if fault == "slow":
                    time.sleep(1.0)
                answer = json.dumps(body).encode() if body is not None else b""
                head = [f"HTTP/1.1 {status} ", "Content-Type: application/scim+json", f"Content-Length: {len(answer)}"]
                if status == 429:
                    head.append(f"Retry-After: {fake.retry_after}")
                self.wfile.write("\r\n".join([*head, "", ""]).encode() + answer)
                return True

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

            def process_request(self, request: Any, client_address: Any) -> None:
                fake._connections.append(request)
                super().process_request(request, client_address)

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """As a kill does: connections break off, whatever was just being done."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._connections.clear()

    # -- SCIM

    def handle(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        parts = urlsplit(target)
        _, _, kind, *rest = parts.path.strip("/").split("/")
        table = self.users if kind == "Users" else self.groups
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if not rest:
            return self.create(kind, table, body) if method == "POST" else (200, self.query(kind, table, query))
        ident = unquote(rest[0])
        if ident not in table:
            return 404, {"detail": "no such resource"}
        if method == "DELETE":
            if "zombie" not in self.bugs:
                del table[ident]
            for group in self.groups.values():
                group["members"].pop(ident, None)
            return 204, None
        if method == "PATCH":
            for operation in body["Operations"]:
                self.patch(table[ident], operation)
            return (200, self.show(kind, table[ident], query)) if kind == "Users" else (204, None)
        return 200, self.show(kind, table[ident], query)

    def create(self, kind: str, table: dict[str, Any], body: dict[str, Any]) -> tuple[int, Any]:
        key = "userName" if kind == "Users" else "displayName"
        name = body[key].lower()
        if "duplicates" not in self.bugs and name in [other[key].lower() for other in table.values()]:
            return 409, {"detail": f"{key} is taken", "scimType": "uniqueness"}
        ident = uuid.uuid4().hex
        left_out = ("meta", "roles", "members")
        resource = {path: value for path, value in body.items() if value not in (None, []) and path not in left_out}
        if kind == "Groups":
            resource["members"] = {}
        table[ident] = {**resource, "id": ident}
        return 201, self.show(kind, table[ident], {})

    def show(self, kind: str, resource: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        shown = dict(resource)
        if kind == "Groups":
            members = shown.pop("members")
            if "members" not in query.get("excludedAttributes", ""):
                shown["members"] = [{"value": member} for member in members]
        return shown

    def query(self, kind: str, table: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        found = list(table.values())
        for clause in query["filter"].split(" and ") if "filter" in query else []:
            match = CLAUSE.match(clause)
            assert match, clause
            found = self.having(found, match[1], json.loads(f'"{match[2]}"'))
        if "hides inactive" in self.bugs and "filter" in query:
            found = [resource for resource in found if resource.get("active", True)]
        start, count = int(query.get("startIndex", 1)), int(query.get("count", 100))
        if "short pages" in self.bugs and start > 1:
            start += 1
        page = found[start - 1 : start - 1 + min(count, 40)]
        return {"totalResults": len(found), "startIndex": start, "Resources": [self.show(kind, resource, query) for resource in page]}

    def having(self, found: list[dict[str, Any]], path: str, value: str) -> list[dict[str, Any]]:
        """Those that have the value at the path. What there is to decide of the path is decided once: the lists may be long."""
        if path == "members":
            return [resource for resource in found if value in resource["members"]]
        if path == "manager":
            return [resource for resource in found if resource.get(ENTERPRISE, {}).get("manager", {}).get("value") == value]
        if typed := TYPED.match(path):
            name, kind, sub = typed.groups()
            return [
                resource
                for resource in found
                if any(element["type"] == kind and element.get(sub) == value for element in resource.get(name, ()))
            ]
        if "like" in self.bugs and path == "userName":
            pattern = re.compile(re.escape(value).replace("_", "."), re.IGNORECASE)
            return [resource for resource in found if pattern.fullmatch(resource.get(path, ""))]
        if path in ("id", "externalId"):
            return [resource for resource in found if resource.get(path, "") == value]
        lowered = value.lower()
        return [resource for resource in found if resource.get(path, "").lower() == lowered]

    def patch(self, resource: dict[str, Any], operation: dict[str, Any]) -> None:
        op, path = operation["op"].lower(), operation.get("path")
        value: Any = operation.get("value")
        if path is None:
            for name, content in value.items():
                self.set(resource, name, content)
        elif path == "members" or path.startswith("members["):
            self.patch_members(resource["members"], op, path, value)
        elif path in ("manager", f"{ENTERPRISE}:manager"):
            ident = value[0] if isinstance(value, list) else value
            ident = ident.get("value") if isinstance(ident, dict) else ident
            extension = resource.setdefault(ENTERPRISE, {})
            extension.pop("manager", None)
            if op != "remove" and ident:
                extension["manager"] = {"value": ident}
        else:
            self.set(resource, path, value)

    def patch_members(self, members: dict[str, None], op: str, path: str, value: Any) -> None:
        inside = re.match(r'members\[value eq "([^"]+)"\]', path)
        if inside:
            members.pop(inside[1], None)
        elif op == "remove":
            for member in [entry["value"] for entry in value] if value and "removes all" not in self.bugs else list(members):
                members.pop(member, None)
        else:
            for entry in value if "loses a member" not in self.bugs else value[:12]:
                members[entry["value"]] = None

    def set(self, resource: dict[str, Any], path: str, value: Any) -> None:
        if path == "active":
            resource["active"] = value if isinstance(value, bool) else bool(value) if "truthy" in self.bugs else value.lower() == "true"
        elif path.startswith(ENTERPRISE + ":"):
            resource.setdefault(ENTERPRISE, {})[path.rpartition(":")[2]] = value
        elif typed := TYPED.match(path):
            elements = resource.setdefault(typed[1], [])
            element = next((element for element in elements if element["type"] == typed[2]), None)
            if element is None:
                if "no target" in self.bugs:
                    return
                element = {"type": typed[2]}
                elements.append(element)
            element[typed[3]] = value
        elif "." in path and "flat keys" not in self.bugs:
            parent, _, sub = path.partition(".")
            resource.setdefault(parent, {})[sub] = value
        else:
            resource[path] = value
