"""The application that a WSGI server serves: ``wsgi:create_app()``. The only file that knows all parts."""

from flask import Flask

from scim_server import log
from scim_server.config import Settings
from scim_server.http import blueprint as scim_http
from scim_server.store.engine import Engine, create_engine
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from scim_server.tenancy.admission import Admission
from scim_server.tenancy.bearer import Bearer
from scim_server.tenancy.rates import Rates
from scim_server.tenancy.refusals import Refusals


def create_app(settings: Settings | None = None, engine: Engine | None = None) -> Flask:
    """Settings, engine (unless there is one), tenancy, blueprints: in that order."""
    settings = settings or Settings.from_env()
    log.configure(settings.log_level)

    engine = engine or create_engine(settings.database_url, pool_size=settings.threads, role=settings.database_role)
    store = Store(engine, settings.tenant_url)
    registry = Registry(engine)
    admission, refusals = Admission(registry), Refusals(store)
    bearer = Bearer(registry, admission, refusals, Rates(settings.rate_limit, share=1 / settings.workers))

    app = Flask("scim_server", static_folder=None)
    scim_http.register(app, store, bearer, settings)
    return app
