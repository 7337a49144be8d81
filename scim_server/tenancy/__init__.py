"""Whose request is this? The tenant follows from the credential and from nothing else in a request."""
