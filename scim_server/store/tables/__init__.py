"""The tables, as the newest migration leaves them.

    tenants          one row per customer                                              (look-up)
    directories      where tenants' people are kept: one ``tid`` of a cloud is one tenant's (look-up)
    domains          the e-mail domains of tenants, and how far their proof is         (look-up)
    credentials      what SCIM clients authenticate with                               (look-up)
    secrets          hashes of what opens a credential: secrets and access tokens      (look-up)
    sealed           secrets that must be read again, encrypted                        (look-up)
    apps             the SaaS's own programs that ask who is signed in                 (look-up)
    signing_keys     what our own access tokens are signed with; the private half is sealed (look-up)
    sessions         signed-in periods                                                 (look-up)
    users, groups    the resources: one JSON document each, and what is lifted out of it
    tallies          how many live ones there are; kept by triggers (migration 0006)
    user_emails      e-mail values of live users, to find them by
    schemas          by which tenants extend users and groups
    unique_values    values of live resources that those schemas want to be unique
    memberships      who is in which group, from when to when
    activity         when a user was active, from when to when
    sign_ins         sign-ins that have begun, for ten minutes
    identity_links   which user a person of a directory is
    mappings         which group gives which role, from when to when
    restrictions     which groups may sign in, if not all may; from when to when
    holdings         which role a user held, through which group; from when to when
    events           everything that happened

Every primary, unique and foreign key but the few by which the look-ups find the tenant holds
``tenant_id``: no row of one tenant can refer to, or be in the way of, a row of another, and the
tables can be distributed by it. In an index that is for finding one row it stands behind the
column that does the finding. In front it would make every index of a table look as good as every
other to a planner that has no statistics yet (a new database), or plans for the average tenant (a
big one among thousands of small ones), and what looks the same to the planner is now and then the
whole tenant instead of one row.

On PostgreSQL the rows are also kept apart by policies (migration 0002): the server works
under a role to which only the rows of the Unit's tenant exist, whatever a statement says.

``doc`` is the resource as answered, without what the server knows better. ``keys`` is its
comparison document (``scim.resources.keys``): filters ask it, so that SQL and memory agree.
Deleted resources are ended, not removed: ``ended`` says when, and the columns that must be unique
are NULL from then on, so that the values are free again. A user's ``external_id`` stays: whoever was
removed is not to come back by signing in.
"""

from __future__ import annotations

from scim_server.store.tables.access import apps, holdings, identity_links, mappings, restrictions, sessions, sign_ins, signing_keys
from scim_server.store.tables.resources import activity, events, groups, memberships, tallies, unique_values, user_emails, users
from scim_server.store.tables.tenancy import credentials, directories, domains, schemas, sealed, secrets, tenants
from scim_server.store.tables.types import Id, Instant, Json, Key, metadata

__all__ = [
    "Id",
    "Instant",
    "Json",
    "Key",
    "activity",
    "apps",
    "credentials",
    "directories",
    "domains",
    "events",
    "groups",
    "holdings",
    "identity_links",
    "mappings",
    "memberships",
    "metadata",
    "restrictions",
    "schemas",
    "sealed",
    "secrets",
    "sessions",
    "sign_ins",
    "signing_keys",
    "tallies",
    "tenants",
    "unique_values",
    "user_emails",
    "users",
]
