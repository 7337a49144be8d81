"""What sign-in is made of, put together once."""

from __future__ import annotations

from oidc.flow import Flow
from oidc.groups import Graph
from oidc.provider import Provider
from oidc.session import Sessions
from scim_server.config import Settings
from scim_server.jwt.keys import KeySets
from scim_server.outbound import Outbound
from scim_server.store.unit import Store
from scim_server.tenancy.directories import Directories
from scim_server.tenancy.entrances import Entrances
from scim_server.tenancy.keys import KeyRing


class SignIn:
    """Everything that the routes of sign-in call. Safe to share between threads; to be made after forking."""

    def __init__(
        self,
        store: Store,
        entrances: Entrances,
        directories: Directories,
        ring: KeyRing,
        outbound: Outbound,
        keys: KeySets,
        settings: Settings,
    ) -> None:
        provider, graph = Provider(outbound, directories, keys, settings.jwks_max_age_s), Graph(outbound)
        self.settings = settings
        self.store = store
        self.entrances = entrances
        self.flow = Flow(store, entrances, ring, provider, graph, settings)
        self.sessions = Sessions(store, entrances, ring, provider, graph, settings)
