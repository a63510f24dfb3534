"""The credentials that the adversary holds. It calls with whichever of them still works."""
import json
import random
from pathlib import Path
from typing import Dict, List, Mapping, Optional

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from emulated_org.client import Emulator, boto3_session

WORKS = "works"
NO_ANSWER = "NoAnswer"
# A call that hangs must not stop the others for long.
TIMEOUT_SECONDS = 5
# With these another credential may fare better.
REFUSALS = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "AuthorizationError",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "RequestExpired",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
}


class Refused(Exception):
    """None of the credentials may do it, or there is none."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Credential:
    def __init__(self, emulator: Emulator, keys: Mapping[str, str], account: str, region: str) -> None:
        self.account = account
        self._emulator = emulator
        self._session = boto3_session(keys, region)
        self._clients: Dict[str, object] = {}

    def renew(self, keys: Mapping[str, str]) -> None:
        """The same clients call with other keys: to make clients takes longer than to call."""
        held = self._session.get_credentials()
        held.access_key, held.secret_key = keys["access_key_id"], keys["secret_access_key"]
        held.token = keys.get("session_token")

    def call(self, operation: str, **parameters) -> dict:
        """`operation` is written as IAM names an action: ``iam:ListUsers``."""
        service, _, name = operation.partition(":")
        if service not in self._clients:
            self._clients[service] = self._emulator.client(self._session, service, TIMEOUT_SECONDS)
        return getattr(self._clients[service], xform_name(name))(**parameters)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


class Purse:
    def __init__(self, emulator: Emulator, region: str, chance: random.Random) -> None:
        self._emulator = emulator
        self._region = region
        self._chance = chance
        self._held: Dict[str, Credential] = {}
        self._lucky: Optional[str] = None

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def __getitem__(self, name: str) -> Credential:
        return self._held[name]

    def hold(self, name: str, keys: Mapping[str, str], account: str) -> None:
        """Keeps the newest of a name."""
        if name in self._held:
            self._held[name].renew(keys)
        else:
            self._held[name] = Credential(self._emulator, keys, account, self._region)

    def call(self, operation: str, account: Optional[str] = None, **parameters) -> dict:
        """Calls with one credential after the other until one is let through: with those of the account, if stated.

        Raises Refused if none is, and ClientError if the service says something else than no.
        """
        code = NO_ANSWER
        for name in self._order(account):
            try:
                answer = self._held[name].call(operation, **parameters)
            except ClientError as error:
                code = code_of(error)
                if code not in REFUSALS:
                    raise
            except BotoCoreError:
                continue
            else:
                self._lucky = name
                return answer
        raise Refused(code)

    def probe(self, operations: List[str]) -> Dict[str, str]:
        """For each credential whether one of the calls works, or the last error's code."""
        return {name: _probed(credential, operations) for name, credential in self._held.items()}

    def close(self) -> None:
        for credential in self._held.values():
            credential.close()

    def _order(self, account: Optional[str]) -> List[str]:
        names = [name for name, credential in self._held.items() if account in (None, credential.account)]
        self._chance.shuffle(names)
        return sorted(names, key=lambda name: name != self._lucky)


def code_of(error: Exception) -> str:
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return error.code if isinstance(error, Refused) else NO_ANSWER


def from_sts(credentials: Mapping[str, str]) -> Dict[str, str]:
    """Keys as the emulator's client takes them, from those in an answer of STS or IAM."""
    keys = {"access_key_id": credentials["AccessKeyId"], "secret_access_key": credentials["SecretAccessKey"]}
    if "SessionToken" in credentials:
        keys["session_token"] = credentials["SessionToken"]
    return keys


def read_credentials(text: str) -> Dict[str, str]:
    """From JSON, or from a file with it. Raises ValueError if there is no key in it."""
    fields = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
    if not isinstance(fields, dict) or not {"access_key_id", "secret_access_key"} <= set(fields):
        raise ValueError("no access_key_id and secret_access_key")
    return fields


def _probed(credential: Credential, operations: List[str]) -> str:
    code = NO_ANSWER
    for operation in operations:
        try:
            credential.call(operation)
            return WORKS
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
    return code
