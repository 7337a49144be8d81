"""Tokens that somebody else signed: JSON Web Tokens (RFC 7519) of outside issuers. Who they open a door for is not decided here.

tokens     what a token says; whether it is the issuer's word, and holds now
keys       issuers' signing keys and metadata, kept for a while
"""
