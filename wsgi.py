"""The application that a WSGI server serves: ``wsgi:create_app()``. The only file that knows all parts."""

from contextlib import suppress

from flask import Flask

from oidc import blueprint as sign_in_http
from oidc.access_tokens import AccessTokens
from oidc.assembly import SignIn
from scim_server import log
from scim_server.access.own_tokens import OwnTokens
from scim_server.config import Settings
from scim_server.http import blueprint as scim_http
from scim_server.jwt.keys import KeySets
from scim_server.outbound import Outbound
from scim_server.store.engine import Engine, create_engine
from scim_server.store.errors import StoreError
from scim_server.store.registry import Registry
from scim_server.store.unit import Store
from scim_server.tenancy.admission import Admission
from scim_server.tenancy.apps import Apps
from scim_server.tenancy.assertion import Assertions
from scim_server.tenancy.bearer import Bearer
from scim_server.tenancy.client_credentials import TOKENS_PER_SECOND, ClientCredentials
from scim_server.tenancy.cursors import Cursors
from scim_server.tenancy.directories import Directories
from scim_server.tenancy.entra_jwt import EntraTokens
from scim_server.tenancy.entrances import Entrances
from scim_server.tenancy.keys import KeyRing
from scim_server.tenancy.rates import Rates
from scim_server.tenancy.refusals import Refusals
from scim_server.tenancy.signing_keys import SigningKeys


def create_app(settings: Settings | None = None, engine: Engine | None = None) -> Flask:
    """Settings, engine (unless there is one), tenancy, blueprints: in that order."""
    settings = settings or Settings.from_env()
    log.configure(settings.log_level)

    engine = engine or create_engine(settings.database_url, pool_size=settings.threads, role=settings.database_role)
    store, registry, outbound = Store(engine, settings.tenant_url), Registry(engine), Outbound(settings.allow_custom_cloud)
    ring = KeyRing.of(settings, registry)
    with suppress(StoreError):  # a database that is away is told by /readyz, and may come back
        if store.migrated():
            ring.check()
    admission, refusals = Admission(registry), Refusals(store)
    keys = KeySets(outbound, settings.jwks_max_age_s, settings.jwks_refetch_floor_s)
    share = 1 / settings.workers
    bearer = Bearer(registry, EntraTokens(registry, keys), admission, refusals, Rates(settings.rate_limit, share))
    clients = ClientCredentials(registry, Assertions(registry, keys), admission, refusals, Rates(TOKENS_PER_SECOND, share))
    directories = Directories(registry, ring, outbound, allow_custom=settings.allow_custom_cloud)
    sign_in = SignIn(store, Entrances(registry), directories, ring, outbound, keys, settings)
    signing_keys = SigningKeys(registry, ring)
    own = OwnTokens(signing_keys, store, settings.public_url, settings.access_token_audience)
    tokens = AccessTokens(signing_keys, own, settings.public_url, settings.access_token_audience)

    app = Flask("scim_server", static_folder=None)
    scim_http.register(app, store, bearer, clients, Cursors(registry), own, settings)
    sign_in_http.register(app, sign_in, tokens, Apps(registry))
    return app
