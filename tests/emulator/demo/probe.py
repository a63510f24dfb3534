"""The calls that show what a session may do, made with boto3 as anybody would."""
import re
from dataclasses import dataclass
from typing import List, Mapping

from botocore.exceptions import ClientError
from emulated_org.client import Emulator

from .scene import THEFT_REGION

CALLS = {
    "dynamodb:ListTables": ("list_tables", lambda answer: answer["TableNames"]),
    "s3:ListBuckets": ("list_buckets", lambda answer: [bucket["Name"] for bucket in answer["Buckets"]]),
    "iam:ListUsers": ("list_users", lambda answer: [user["UserName"] for user in answer["Users"]]),
}
EXPLICIT_DENY = "explicit deny"
REFUSALS = ("AccessDenied", "AccessDeniedException")


@dataclass(frozen=True)
class Outcome:
    call: str
    allowed: bool
    # What came back, or how it was refused.
    answer: str


def probe(emulator: Emulator, session: Mapping) -> List[Outcome]:
    """Makes all calls; an error that is not about permissions is raised."""
    return [probe_one(emulator, session, call) for call in CALLS]


def identity(emulator: Emulator, session: Mapping) -> str:
    return emulator.boto3(session, "sts", THEFT_REGION).get_caller_identity()["Arn"]


def probe_one(emulator: Emulator, session: Mapping, call: str) -> Outcome:
    """Makes one of the calls."""
    method, names = CALLS[call]
    client = emulator.boto3(session, call.partition(":")[0], THEFT_REGION)
    try:
        return Outcome(call, True, ", ".join(names(getattr(client, method)())))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in REFUSALS:
            raise
        # Who wanted what on what, at the beginning of the message, the reader knows by now.
        reason = re.sub(r"^User: .* is not authorized .*? (because|with an) ", "", error.response["Error"]["Message"])
        return Outcome(call, False, f"{code} ({reason})")
