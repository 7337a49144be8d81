"""Who may do what: from a person at the door to a user with roles, and out again.

    roles        which roles the rules give: pure
    standing     what a user may do now, kept as periods and recorded; asked again when something changes
    arrival      a person whom a directory vouches for becomes a user: linked, updated or made
    departure    sessions end, roles are lost
    rules        mappings and restrictions: changing them, and what follows

Use cases: each takes a Unit, and what it does lasts with it. ``provisioning`` stands above, since what a SCIM client changes
may end sessions in the same transaction; so does sign-in (``oidc``).
"""
