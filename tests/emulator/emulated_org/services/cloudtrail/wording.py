"""How CloudTrail writes values: names, moments, numbers, and nothing that is secret."""
import re
from datetime import datetime, timezone
from typing import Callable, Dict

from ...times import parse_time

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
REMOVED = "<sensitiveDataRemoved>"
# Session tokens are no secrets for CloudTrail: they are there.
MASKED: Dict[str, str] = {
    **dict.fromkeys(
        (
            "ciphertextBlob",
            "masterUserPassword",
            "newPassword",
            "oldPassword",
            "password",
            "plaintext",
            "privateKey",
            "secretBinary",
            "secretString",
            "servicePassword",
            "zipFile",
        ),
        HIDDEN,
    ),
    "keyMaterial": REMOVED,
    "userData": REMOVED,
}
# Of one service only, where the name says little.
MASKED_OF = {"ssm": {"value": HIDDEN}, "kms": {"grantToken": HIDDEN, "message": HIDDEN, "signature": HIDDEN}}
# What is not in a record at all.
LEFT_OUT = ("secretAccessKey",)
# What is there, and empty: its values may be secrets.
EMPTIED = {"lambda": ("environment",)}
# Maps whose keys are the caller's own words.
MAPS = ("tags", "encryptionContext", "encryptionContextEquals", "encryptionContextSubset", "attributes")
RENAMED = {"s3": {"bucket": "bucketName"}}
NUMBERS = ("attachmentCount", "durationSeconds", "fromPort", "maxCount", "maxItems", "maxResults",
           "maxSessionDuration", "minCount", "packedPolicySize", "toPort", "volumeSize")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
MILLISECONDS = ("attachTime", "createTime", "launchTime", "startTime")


def lower_first(name: str) -> str:
    """``SAMLProviderArn`` is written ``sAMLProviderArn``, and ``ARN`` ``aRN``."""
    return name[:1].lower() + name[1:]


def spelled(service: str, fields: dict, value_of: Callable[[str, object], object] = lambda name, value: value) -> dict:
    """Parameters or elements as a record has them; `value_of` gets each text with its name."""
    written_fields = {}
    for name, value in fields.items():
        name = lower_first(name)
        name = RENAMED.get(service, {}).get(name, name)
        if name in LEFT_OUT:
            continue
        masked = MASKED_OF.get(service, {}).get(name) or MASKED.get(name)
        if masked:
            written_fields[name] = masked
        elif name in EMPTIED.get(service, ()):
            written_fields[name] = {}
        else:
            written_fields[name] = _value(service, name, value, value_of)
    return written_fields


def _value(service: str, name: str, value: object, value_of: Callable[[str, object], object]) -> object:
    if isinstance(value, dict):
        return value if name in MAPS and not _is_list_of_items(value) else spelled(service, value, value_of)
    if isinstance(value, list):
        return [spelled(service, one, value_of) if isinstance(one, dict) else value_of(name, one) for one in value]
    return value_of(name, value)


def _is_list_of_items(value: dict) -> bool:
    return set(value) == {"items"}


def from_text(name: str, text: object) -> object:
    """What a text of the query protocol or of XML stands for."""
    if not isinstance(text, str):
        return text
    if name in NUMBERS and text.isdigit():
        return int(text)
    if text in ("true", "false") and not name.endswith(("ame", "alue")):
        return text == "true"
    if MOMENT.fullmatch(text):
        moment = parse_time(text)
        return int(moment.timestamp() * 1000) if name in MILLISECONDS else written(moment)
    return text


def from_number(name: str, value: object) -> object:
    """The moments in JSON are numbers of seconds."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and name.endswith(("Date", "DateTime")):
        return written(datetime.fromtimestamp(value, timezone.utc))
    return value


def written(moment: datetime) -> str:
    """``Nov 22, 2026, 3:00:00 AM``: a moment inside of a record, but for its own time."""
    moment = moment.astimezone(timezone.utc)
    hour = moment.hour % 12 or 12
    return f"{moment:%b} {moment.day}, {moment.year}, {hour}:{moment:%M:%S} {'AM' if moment.hour < 12 else 'PM'}"
