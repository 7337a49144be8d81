"""scim-server: the gateway through which customers that run Microsoft Entra ID plug in.

Layers, high to low; each imports only what stands below it (held by import-linter):

    cli                     commands for operators
    server                  gunicorn, set up for this application
    http                    SCIM over HTTP: parse, one use case, render
    housekeeping            what a server does beside requests
    provisioning            use cases: users, groups
    access                  who may do what: from a person at the door to a user with roles, and out again
    tenancy                 whose request is this?
    store                   SQL; a Unit is one transaction of one tenant
    entra | booleans        what clients send that no RFC allows
    events | jwt            what can happen; signed tokens
    outbound                the one way out
    scim                    the protocol core, pure
    config | log | clock    settings, logging, time; clouds: Microsoft's
    turns                   tenants take turns at the threads of a process

A request goes down once (bytes, dialect, RFC values, use case, SQL) and comes up once as a value.
Read in that order, from ``http.blueprint``; or from ``scim`` upwards.
"""
