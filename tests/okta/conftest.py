"""What the cases of Okta ask for: a client of a fresh tenant, under each profile (``tests.http.conftest``)."""

from tests.http.conftest import app, other_scope, profile, registry, scim, scope, stranger  # noqa: F401  fixtures
