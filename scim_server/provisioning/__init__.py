"""Use cases: what a SCIM client can have done to users and groups.

A use case takes a Unit and values and returns a value. It reads what it changes under a lock,
lets the protocol core say what the new state is, stores it, and appends the event that tells of
it. It never commits: leaving the Unit does. ``users`` and ``groups`` have the same functions.
``schemas`` is for operators: what users and groups are.
"""
