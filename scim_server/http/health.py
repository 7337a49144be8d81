"""For load balancers and orchestrators: /healthz (this process lives) and /readyz (it can serve)."""

from __future__ import annotations

from flask import Blueprint, Response

from scim_server import log
from scim_server.store.errors import StoreError
from scim_server.store.unit import Store


def create_blueprint(store: Store) -> Blueprint:
    """Both answer in one line of JSON, need no credential and tell nothing of any tenant."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def alive() -> Response:
        return _answer(200, "alive")

    @blueprint.get("/readyz")
    def ready() -> Response:
        """503 while the database is away or its migrations are not this version's."""
        try:
            store.ping()
            migrated = store.migrated()
        except StoreError as fault:
            log.get().warning("not_ready", reason=type(fault).__name__)
            return _answer(503, "database unavailable")
        return _answer(200, "ready") if migrated else _answer(503, "migrations pending: run scim-server db upgrade")

    return blueprint


def _answer(status: int, text: str) -> Response:
    return Response(f'{{"status": "{text}"}}\n', status, content_type="application/json", headers={"Cache-Control": "no-store"})
