"""What the adversary makes of a stolen credential while it works: a role, a user, and sessions of others."""
import json
from typing import Callable, List, Optional, Set

from botocore.exceptions import ClientError

from .credentials import Purse, code_of, from_sts
from .entity import ADMIN_DOCUMENT, ADMIN_POLICY

SESSION_NAME = "app"
EXISTS = "EntityAlreadyExists"


class Offspring:
    """`suffix` sets apart what this adversary makes from what others do. `made` is called for each thing."""

    def __init__(self, purse: Purse, account: str, partition: str, suffix: str, made: Callable) -> None:
        self._purse = purse
        self._account = account
        self._prefix = f"arn:{partition}:iam::{account}"
        self.role_name, self.user_name = f"app-role-{suffix}", f"app-user-{suffix}"
        self._made = made
        self._done: Set[str] = set()

    def make_role(self, trusted: List[str]) -> None:
        """A role that the adversary may assume, with all rights."""
        statement = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._once("role", self.role_name, "CreateRole", RoleName=self.role_name, AssumeRolePolicyDocument=trust)
        self._once("policy of role", self.role_name, "PutRolePolicy", RoleName=self.role_name, **ADMIN)

    def make_user(self) -> None:
        """A user with all rights, and a key of it."""
        self._once("user", self.user_name, "CreateUser", UserName=self.user_name)
        self._once("policy of user", self.user_name, "PutUserPolicy", UserName=self.user_name, **ADMIN)
        answer = self._once("key of user", self.user_name, "CreateAccessKey", UserName=self.user_name)
        if answer:
            self._purse.hold("made-user", from_sts(answer["AccessKey"]), self._account)

    def assume_made_role(self) -> None:
        if "role" in self._done:
            self.assume("made-role", f"{self._prefix}:role/{self.role_name}")

    def assume(self, name: str, role_arn: str) -> None:
        """A session that is newer than the one it holds by this name."""
        answer = self._purse.call("sts:AssumeRole", RoleArn=role_arn, RoleSessionName=SESSION_NAME)
        self._hold(name, answer, role_arn.split(":")[4])

    def session_of_user(self) -> None:
        """What GetSessionToken gives outlives the key that asked for it. Only keys may ask."""
        self._hold("juggled", self._purse["victim"].call("sts:GetSessionToken"), self._account)

    def _hold(self, name: str, answer: dict, account: str) -> None:
        if name not in self._purse:
            self._made("session", name)
        self._purse.hold(name, from_sts(answer["Credentials"]), account)

    def _once(self, what: str, name: str, operation: str, **parameters) -> Optional[dict]:
        if what in self._done:
            return None
        answer = None
        try:
            answer = self._purse.call(f"iam:{operation}", self._account, **parameters)
        except ClientError as error:
            if code_of(error) != EXISTS:
                raise
        self._done.add(what)
        self._made(what, name)
        return answer


ADMIN = {"PolicyName": ADMIN_POLICY, "PolicyDocument": ADMIN_DOCUMENT}
