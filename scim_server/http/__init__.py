"""SCIM over HTTP: the edge.

    blueprint     routes, authentication before them, the access line after them
    requests      bytes and query -> dialect -> values
    resources     /Users and /Groups: parse, one use case, render
    discovery     /ServiceProviderConfig, /ResourceTypes, /Schemas
    oauth_token   access tokens for credentials
    responses     values -> bytes
    addresses     where a request comes from
    errors        the only translator from failures to answers
    oauth_errors  the same in OAuth's words
    health        /healthz, /readyz

A route parses, calls one use case, renders. It never touches a transaction.
"""
