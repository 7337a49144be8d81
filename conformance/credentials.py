"""The ways to a bearer token other than being given one: a client secret, a signed assertion, an issuer's own token.

A token is had anew before it ends, as the provisioning service does, which looks at it before each request.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote_plus, urlencode, urlsplit

from conformance.bearer import Issued, NoToken, Source, redact
from conformance.wire import Response, TooLong, Unreachable, Wire

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 §2.2

_SHARE = 0.9  # of its life a token is used
_PAUSE = 15.0  # seconds until a token endpoint that was away is asked again, while the token at hand is good
_UNSAID = 3600  # seconds that a token is taken to be good for where the answer does not say
_LONGEST = 10**9
_LARGEST_ANSWER = 64 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*")  # RFC 6750 §2.1
_EXCERPT = 300


class Renewed(ABC):
    """A token that ends, and is had anew at nine tenths of its life. Of many threads that need one, one gets it for all.

    `now` is a clock in seconds that never goes back.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.fetched = 0
        self.remarks: list[str] = []
        self._now = now
        self._lock = threading.Lock()
        self._token: str | None = None
        self._due = self._ends = 0.0
        self._failed: tuple[float, Unreachable] | None = None
        self._known: deque[str] = deque(maxlen=8)  # the tokens of late

    @property
    def confidential(self) -> tuple[str, ...]:
        return tuple(self._known)

    @abstractmethod
    def _obtain(self) -> Issued:
        """A new token. Raises as `bearer` does."""

    def bearer(self) -> str:
        """A token that is good now. Raises NoToken, or Unreachable where it is worth trying again."""
        asked = self._now()
        with self._lock:
            if self._token is None or self._now() >= self._due:
                try:
                    return self._another(asked)
                except Unreachable:
                    if self._token is None or self._now() >= self._ends:
                        raise
                    self._due = self._now() + _PAUSE
            return self._token

    def renew(self, refused: str) -> bool:
        """See to it that `bearer` gives another token than the refused one. True unless it raises as `bearer` does."""
        asked = self._now()
        with self._lock:
            if self._token == refused:
                self._another(asked)
        return True

    def _another(self, asked: float) -> str:
        if self._failed is not None and self._failed[0] > asked:  # while this thread was waiting for its turn
            known = self._failed[1]
            raise Unreachable(known.method, known.target, known.reason, sent=False)
        begun = self._now()
        try:
            issued = self._obtain()
        except Unreachable as error:
            self._failed = (self._now(), error)
            raise
        self.fetched += 1
        self._token = issued.token
        self._known.append(issued.token)
        self._due, self._ends = begun + issued.expires_in * _SHARE, begun + issued.expires_in
        return issued.token


class IssuedToken(Renewed):
    """An issuer's own tokens: `issue` signs one, as `Issuer.access_token` and `Issuer.assertion` do."""

    def __init__(self, issue: Callable[[], Issued], now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(now)
        self._issue = issue

    def _obtain(self) -> Issued:
        return self._issue()


class _Exchanged(Renewed):
    """Tokens of a token endpoint, for the grant `client_credentials` (RFC 6749 §4.4). `scope` None asks for none in particular."""

    def __init__(self, token_url: str, scope: str | None, timeout: float, now: Callable[[], float]) -> None:
        super().__init__(now)
        parts = urlsplit(token_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment or parts.username is not None:
            raise ValueError(f"not an http(s) URL of a token endpoint: {token_url!r}")
        _ = parts.port  # raises ValueError where it is no number
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._url = self._origin + parts.path
        self._scope = scope
        self._timeout = timeout

    @abstractmethod
    def _authentication(self) -> tuple[dict[str, str], dict[str, str]]:
        """What proves the client: parameters of the form, and headers."""

    def _obtain(self) -> Issued:
        parameters, headers = self._authentication()
        form = {"grant_type": "client_credentials", **parameters, **({"scope": self._scope} if self._scope else {})}
        secrets = (*self.confidential, *(value.partition(" ")[2] for value in headers.values()))
        with Wire(self._origin, None, self._timeout, most=_LARGEST_ANSWER) as wire:
            try:
                answer = wire.request(
                    "POST",
                    self._target,
                    raw_body=urlencode(form),
                    content_type="application/x-www-form-urlencoded",
                    headers={"Accept": "application/json", **headers},
                )
            except TooLong as error:
                raise NoToken(f"the token endpoint {self._url} answers with more than {_LARGEST_ANSWER} bytes") from error
            except Unreachable as error:  # asking for a token once more changes nothing, so that nothing is in doubt
                raise Unreachable("POST", self._url, error.reason, sent=False) from error
        if answer.status == 429 or answer.status >= 500:
            raise Unreachable("POST", self._url, f"{answer.status} {_complaint(answer, secrets)}".strip(), sent=False)
        if answer.status != 200:
            raise NoToken(f"the token endpoint {self._url} refuses: {answer.status} {_complaint(answer, secrets)}".strip())
        try:
            issued = _issued(answer)
        except ValueError as error:
            raise NoToken(f"the token endpoint {self._url} answers 200, but {error}") from None
        if "no-store" not in (answer.headers.get("Cache-Control") or "").lower():
            self._remark("the answer with the token lacks Cache-Control: no-store (RFC 6749 §5.1)")
        if not (answer.headers.get("Content-Type") or "").lower().startswith("application/json"):
            self._remark("the answer with the token is not application/json (RFC 6749 §5.1)")
        return issued

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)


class ClientCredentials(_Exchanged):
    """A client secret, in the Authorization header (`basic`) or in the form (`post`): RFC 6749 §2.3.1. ValueError for no such URL."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        location: Literal["basic", "post"] = "basic",
        *,
        scope: str | None = None,
        timeout: float = 20.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(token_url, scope, timeout, now)
        self._client_id = client_id
        self._client_secret = client_secret
        self._location = location

    @property
    def confidential(self) -> tuple[str, ...]:
        return (*super().confidential, self._client_secret)

    def _authentication(self) -> tuple[dict[str, str], dict[str, str]]:
        if self._location == "post":
            return {"client_id": self._client_id, "client_secret": self._client_secret}, {}
        both = f"{quote_plus(self._client_id)}:{quote_plus(self._client_secret)}"
        return {}, {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}


class ClientAssertion(_Exchanged):
    """A signed word of an issuer about the client, in place of a secret (RFC 7523 §2.2). ValueError for no such URL.

    `assertion` is where that comes from. It is presented as long as it is good, again and again, as the provisioning service does.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        assertion: Source,
        *,
        scope: str | None = None,
        timeout: float = 20.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(token_url, scope, timeout, now)
        self._client_id = client_id
        self._assertion = assertion

    @property
    def confidential(self) -> tuple[str, ...]:
        return (*super().confidential, *self._assertion.confidential)

    def _authentication(self) -> tuple[dict[str, str], dict[str, str]]:
        assertion = self._assertion.bearer()
        return {"client_id": self._client_id, "client_assertion_type": JWT_BEARER, "client_assertion": assertion}, {}


def _issued(answer: Response) -> Issued:
    """The token of an answer (RFC 6749 §5.1). ValueError says what is wrong with it, never what it holds."""
    document = _document(answer)
    if document is None:
        raise ValueError("not with a JSON object")
    token, kind, seconds = document.get("access_token"), document.get("token_type"), document.get("expires_in", _UNSAID)
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ValueError("without an access_token that can be a bearer token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise ValueError("the token_type is not Bearer")
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
        raise ValueError("expires_in is not a positive number of seconds")
    return Issued(token, min(seconds, _LONGEST))


def _complaint(answer: Response, secrets: tuple[str, ...]) -> str:
    """What an error body says (RFC 6749 §5.2), or how it begins; without the secrets, should they be thrown back."""
    document = _document(answer) or {}
    words = [value for name in ("error", "error_description") if isinstance(value := document.get(name), str)]
    text = redact(" ".join(words) if words else answer.text, secrets)[:_EXCERPT]
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _document(answer: Response) -> dict[str, Any] | None:
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
