"""The application that a WSGI server serves: ``wsgi:create_app()``. The only file that knows all parts."""

from flask import Flask

from scim_server import log
from scim_server.config import Settings
from scim_server.http import blueprint as scim_http
from scim_server.store.engine import create_engine
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from scim_server.tenancy.bearer import Bearer


def create_app(settings: Settings | None = None) -> Flask:
    """Settings, engine, tenancy, blueprints: in that order."""
    settings = settings or Settings.from_env()
    log.configure(settings.log_level)

    engine = create_engine(settings.database_url, pool_size=settings.threads)
    store = Store(engine, settings.tenant_url)
    bearer = Bearer(Registry(engine))

    app = Flask("scim_server", static_folder=None)
    scim_http.register(
        app,
        store,
        bearer,
        base_url=settings.tenant_url,
        max_body=settings.max_body_bytes,
        max_results=settings.max_page_size,
    )
    return app
