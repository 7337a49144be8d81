"""Storage: SQL lives here and nowhere else, on SQLite and on PostgreSQL alike.

    unit, registry                        the front: a Unit is one transaction of one tenant
    diagnosis                             what an operator wants to know of the database itself
    users, groups, members, audit_log     what a Unit offers
    schemas, resource_types               what users and groups are in a tenant that has schemas of its own
    export                                all of a tenant, to be read out
    pages, filter_sql, columns            searching: filters become conditions on rows
    links, periods, unique_values         what users and groups share
    documents, dialects                   rows and values; what the two databases spell differently
    scoped, connections, statements       how a statement gets to the database, and never without a tenant
    engine, postgresql, sqlite            which database it is, and how it is spoken to
    tables, migrations                    the schema, the way to the newest schema

Reading order: tables, unit, users, members, then the rest as needed.
"""
