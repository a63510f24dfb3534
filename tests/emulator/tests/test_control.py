"""The control interface: faults, clock, call log, and what it refuses."""
import subprocess
import sys
import unittest

from emulated_org.client import Emulator, EmulatorError

from .support import ALLOW_EVERYTHING, ROOT, EmulatorTestCase

DENY_EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'


class Faults(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.role()
        self.iam = self.client(self.shop, "iam")

    def fault(self, action: dict, **fields) -> None:
        self.arm("iam", "PutUserPolicy", action, account="222222222222", **fields)

    def put(self) -> None:
        self.iam.put_user_policy(UserName="operator", PolicyName="test", PolicyDocument=DENY_EVERYTHING)

    def took_effect(self) -> bool:
        return "test" in self.iam.list_user_policies(UserName="operator")["PolicyNames"]

    def test_a_call_hangs_before_or_after_its_effect_until_released(self):
        for when, effect in (("before", False), ("after", True)):
            with self.subTest(when=when):
                self.fault({"hang": True}, when=when)
                with self.held(self.put):
                    self.assertEqual(self.took_effect(), effect)
                self.assertTrue(self.took_effect())
                self.iam.delete_user_policy(UserName="operator", PolicyName="test")

    def test_a_held_call_of_a_killed_client_never_takes_effect(self):
        self.fault({"hang": True})
        script = (
            "import sys; from emulated_org.client import Emulator\n"
            "url, key, secret = sys.argv[1:]\n"
            "iam = Emulator(url).boto3({'access_key_id': key, 'secret_access_key': secret}, 'iam')\n"
            f"iam.put_user_policy(UserName='operator', PolicyName='test', PolicyDocument='{DENY_EVERYTHING}')\n"
        )
        arguments = [self.emulator.endpoint, self.shop["access_key_id"], self.shop["secret_access_key"]]
        client = subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=ROOT)
        self.assertTrue(self.emulator.fault_reached("test"))
        client.kill()
        client.wait()
        self.emulator.release_fault("test")
        self.assertFalse(self.took_effect())

    def test_errors_replace_the_answer(self):
        error = {"error": {"status": 503, "code": "ServiceUnavailable", "message": "come back later"}}
        self.fault(error)
        raised = self.assertAwsError("ServiceUnavailable", self.put)
        self.assertEqual(raised.response["ResponseMetadata"]["HTTPStatusCode"], 503)
        self.assertFalse(self.took_effect())
        self.fault(error, when="after")
        self.assertAwsError("ServiceUnavailable", self.put)
        self.assertTrue(self.took_effect())

    def test_a_fault_applies_as_often_as_asked(self):
        error = {"error": {"status": 400, "code": "Throttling"}}
        self.fault(error, times=2)
        for _ in range(2):
            self.assertAwsError("Throttling", self.put)
        self.put()
        self.fault(error, times=0)
        for _ in range(3):
            self.assertAwsError("Throttling", self.put)

    def test_a_disconnect_gives_no_answer(self):
        self.fault({"disconnect": True}, when="after")
        with self.assertRaisesRegex(Exception, "Connection was closed"):
            self.put()
        self.assertTrue(self.took_effect())

    def test_other_calls_pass(self):
        self.fault({"error": {"status": 400, "code": "Throttling"}})
        other = self.client(self.org["accounts"]["playground"], "iam")
        other.put_user_policy(UserName="operator", PolicyName="test", PolicyDocument=DENY_EVERYTHING)
        self.assertFalse(self.emulator.fault_reached("test", timeout=0))


class CallLog(EmulatorTestCase):
    def test_calls_are_logged_with_their_outcome(self):
        self.role(policy={"Statement": []})
        session = self.session()
        iam = self.client(session, "iam")
        error = self.assertAwsError("AccessDenied", iam.get_role, RoleName="AppRole")
        self.client(self.shop, "iam").create_user(UserName="ci")
        denied, created = self.emulator.calls()
        self.assertEqual(denied["operation"], "GetRole")
        self.assertEqual(denied["params"], {"RoleName": "AppRole"})
        self.assertEqual((denied["status"], denied["error_code"], denied["write"]), (403, "AccessDenied", False))
        self.assertEqual(denied["request_id"], error.response["ResponseMetadata"]["RequestId"])
        self.assertEqual(denied["access_key_id"], session["access_key_id"])
        self.assertEqual((denied["account"], created["account"]), ("222222222222", "222222222222"))
        self.assertEqual((created["status"], created["write"], created["error_code"]), (200, True, None))
        self.assertEqual([call["n"] for call in self.emulator.calls(since=denied["n"])], [created["n"]])
        self.emulator.delete("calls")
        self.assertEqual(self.emulator.calls(), [])

    def test_a_call_is_logged_at_the_time_of_the_emulators_clock(self):
        self.emulator.advance_clock(1000)
        before = self.emulator.get("clock")["now"]
        self.client(self.shop, "iam").list_users()
        after = self.emulator.get("clock")["now"]
        self.assertLessEqual(before, self.emulator.calls()[-1]["at"])
        self.assertLessEqual(self.emulator.calls()[-1]["at"], after)

    def test_every_answer_has_its_own_request_id(self):
        clients = [self.client(self.org["accounts"]["security"], name) for name in ("sts", "iam", "organizations", "guardduty")]
        operations = ["get_caller_identity", "list_users", "list_accounts", "list_detectors"]
        answers = [getattr(client, operation)() for client, operation in zip(clients, operations)]
        ids = [answer["ResponseMetadata"]["RequestId"] for answer in answers]
        self.assertEqual(len(set(ids)), 4)
        self.assertEqual([call["request_id"] for call in self.emulator.calls()], ids)

    def test_assume_role_names_the_target(self):
        self.assume_member_role()
        call = self.emulator.calls()[-1]
        self.assertEqual((call["account"], call["target_account"]), ("111111111111", "222222222222"))
        self.assertEqual(call["params"]["ExternalId"], "example-external-id")


class Refusals(EmulatorTestCase):
    def assertRefused(self, message: str, path: str, body: dict) -> None:
        with self.assertRaisesRegex(EmulatorError, f"400 .*{message}"):
            self.emulator.post(path, body)

    def test_bad_input_is_refused_with_a_reason(self):
        self.assertRefused("missing field: account", "roles", {})
        self.assertRefused("there is no account", "roles", {"account": "1", "name": "x"})
        self.assertRefused("has no role", "sessions", {"account": self.shop["id"], "role": "Missing"})
        self.assertRefused("no such switch", "switches", {"empty_first_page": True})
        self.assertRefused("true or false", "switches", {"put_role_policy_ignored": 1})
        self.assertRefused("simulator_lies", "switches", {"simulator_lies": "sometimes"})
        self.assertRefused("missing field: advance_seconds", "clock", {})
        self.assertRefused("no detector", "findings", {"account": self.shop["id"], "region": "x", "findings": []})
        self.assertRefused("a fault", "faults", {"name": "x", "match": {"operation": "y"}, "action": {}})
        self.assertRefused("operation or a service", "faults", {"name": "x", "match": {"region": "y"}, "action": {}})
        late = {"name": "x", "match": {"operation": "y"}, "action": {"delay": 61}}
        self.assertRefused("60 at most", "faults", late)
        self.assertRefused("no table", "tables/items", {"table": "x", "remove": ["y"]})
        self.assertRefused("organization already", "organization", {"member_policy": {}, "accounts": [
            {"name": "security", "delegated_admin": True}
        ]})
        raw = {"account": "111111111111", "region": "us-east-1", "findings": [{}], "raw": True}
        self.assertRefused("needs an id", "findings", raw)

    def test_a_refused_organization_leaves_nothing_behind(self):
        self.emulator.reset()
        security = {"name": "security", "delegated_admin": True}
        wrong = [
            {"accounts": [{"name": "security"}]},
            {"accounts": [security, {"name": "a", "ou": "Missing"}]},
            {"accounts": [security, {"name": "security"}]},
            {"accounts": [security, {"name": "a", "id": "12"}]},
            {"accounts": [security], "partition": "aws-moon"},
            {"accounts": [security], "regions": ["cn-north-1"]},
            {"accounts": [security], "ous": ["Below/Missing"]},
        ]
        for fields in wrong:
            with self.subTest(fields=fields), self.assertRaisesRegex(EmulatorError, "400"):
                self.emulator.organization(member_policy=ALLOW_EVERYTHING, **fields)
        self.emulator.organization(member_policy=ALLOW_EVERYTHING, accounts=[security])

    def test_unknown_paths_and_services(self):
        with self.assertRaisesRegex(EmulatorError, "404"):
            self.emulator.get("nothing")
        glue = self.client(self.shop, "glue")
        with self.assertRaisesRegex(Exception, "501|EmulatorNotImplemented|no service"):
            glue.list_triggers()


class Client(unittest.TestCase):
    def test_only_loopback_endpoints_are_accepted(self):
        for endpoint in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://127.9.9.9:1/"):
            Emulator(endpoint)
        for endpoint in (
            "https://iam.amazonaws.com",
            "http://192.0.2.1:80",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
            "http://0.0.0.0:1",
            "",
        ):
            with self.subTest(endpoint=endpoint), self.assertRaisesRegex(ValueError, "refusing the endpoint"):
                Emulator(endpoint)

    def test_real_credentials_are_out_of_reach(self):
        script = (
            "import os; from emulated_org import client; import boto3\n"
            "assert boto3.Session().get_credentials() is None\n"
            "print(sorted(name for name in os.environ if name.startswith('AWS_')))"
        )
        environment = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real", "AWS_PROFILE": "real"}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        expected = ["AWS_CONFIG_FILE", "AWS_EC2_METADATA_DISABLED", "AWS_SHARED_CREDENTIALS_FILE"]
        self.assertEqual(done.stdout.strip(), str(expected))


class Process(unittest.TestCase):
    def test_it_announces_itself_in_one_line_and_leaves_with_stdin(self):
        command = [sys.executable, "-m", "emulated_org", "--exit-with-stdin"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
            line = process.stdout.readline()
            self.assertRegex(line, r"^listening on http://127\.0\.0\.1:\d+\n$")
            self.assertEqual(Emulator(line.split()[-1]).get("health"), {"ok": True})
            output, _ = process.communicate(timeout=10)
        self.assertEqual((output, process.returncode), ("", 0))
