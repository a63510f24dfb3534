"""The role or user that was stolen: what others put on it is taken off, and what the adversary put is put back."""
import json
from dataclasses import dataclass
from typing import Callable, Dict, Optional, Set

from botocore.exceptions import BotoCoreError, ClientError

from .credentials import Purse, Refused, code_of

ADMIN_POLICY = "app-runtime"
ADMIN_DOCUMENT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
GONE = ("NoSuchEntity",)


@dataclass(frozen=True)
class Start:
    """What was there when the adversary came, and stays: it may be what its rights are from."""

    inline: Dict[str, object]
    attached: Set[str]


class Entity:
    """`kind` is role or user. `removed` and `failed` are called for what was done, and for what was not."""

    def __init__(
        self, purse: Purse, account: str, partition: str, kind: str, name: str, removed: Callable, failed: Callable
    ) -> None:
        self._purse = purse
        self._account = account
        self._kind = kind.capitalize()
        self.named = {f"{self._kind}Name": name}
        self._administrator = f"arn:{partition}:iam::aws:policy/AdministratorAccess"
        self._removed, self._failed = removed, failed
        self._start: Optional[Start] = None
        # Managed policies of others that could not be detached -> the version that was made of them.
        self._rewritten: Dict[str, str] = {}

    def look(self) -> None:
        """Remembers what is there at the start, once it may see it."""
        if self._start is None:
            inline = {name: self._document(name) for name in self._inline()}
            kept = {name: document for name, document in inline.items() if not _denies(document)}
            self._start = Start(kept, set(self._attached()))

    def described(self) -> dict:
        return self._iam(f"Get{self._kind}")[self._kind]

    def take_off_inline_policies(self) -> None:
        self.look()
        for name in self._inline():
            kept = name in self._start.inline and self._start.inline[name] == self._document(name)
            if name != ADMIN_POLICY and not kept:
                self._remove("inline policy", name, f"Delete{self._kind}Policy", PolicyName=name)

    def take_off_managed_policies(self) -> None:
        self.look()
        for arn in self._attached():
            if arn in self._start.attached or arn == self._administrator:
                continue
            if not self._remove("attached policy", arn, f"Detach{self._kind}Policy", PolicyArn=arn):
                self._rewrite(arn)

    def take_off_boundary(self) -> None:
        boundary = self.described().get("PermissionsBoundary")
        if boundary:
            arn = boundary["PermissionsBoundaryArn"]
            self._remove("boundary", arn, f"Delete{self._kind}PermissionsBoundary")

    def keep_rights(self) -> None:
        """Its own policy, inline; or AWS's for administrators, where there is no room for it."""
        if ADMIN_POLICY in self._inline():
            return
        try:
            self._iam(f"Put{self._kind}Policy", PolicyName=ADMIN_POLICY, PolicyDocument=ADMIN_DOCUMENT)
        except ClientError as error:
            if code_of(error) != "LimitExceeded":
                raise
            self._iam(f"Attach{self._kind}Policy", PolicyArn=self._administrator)

    def keep_key(self, access_key_id: str) -> None:
        """A user's key that was switched off is switched on."""
        for key in self._iam("ListAccessKeys")["AccessKeyMetadata"]:
            if key["AccessKeyId"] == access_key_id and key["Status"] == "Inactive":
                self._remove(
                    "inactive status", access_key_id, "UpdateAccessKey", AccessKeyId=access_key_id, Status="Active"
                )

    def _rewrite(self, arn: str) -> None:
        """A policy that may not be detached may still be one that can be given another document."""
        try:
            version = self._call("GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
            if self._rewritten.get(arn) == version:
                return
            change = {"PolicyArn": arn, "PolicyDocument": ADMIN_DOCUMENT, "SetAsDefault": True}
            made = self._call("CreatePolicyVersion", **change)["PolicyVersion"]["VersionId"]
            self._rewritten[arn] = made
            self._removed("document of policy", arn)
        except (ClientError, BotoCoreError, Refused) as error:
            self._failed(f"document of policy {arn}", code_of(error))

    def _remove(self, what: str, name: str, operation: str, **parameters) -> bool:
        try:
            self._iam(operation, **parameters)
        except (ClientError, BotoCoreError, Refused) as error:
            if code_of(error) in GONE:
                return True
            self._failed(f"{what} {name}", code_of(error))
            return False
        self._removed(what, name)
        return True

    def _inline(self) -> list:
        return self._iam(f"List{self._kind}Policies")["PolicyNames"]

    def _document(self, name: str):
        return self._iam(f"Get{self._kind}Policy", PolicyName=name)["PolicyDocument"]

    def _attached(self) -> list:
        listed = self._iam(f"ListAttached{self._kind}Policies")["AttachedPolicies"]
        return [policy["PolicyArn"] for policy in listed]

    def _iam(self, operation: str, **parameters) -> dict:
        return self._call(operation, **self.named, **parameters)

    def _call(self, operation: str, **parameters) -> dict:
        return self._purse.call(f"iam:{operation}", self._account, **parameters)


def _denies(document: dict) -> bool:
    statements = document.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    return any(statement.get("Effect") == "Deny" for statement in statements)
