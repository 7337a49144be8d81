"""The protocol core: RFC 7643 and RFC 7644 as values and functions.

It knows no web, no database, no clock, no configuration and no vendor. What goes in are parsed
JSON values and query texts; what comes out are values, or one of the errors of ``errors``.
Documents are plain dicts in canonical form: names as the schema spells them, nothing null,
nothing empty, nothing read-only.

    errors, attributes, schemas     what there is, and what can be wrong with it
    definitions, revisions          schemas as JSON, and what another one means for values that are there
    values, filters, matching       how values compare; filters and paths as text, trees, questions
    documents, resources            canonical form; what is accepted, kept, compared, answered
    steps, patch, changes           what a PATCH means, what it does, what has changed
    projection, paging, versions    what of it is shown
    messages, discovery             what goes around it
    json_text                       values as bytes, with the digits that they were sent with
"""
