"""The one place that asks what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant in UTC, to the millisecond: what is stored is what is answered."""
    instant = datetime.now(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
