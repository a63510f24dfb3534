"""An emulator process per test class, and the organization most tests use."""
import subprocess
import sys
import threading
import unittest
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from emulated_org.client import Emulator

ROOT = Path(__file__).resolve().parent.parent
MEMBER_ROLE = "RescindRemediation"
EXTERNAL_ID = "example-external-id"
REVOKE_POLICY = "RescindRevokeOlderSessions"

ALLOW_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
MEMBER_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["iam:GetRole", "iam:GetRolePolicy", "iam:PutRolePolicy", "iam:SimulatePrincipalPolicy"],
            "Resource": "arn:${PARTITION}:iam::${ACCOUNT_ID}:role/*",
        }
    ],
}


def revoke_policy(cutoff: str) -> dict:
    condition = {"DateLessThan": {"aws:TokenIssueTime": cutoff}}
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


class EmulatorTestCase(unittest.TestCase):
    """Starts one emulator for the class and builds a fresh organization per test."""

    REGIONS = ["eu-central-1", "us-east-1"]
    ORGANIZATION: dict = {}

    @classmethod
    def setUpClass(cls) -> None:
        cls.process = subprocess.Popen(
            [sys.executable, "-m", "emulated_org", "--exit-with-stdin"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        cls.addClassCleanup(cls._stop)
        line = cls.process.stdout.readline()
        cls.emulator = Emulator(line.strip().rpartition(" ")[2])

    @classmethod
    def _stop(cls) -> None:
        cls.process.stdin.close()
        cls.process.wait(timeout=10)
        cls.process.stdout.close()

    def setUp(self) -> None:
        self.emulator.reset()
        request = {
            "regions": self.REGIONS,
            "member_role": MEMBER_ROLE,
            "external_id": EXTERNAL_ID,
            "member_policy": MEMBER_POLICY,
            "ous": ["Workloads", "Workloads/Production", "Sandbox"],
            "accounts": [
                {"name": "security", "id": "111111111111", "delegated_admin": True},
                {"name": "shop", "id": "222222222222", "ou": "Workloads/Production", "tags": {"team": "shop"}},
                {"name": "playground", "id": "333333333333", "ou": "Sandbox"},
            ],
        }
        self.org = self.emulator.organization(**{**request, **self.ORGANIZATION})
        self.shop = self.org["accounts"]["shop"]

    def client(self, credentials: dict, service: str, region: str = ""):
        client = self.emulator.boto3(credentials, service, region or self.REGIONS[0])
        self.addCleanup(client.close)
        return client

    def role(self, name: str = "AppRole", policy: dict = ALLOW_EVERYTHING, **fields) -> dict:
        return self.emulator.role(**{"account": self.shop["id"], "name": name, "policy": policy, **fields})

    def session(self, role: str = "AppRole", **fields) -> dict:
        defaults = {"account": self.shop["id"], "role": role, "session_name": "i-0abc1234def567890"}
        return self.emulator.session(**{**defaults, **fields})

    def assume_member_role(self, **parameters) -> dict:
        """The hub's session in the shop account, as credentials for `client`."""
        request = {
            "RoleArn": self.shop["member_role_arn"],
            "RoleSessionName": "rescind",
            "ExternalId": EXTERNAL_ID,
            "SourceIdentity": "rescind",
            **parameters,
        }
        request = {name: value for name, value in request.items() if value is not None}
        answer = self.client(self.org["hub"], "sts").assume_role(**request)
        return from_sts(answer)

    def arm(self, service: str, operation: str, action: dict, **fields) -> None:
        """Arms a fault of the name `test`. An `account` limits it to calls of that account."""
        match = {"service": service, "operation": operation}
        if "account" in fields:
            match["account"] = fields.pop("account")
        self.emulator.fault(**{"name": "test", "match": match, "action": action, **fields})

    @contextmanager
    def held(self, call):
        """Makes a call that the fault `test` holds meanwhile, and that is over afterwards."""
        thread = threading.Thread(target=call)
        thread.start()
        self.assertTrue(self.emulator.fault_reached("test"))
        self.assertTrue(thread.is_alive())
        yield
        self.emulator.release_fault("test")
        thread.join(timeout=20)
        self.assertFalse(thread.is_alive())

    def assertAwsError(self, code: str, call, *args, **parameters) -> ClientError:
        """Calls and expects the error `code`; returns the error for a closer look."""
        with self.assertRaises(ClientError) as caught:
            call(*args, **parameters)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception)
        return caught.exception


def from_sts(answer: dict) -> dict:
    """The control interface's spelling of the credentials in an STS answer."""
    credentials = answer["Credentials"]
    return {
        "access_key_id": credentials["AccessKeyId"],
        "secret_access_key": credentials["SecretAccessKey"],
        "session_token": credentials["SessionToken"],
        "expiration": credentials["Expiration"],
    }
