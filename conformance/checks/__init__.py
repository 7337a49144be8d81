"""The checks: one module per group of behaviour, brought together in `conformance.checker.catalogue`.

How the levels are given: MUST where an RFC demands the behaviour (MUST, SHALL, REQUIRED, or what follows from one without a choice);
SHOULD where an RFC recommends it, or is silent and a widespread client depends on it; MAY where the RFC leaves the server free and the
check tells how it used the freedom. What would do harm on a server that does wrong (DELETE of a whole endpoint, changing a real person by
/Me) is not tried; what cannot be seen from outside (hashes, life of tokens, what an introspection asks) has no check.
"""
