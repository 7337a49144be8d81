"""What can be wrong with a SCIM request: one class per ``scimType`` (RFC 7644 §3.12).

    ScimError                 an HTTP status, a scimType where the RFC has one, a detail for a person
    ├── InvalidFilter    400  invalidFilter   filter syntax, unknown attribute, operator that does not fit
    ├── TooMany          400  tooMany         more results than the server is willing to compute
    ├── MutabilityError  400  mutability      readOnly, or immutable and already set
    ├── InvalidSyntax    400  invalidSyntax   the message itself is not what the RFC describes
    ├── InvalidPath      400  invalidPath     PATCH path malformed, or naming what no schema has
    ├── NoTarget         400  noTarget        PATCH path is fine and points at nothing
    ├── InvalidValue     400  invalidValue    required value missing, wrong type, bad value
    ├── InvalidCursor    400  invalidCursor   no cursor of ours, or one of another query (RFC 9865 §2.1)
    ├── ExpiredCursor    400  expiredCursor   a cursor that was given too long ago
    ├── InvalidCount     400  invalidCount    a count that a walk by cursor cannot have
    ├── NotFound         404  (none)
    ├── UniquenessError  409  uniqueness
    ├── Conflict         409  (none)          operations of a Bulk that need each other first (RFC 7644 §3.7.1)
    ├── PreconditionFailed 412 (none)         If-Match names another version
    ├── TooLarge         413  (none)          more operations, members or bytes than allowed
    ├── ServerError      500  (none)          the service failed at an operation of a Bulk
    └── TryAgain         503  (none)          the service cannot do it now

``detail`` is read by the customer's administrator in the provisioning log, so it says what was
wrong and how to mend it. It never holds a secret, SQL, or anything of another tenant.
"""


class ScimError(Exception):
    """A refusal that the client may see."""

    status = 400
    scim_type: str | None = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidFilter(ScimError):
    scim_type = "invalidFilter"


class TooMany(ScimError):
    scim_type = "tooMany"


class MutabilityError(ScimError):
    scim_type = "mutability"


class InvalidSyntax(ScimError):
    scim_type = "invalidSyntax"


class InvalidPath(ScimError):
    scim_type = "invalidPath"


class NoTarget(ScimError):
    scim_type = "noTarget"


class InvalidValue(ScimError):
    scim_type = "invalidValue"


class InvalidCursor(ScimError):
    scim_type = "invalidCursor"


class ExpiredCursor(ScimError):
    scim_type = "expiredCursor"


class InvalidCount(ScimError):
    scim_type = "invalidCount"


class NotFound(ScimError):
    status = 404


class UniquenessError(ScimError):
    status = 409
    scim_type = "uniqueness"


class Conflict(ScimError):
    status = 409


class PreconditionFailed(ScimError):
    status = 412


class TooLarge(ScimError):
    status = 413


class ServerError(ScimError):
    status = 500


class TryAgain(ScimError):
    status = 503
