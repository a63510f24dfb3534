"""The adversary against a defender who writes by hand, by the emulator's clock."""
import json
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from adversary import Adversary

from .support import ALLOW_EVERYTHING, MEMBER_ROLE, REVOKE_POLICY, ROOT, EmulatorTestCase, revoke_policy

DELAY = 4000
EVERY = 500
ROLE = "arn:aws:iam::222222222222:role/AppRole"
DENY_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
OWN_POLICY = "app-runtime"


def trust_of(arn: str) -> dict:
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


class AdversaryTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.role(trust=trust_of("arn:aws:iam::222222222222:root"), instance_profile=False)
        self.operator = self.client(self.shop, "iam")
        self.lines = []

    def adversary(self, credentials=None, **fields) -> Adversary:
        credentials = credentials or self.session(duration=10**6)
        made = Adversary(
            self.emulator.endpoint, credentials, self.shop["id"], "eu-central-1", log=self.lines.append, **fields
        )
        self.addCleanup(made.close)
        return made

    def rounds(self, adversary: Adversary, number: int) -> dict:
        """The last of so many rounds, half a thousand seconds from each other."""
        for _ in range(number):
            line = adversary.tick()
            self.emulator.advance_clock(EVERY)
        return line

    def settled(self, **fields) -> Adversary:
        """An adversary that has had the time to make what it makes."""
        adversary = self.adversary(**fields)
        line = self.rounds(adversary, 3 + DELAY // EVERY)
        self.assertEqual(set(line["credentials"].values()), {"works"})
        self.lines.clear()
        return adversary

    def deny(self) -> None:
        document = json.dumps(revoke_policy("2099-01-01T00:00:00Z"))
        self.operator.put_role_policy(RoleName="AppRole", PolicyName=REVOKE_POLICY, PolicyDocument=document)

    def managed(self, name: str = "Quarantine") -> str:
        created = self.operator.create_policy(
            PolicyName=name, Path="/rescind/", PolicyDocument=json.dumps(DENY_ALL)
        )
        return created["Policy"]["Arn"]

    def inline(self) -> list:
        return self.operator.list_role_policies(RoleName="AppRole")["PolicyNames"]

    def attached(self) -> list:
        listed = self.operator.list_attached_role_policies(RoleName="AppRole")["AttachedPolicies"]
        return [policy["PolicyArn"] for policy in listed]

    def printed(self, event: str) -> list:
        return [(line["what"], line["name"]) for line in self.lines if line["event"] == event]


class Fights(AdversaryTestCase):
    def test_it_makes_a_role_a_user_and_sessions(self):
        self.emulator.switch(iam_spread_seconds=DELAY)
        adversary = self.adversary()
        first = self.rounds(adversary, 1)
        self.assertEqual(first["credentials"]["victim"], "works")
        self.assertEqual(first["credentials"]["made-user"], "InvalidClientTokenId")
        self.assertNotIn("made-role", first["credentials"])
        last = self.rounds(adversary, 2 + DELAY // EVERY)
        names = ["juggled", "made-role", "made-user", "victim"]
        self.assertEqual(last["credentials"], dict.fromkeys(names, "works"))
        self.assertEqual(sorted(self.inline()), [OWN_POLICY, "permissions"])
        self.assertEqual(self.printed("removed"), [])

    def test_a_deny_is_deleted_before_it_counts(self):
        self.emulator.switch(iam_spread_seconds=DELAY)
        adversary = self.settled()
        self.deny()
        line = self.rounds(adversary, 1)
        self.assertEqual(line["credentials"]["victim"], "works")
        self.assertEqual(self.printed("removed"), [("inline policy", REVOKE_POLICY)])
        self.assertNotIn(REVOKE_POLICY, self.inline())
        self.rounds(adversary, 1 + DELAY // EVERY)
        summary = adversary.summary()
        self.assertEqual(summary["removed"], 1)
        self.assertIsNone(summary["first_denied"])

    def test_a_deny_that_counts_at_once_holds_what_came_from_the_role(self):
        adversary = self.adversary()
        self.deny()
        line = self.rounds(adversary, 2)
        self.assertEqual(line["credentials"], {"victim": "AccessDenied"})
        self.assertEqual(line["refused"]["inline policies"], "AccessDenied")
        self.assertEqual((self.printed("removed"), self.printed("made")), ([], []))
        self.assertIn(REVOKE_POLICY, self.inline())
        self.assertEqual(adversary.summary()["first_denied"], self.lines[0]["wall"])

    def test_it_goes_on_with_whichever_credential_works(self):
        adversary = self.settled()
        self.deny()
        line = self.rounds(adversary, 1)
        self.assertEqual(self.printed("removed"), [("inline policy", REVOKE_POLICY)])
        self.assertEqual(line["credentials"]["victim"], "works")
        deleted = [call for call in self.emulator.calls() if call["operation"] == "DeleteRolePolicy"]
        self.assertEqual(deleted[-1]["status"], 200)
        self.assertRegex(deleted[-1]["principal"], r":(user/app-user-|assumed-role/app-role-)")

    def test_managed_policies_and_boundaries_are_taken_off_and_its_own_put_back(self):
        self.emulator.switch(iam_spread_seconds=DELAY)
        kept = "arn:aws:iam::aws:policy/AdministratorAccess"
        self.operator.attach_role_policy(RoleName="AppRole", PolicyArn=kept)
        adversary = self.settled()
        arn = self.managed()
        self.operator.attach_role_policy(RoleName="AppRole", PolicyArn=arn)
        self.operator.put_role_permissions_boundary(RoleName="AppRole", PermissionsBoundary=arn)
        self.operator.delete_role_policy(RoleName="AppRole", PolicyName=OWN_POLICY)
        self.rounds(adversary, 1)
        self.assertEqual(sorted(self.printed("removed")), [("attached policy", arn), ("boundary", arn)])
        self.assertEqual(self.attached(), [kept])
        self.assertEqual(sorted(self.inline()), [OWN_POLICY, "permissions"])
        self.assertNotIn("PermissionsBoundary", self.operator.get_role(RoleName="AppRole")["Role"])

    def test_a_policy_that_was_changed_is_not_what_was_there_at_the_start(self):
        self.emulator.switch(iam_spread_seconds=DELAY)
        adversary = self.settled()
        self.operator.put_role_policy(
            RoleName="AppRole", PolicyName="permissions", PolicyDocument=json.dumps(DENY_ALL)
        )
        self.rounds(adversary, 1)
        self.assertEqual(self.printed("removed"), [("inline policy", "permissions")])

    def test_the_same_seed_makes_the_same_moves(self):
        made = []
        for seed in (7, 7, 8):
            self.setUp()
            self.emulator.delete("calls")
            self.rounds(self.adversary(seed=seed), 3)
            made.append([call["operation"] for call in self.emulator.calls()])
        self.assertEqual(made[0], made[1])
        self.assertNotEqual(made[0], made[2])

    def test_other_roles_are_assumed_and_act_in_their_own_account_only(self):
        account = self.org["accounts"]["playground"]["id"]
        arn = self.role("Other", account=account, trust=trust_of(ROLE), instance_profile=False)["arn"]
        self.role("AppRole", account=account, instance_profile=False)
        adversary = self.settled(chain=[arn])
        self.deny()
        line = self.rounds(adversary, 1)
        self.assertEqual(line["credentials"][f"chained:{arn}"], "works")
        self.assertEqual(self.printed("removed"), [("inline policy", REVOKE_POLICY)])
        there = {call["operation"] for call in self.emulator.calls() if call["account"] == account}
        self.assertLessEqual(there, {"ListUsers", "AssumeRole"})


class Sealed(AdversaryTestCase):
    """Against the seal: the service control policy that keeps a managed policy where it is."""

    def seal(self, without: str = "") -> None:
        management = self.client(self.org["management"], "organizations")
        text = (ROOT.parents[1] / "policies" / "organization-seal.json").read_text(encoding="utf-8")
        text = text.replace("${MEMBER_ROLE}", MEMBER_ROLE).replace("${DEPLOYERS}", "arn:*:iam::*:role/deployer")
        document = json.loads(text)
        document["Statement"] = [one for one in document["Statement"] if one["Sid"] != without]
        policy = management.create_policy(
            Name="seal", Description="seal", Type="SERVICE_CONTROL_POLICY", Content=json.dumps(document)
        )
        management.attach_policy(PolicyId=policy["Policy"]["PolicySummary"]["Id"], TargetId=self.shop["id"])

    def quarantined(self, without: str = ""):
        """The adversary, and a policy that denies all and was attached to its role just now."""
        self.seal(without)
        self.emulator.switch(iam_spread_seconds=DELAY)
        adversary, arn = self.settled(), self.managed()
        self.operator.attach_role_policy(RoleName="AppRole", PolicyArn=arn)
        return adversary, arn

    def test_what_is_sealed_stays_and_counts(self):
        adversary, arn = self.quarantined()
        line = self.rounds(adversary, 1)
        self.assertEqual(line["refused"][f"attached policy {arn}"], "AccessDenied")
        self.assertEqual(line["refused"][f"document of policy {arn}"], "AccessDenied")
        self.assertEqual(line["credentials"]["victim"], "works")
        line = self.rounds(adversary, 1 + DELAY // EVERY)
        self.assertEqual(self.attached(), [arn])
        self.assertEqual(self.printed("removed"), [])
        works = {name for name, answer in line["credentials"].items() if answer == "works"}
        self.assertEqual(works, {"made-role", "made-user"})
        self.assertEqual(line["credentials"]["victim"], "AccessDenied")
        self.assertIsNotNone(adversary.summary()["first_denied"])

    def test_a_policy_that_can_be_rewritten_holds_nobody(self):
        adversary, arn = self.quarantined(without="KeepTheQuarantinePolicy")
        self.rounds(adversary, 2)
        self.assertEqual(self.attached(), [arn])
        self.assertEqual(self.printed("removed"), [("document of policy", arn)])
        line = self.rounds(adversary, 2 + DELAY // EVERY)
        self.assertEqual(line["credentials"]["victim"], "works")


class Others(AdversaryTestCase):
    def user(self) -> dict:
        made = self.emulator.user(account=self.shop["id"], name="ci", path="/team/", policy=ALLOW_EVERYTHING)
        return made["access_keys"][0]

    def test_a_users_key_is_switched_on_again(self):
        self.emulator.switch(iam_spread_seconds=DELAY)
        key = self.user()
        adversary = self.settled(credentials=key, kind="user")
        self.operator.update_access_key(UserName="ci", AccessKeyId=key["access_key_id"], Status="Inactive")
        document = json.dumps(revoke_policy("2099-01-01T00:00:00Z"))
        self.operator.put_user_policy(UserName="ci", PolicyName=REVOKE_POLICY, PolicyDocument=document)
        line = self.rounds(adversary, 1)
        removed = [("inactive status", key["access_key_id"]), ("inline policy", REVOKE_POLICY)]
        self.assertEqual(sorted(self.printed("removed")), sorted(removed))
        self.assertEqual(sorted(line["credentials"]), ["juggled", "made-role", "made-user", "victim"])
        self.assertEqual(self.operator.list_user_policies(UserName="ci")["PolicyNames"], ["permissions", OWN_POLICY])

    def test_without_skill_it_only_looks(self):
        self.role("Reader", {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
        adversary = self.adversary(self.session("Reader"), skill="none", probes=["iam:ListUsers", "s3:ListBuckets"])
        self.emulator.delete("calls")
        self.assertEqual(self.rounds(adversary, 2)["credentials"], {"victim": "works"})
        self.assertEqual([call["operation"] for call in self.emulator.calls()], ["ListUsers", "ListBuckets"] * 2)

    def test_it_attacks_nothing_but_this_machine(self):
        with self.assertRaises(ValueError):
            Adversary("http://198.51.100.7:80", self.session(), self.shop["id"], "eu-central-1")

    def test_a_key_is_not_taken_for_a_session(self):
        for credentials, kind in ((self.user(), "session"), (self.session(), "user")):
            with self.assertRaises(ValueError):
                self.adversary(credentials, kind=kind)


class CommandLine(AdversaryTestCase):
    def command(self, *more: str, endpoint: str = "") -> list:
        return [
            sys.executable, "-m", "adversary", "--endpoint", endpoint or self.emulator.endpoint,
            "--credentials", json.dumps(self.session()), "--account", self.shop["id"], "--region", "eu-central-1",
            "--every", "0.01", *more,
        ]

    def test_it_ends_by_itself_and_says_what_is_left(self):
        with TemporaryDirectory() as directory:
            log = Path(directory, "log")
            self.emulator.advance_clock(1000)
            subprocess.run(self.command("--for", "0.2", "--clock", "--log", str(log)), cwd=ROOT, check=True)
            lines = [json.loads(line) for line in log.read_text().splitlines()]
        ticks = [line for line in lines if line["event"] == "tick"]
        self.assertEqual(ticks[0]["credentials"]["victim"], "works")
        self.assertGreater(ticks[0]["emulator"], ticks[0]["wall"])
        self.assertEqual(lines[-1]["event"], "summary")
        self.assertEqual(lines[-1]["working"], ticks[-1]["credentials"])

    def test_it_ends_when_it_is_asked_to(self):
        with subprocess.Popen(self.command("--skill", "none"), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(json.loads(process.stdout.readline())["event"], "tick")
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read().splitlines()
        self.assertEqual(process.returncode, 0)
        self.assertEqual(json.loads(rest[-1])["event"], "summary")

    def test_it_refuses_an_endpoint_elsewhere(self):
        command = self.command(endpoint="https://iam.amazonaws.com")
        done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("refusing the endpoint", done.stderr)
