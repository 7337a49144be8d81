"""The protocol core: RFC 7643 and RFC 7644 as values and functions.

It knows no web, no database, no clock, no configuration and no vendor. What goes in are parsed
JSON values and query texts; what comes out are values, or one of the errors of ``errors``.
Documents are plain dicts in canonical form: names as the schema spells them, nothing null,
nothing empty, nothing read-only.

Reading order: errors, attributes, schemas, values, filters, matching, resources, patch,
projection, messages.
"""
