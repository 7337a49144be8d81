"""Whose request is this? The tenant follows from what a client presents, and from nothing else in a request.

bearer               Authorization header -> Client; the one way in for SCIM
client_credentials   the token endpoint: client secrets and assertions -> access tokens
opaque               secrets of ours: made, hashed, found
entra_jwt            tokens that a tenant's directory issued, presented as they are
assertion            tokens of an outside issuer in place of a client secret
admission            what holds for all of them: ended, suspended, from where
refusals             who was not let in, recorded within limits
rates                so many requests per tenant
client               who calls, and what it may do
credentials          making them, giving them other secrets
directories          clouds, and directories in them
domains              e-mail domains, and their proof in DNS
keys                 the key ring for secrets that must be read again
"""
