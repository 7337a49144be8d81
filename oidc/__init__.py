"""Sign-in with Microsoft Entra ID (OpenID Connect), and sessions. Outside of ``scim_server``, whose store and use cases it calls.

blueprint       over HTTP: the only part that knows Flask
assembly        what it is made of, put together once
session         sessions: looked up, refreshed, ended
flow            the authorization code flow: begin, complete
people          who somebody is, by what a token says
access_tokens   signed tokens for the SaaS's own application, and whether they hold
me              what somebody can see of himself
provider        a directory as an OpenID provider
tokens          checks of the ID token
groups          in which groups somebody is; Graph
errors          what a refusal of the token endpoint means
callback        what the authorization endpoint says
refusals        who did not come in, recorded within limits
tickets         random values that name their tenant
"""
