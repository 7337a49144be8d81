"""An application behind the gateway, in three ways to know who is signed in. Standard library, and joserfc for signatures.

GATEWAY=https://login.example.com CLIENT_ID=… CLIENT_SECRET=… python examples/app.py

/          behind a proxy that asks the gateway first (docs/apps.md): who it is stands in headers
/token     whoever calls brings an access token: verified here, without asking anybody
/ask       the same token, asked about: whether it holds now
"""

import base64
import json
import os
import urllib.request
from urllib.parse import quote, unquote, urlencode
from wsgiref.simple_server import make_server

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

GATEWAY = os.environ.get("GATEWAY", "http://127.0.0.1:8000")
CLIENT_ID, CLIENT_SECRET = os.environ.get("CLIENT_ID", ""), os.environ.get("CLIENT_SECRET", "")
ISSUER = os.environ.get("ISSUER", GATEWAY)  # PUBLIC_URL of the gateway, where it is reached under another name here
RULES = jwt.JWTClaimsRegistry(iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": ISSUER}, exp={"essential": True})


def published():
    """The gateway's keys. A real application keeps them for some minutes, and asks again when it meets an unknown one."""
    with urllib.request.urlopen(GATEWAY + "/.well-known/jwks.json", timeout=5) as answer:  # noqa: S310  a URL of ours
        return KeySet.import_key_set(json.load(answer))


def verified(token):
    """What a token says, if the gateway signed it for us and it has not ended. Raises JoseError or ValueError."""
    decoded = jwt.decode(token, published(), algorithms=["ES256"])
    RULES.validate(decoded.claims)
    return decoded.claims


def asked_about(token):
    """What the gateway says of a token now (RFC 7662). ValueError as soon as the person is out. Not kept: out is out at once."""
    basic = base64.b64encode(f"{quote(CLIENT_ID)}:{quote(CLIENT_SECRET)}".encode()).decode()
    body = urlencode({"token": token, "token_type_hint": "access_token"}).encode()
    request = urllib.request.Request(GATEWAY + "/auth/introspect", body, {"Authorization": f"Basic {basic}"})  # noqa: S310  as above
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        claims = json.load(answer)
    if claims.get("active") is not True:  # nothing else means yes
        raise ValueError("not active")
    RULES.validate(claims)
    return claims


def app(environ, start_response):
    path = environ["PATH_INFO"]
    try:
        if path in ("/token", "/ask"):
            scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
            if scheme.lower() != "bearer":
                raise ValueError("no token")
            who = verified(token) if path == "/token" else asked_about(token)
        else:  # only the proxy can reach this application, and it has set these headers anew
            who = {"name": unquote(environ["HTTP_X_AUTH_NAME"]), "roles": environ["HTTP_X_AUTH_ROLES"].split(",")}
    except OSError:  # the gateway is away, or does not know this client: nobody is let in on a guess
        start_response("503 Service Unavailable", [("Retry-After", "5")])
        return []
    except (JoseError, ValueError):
        start_response("401 Unauthorized", [("WWW-Authenticate", 'Bearer error="invalid_token"')])
        return []
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(who).encode()]


if __name__ == "__main__":
    make_server("127.0.0.1", int(os.environ.get("PORT", "9000")), app).serve_forever()
