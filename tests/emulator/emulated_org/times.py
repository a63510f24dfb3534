"""Moments as AWS writes and reads them."""
from datetime import datetime, timezone


def whole_seconds(moment: datetime) -> str:
    """``2024-05-01T10:00:00Z``: how STS states times (fractions are cut off)."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: datetime) -> str:
    """``2024-05-01T10:00:00.123Z``: how GuardDuty states times."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Parses an ISO 8601 moment; one without an offset is taken as UTC.

    Raises ValueError when `text` is no such moment.
    """
    normalized = text.strip()
    if normalized.endswith(("Z", "z")):
        normalized = normalized[:-1] + "+00:00"
    moment = datetime.fromisoformat(_with_microseconds(normalized))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)


def _with_microseconds(text: str) -> str:
    """Pads or cuts a fraction to six digits, all that Python before 3.11 reads."""
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    fraction = tail[:digits][:6].ljust(6, "0")
    return head + "." + fraction + tail[digits:]
