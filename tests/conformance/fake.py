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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def log_message(self, format: str, *args: object) -> None:
                pass

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, ValueError):  # the client went away, or the server was stopped
                    self.close_connection = True

            def do(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length) if length else b""
                with fake.lock:
                    fake.seen.append((self.command, self.path, dict(self.headers), json.loads(raw) if raw else None))
                    number = len(fake.seen)
                fault = fake.fault(self.command, self.path, number)
                if fault == "before":
                    self.close_connection = True
                    return
                if isinstance(fault, int):
                    status, body = fault, {"detail": f"fault {fault}"}
                else:
                    with fake.lock:
                        status, body = fake.handle(self.command, self.path, json.loads(raw) if raw else None)
                if fault == "after":
                    self.close_connection = True
                    return
                if fault == "slow":
                    time.sleep(1.0)
                content = json.dumps(body).encode() if body is not None else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/scim+json")
                if status == 429:
                    self.send_header("Retry-After", "0.2")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = do

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
        if "duplicates" not in self.bugs and any(other[key].lower() == body[key].lower() for other in table.values()):
            return 409, {"detail": f"{key} is taken", "scimType": "uniqueness"}
        ident = uuid.uuid4().hex
        resource = {name: value for name, value in body.items() if value not in (None, []) and name not in ("meta", "roles", "members")}
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
            path, value = match[1], json.loads(f'"{match[2]}"')
            found = [resource for resource in found if self.holds(resource, path, value)]
        if "hides inactive" in self.bugs and "filter" in query:
            found = [resource for resource in found if resource.get("active", True)]
        start, count = int(query.get("startIndex", 1)), int(query.get("count", 100))
        if "short pages" in self.bugs and start > 1:
            start += 1
        page = found[start - 1 : start - 1 + min(count, 40)]
        return {"totalResults": len(found), "startIndex": start, "Resources": [self.show(kind, resource, query) for resource in page]}

    def holds(self, resource: dict[str, Any], path: str, value: str) -> bool:
        if path == "members":
            return value in resource["members"]
        if path == "manager":
            return bool(resource.get(ENTERPRISE, {}).get("manager", {}).get("value") == value)
        if typed := TYPED.match(path):
            return any(element["type"] == typed[2] and element.get(typed[3]) == value for element in resource.get(typed[1], []))
        held = resource.get(path, "")
        if "like" in self.bugs and path == "userName":
            return bool(re.fullmatch(re.escape(value).replace("_", "."), held, re.IGNORECASE))
        return bool(held == value if path in ("id", "externalId") else held.lower() == value.lower())

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
