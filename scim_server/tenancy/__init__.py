"""Whose request is this? The tenant follows from what a client presents, and from nothing else in a request.

bearer               Authorization header -> Client; the one way in for SCIM
client_credentials   the token endpoint: client secrets and assertions -> access tokens
opaque               secrets of ours: made, hashed
entra_jwt            tokens that a tenant's directory issued, presented as they are
assertion            tokens of an outside issuer in place of a client secret
trust                what both have in common: a token against what a credential trusts
admission            what holds for all of them: ended, suspended, from where
refusals             who was not let in, recorded within limits
rates                so many requests per tenant
client               who calls, and what it may do
profiles             how a tenant's wire is read
credentials          making them, giving them other secrets
clouds, directories  Microsoft's clouds, and tenants' directories in them
domains              e-mail domains, and their proof in DNS
entrances            where somebody signs in
domain_names         what people type for a domain, and which are nobody's own
keys, key_files      the key ring for secrets that must be read again
"""
