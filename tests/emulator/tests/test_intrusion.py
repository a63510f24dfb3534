"""The thief who spreads, and the trail that he leaves."""
import json
import subprocess
import sys

from adversary.intrusion import STOLEN, Intrusion

from .support import ALLOW_EVERYTHING, ROOT, EmulatorTestCase

REGION = "eu-central-1"
OUTSIDE = "999999999999"


def trust_of(*arns: str) -> dict:
    statement = {"Effect": "Allow", "Principal": {"AWS": list(arns)}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


class IntrusionTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.playground = self.org["accounts"]["playground"]
        self.security = self.org["accounts"]["security"]
        self.role()
        self.stolen = self.session()
        b, c = (f"arn:aws:iam::{account['id']}:root" for account in (self.playground, self.security))
        a = f"arn:aws:iam::{self.shop['id']}:root"
        self.role("Build", account=self.playground["id"], trust=trust_of(a, c))
        self.role("Audit", account=self.security["id"], trust=trust_of(b))
        self.into = ["arn:aws:iam::333333333333:role/Build", "arn:aws:iam::111111111111:role/Audit"]
        self.lines = []

    def intrusion(self, **fields) -> Intrusion:
        made = Intrusion(
            self.emulator.endpoint, self.stolen, self.shop["id"], REGION, self.into, OUTSIDE,
            log=self.lines.append, **fields
        )
        self.addCleanup(made.close)
        return made

    def made(self, kind: str) -> list:
        return [line for line in self.lines if line["event"] == "made" and line["kind"] == kind]

    def trail(self, key: str, account: dict, region: str) -> list:
        attribute = {"AttributeKey": "AccessKeyId", "AttributeValue": key}
        events = self.client(account, "cloudtrail", region).lookup_events(LookupAttributes=[attribute])["Events"]
        return [event["EventName"] for event in events]


class Spreads(IntrusionTestCase):
    def test_it_goes_from_role_to_role_and_leaves_things_behind(self):
        intrusion = self.intrusion()
        intrusion.run()
        self.assertEqual([line for line in self.lines if line["event"] == "refused"], [])
        self.assertEqual([line["account"] for line in self.made("session")], ["333333333333", "111111111111"])
        self.assertEqual([line["by"] for line in self.made("session")], [STOLEN, "chain-1"])
        iam = self.client(self.shop, "iam")
        (user,), (key,), (role,) = self.made("user"), self.made("key"), self.made("role")
        (listed,) = iam.list_access_keys(UserName=user["name"])["AccessKeyMetadata"]
        self.assertEqual((listed["AccessKeyId"], key["user"]), (key["name"], user["name"]))
        trust = iam.get_role(RoleName=role["name"])["Role"]["AssumeRolePolicyDocument"]
        self.assertIn({"AWS": f"arn:aws:iam::{OUTSIDE}:root"}, [one["Principal"] for one in trust["Statement"]])
        (function,) = self.made("function")
        configuration = self.client(self.shop, "lambda").get_function(FunctionName=function["name"])["Configuration"]
        self.assertEqual((configuration["FunctionArn"], configuration["Role"]), (function["arn"], role["arn"]))
        (denied,) = [line for line in self.lines if line["event"] == "denied"]
        self.assertEqual((denied["code"], denied["arn"].split(":")[4]), ("AccessDenied", OUTSIDE))

    def test_each_credential_works_and_is_in_the_last_line(self):
        self.intrusion().run(loop=3)
        last = dict(self.lines[-1])
        self.assertEqual(last.pop("event"), "credentials")
        self.assertEqual(sorted(last), ["chain-1", "chain-2", "loop-1", "loop-2", "loop-3", STOLEN, "user"])
        for name, keys in last.items():
            account = self.client(keys, "sts").get_caller_identity()["Account"]
            self.assertEqual(account, keys["account"], name)
            self.client(keys, "iam").list_users()
        self.assertEqual([line["by"] for line in self.made("session")][2:], ["chain-2", "loop-1", "loop-2"])
        self.assertEqual(last["loop-2"]["account"], last["chain-2"]["account"])
        self.assertNotIn("session_token", last["user"])

    def test_the_trail_of_each_key_shows_what_was_done_with_it(self):
        intrusion = self.intrusion(session_name="deploy")
        intrusion.run()
        keys = intrusion.credentials()
        stolen, chained = (keys[name]["access_key_id"] for name in (STOLEN, "chain-1"))
        iam = ["CreateUser", "PutUserPolicy", "CreateAccessKey", "CreateRole", "PutRolePolicy"]
        self.assertEqual(self.trail(stolen, self.shop, "us-east-1"), list(reversed(iam)))
        regional = self.trail(stolen, self.shop, REGION)
        self.assertEqual(regional.count("AssumeRole"), 2)
        self.assertLessEqual({"CreateFunction20150331", "CreateSecret", "GetSecretValue"}, set(regional))
        self.assertEqual(self.trail(chained, self.playground, REGION), ["AssumeRole"])
        self.assertTrue(all(line["arn"].endswith("/deploy") for line in self.made("session")))

    def test_it_takes_a_secret_that_is_there(self):
        self.client(self.shop, "secretsmanager", REGION).create_secret(Name="db", SecretString="a secret")
        self.intrusion().take_secret()
        self.assertEqual(self.made("secret"), [])
        self.assertEqual([line["name"] for line in self.lines], ["db"])
        self.assertNotIn("a secret", json.dumps(self.lines))

    def test_what_is_refused_stops_nothing(self):
        deny = {"Effect": "Deny", "Action": ["iam:CreateUser", "sts:AssumeRole"], "Resource": "*"}
        self.role("Weak", {"Version": "2012-10-17", "Statement": [*ALLOW_EVERYTHING["Statement"], deny]})
        self.stolen = self.session("Weak")
        self.intrusion().run(loop=2)
        refused = [(line["step"], line["code"]) for line in self.lines if line["event"] == "refused"]
        self.assertEqual(refused, [("chain", "AccessDenied"), ("make_user", "AccessDenied")])
        self.assertEqual(len(self.made("function")), 1)


class CommandLine(IntrusionTestCase):
    def command(self, *more: str, endpoint: str = "") -> list:
        return [
            sys.executable, "-m", "adversary.intrusion", "--endpoint", endpoint or self.emulator.endpoint,
            "--credentials", json.dumps(self.stolen), "--account", self.shop["id"], "--region", REGION, *more,
        ]

    def test_it_prints_a_line_for_each_thing(self):
        command = self.command("--into", self.into[0], "--into", self.into[1], "--outside", OUTSIDE, "--loop", "1")
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        self.lines = [json.loads(line) for line in done.stdout.splitlines()]
        kinds = [line["kind"] for line in self.lines if line["event"] == "made"]
        self.assertEqual(kinds, ["session", "session", "user", "key", "role", "function", "secret", "session"])
        self.assertEqual(len(self.lines[-1]), 6)

    def test_what_it_refuses(self):
        for more, endpoint, expected in (
            (["--into", self.into[0], "--loop", "2"], "", "--into twice"),
            ([], "https://iam.amazonaws.com", "refusing the endpoint"),
        ):
            command = self.command(*more, endpoint=endpoint)
            done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(expected, done.stderr)
