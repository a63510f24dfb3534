"""Changes of IAM and of service control policies that count for decisions late, by the emulator's clock."""
import json

from emulated_org.client import EmulatorError

from .support import ALLOW_EVERYTHING, REVOKE_POLICY, EmulatorTestCase, from_sts, revoke_policy

ROLE = "arn:aws:iam::222222222222:role/AppRole"
DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
# Long, so that a slow machine is not taken for a clock that was moved.
DELAY = 4000
FUTURE = "2099-01-01T00:00:00Z"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}],
    }
)


def deny(action: str) -> dict:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]}


class SpreadTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.role(instance_profile=False)
        self.operator = self.client(self.shop, "iam")
        self.stolen = self.session(duration=10**6)
        self.thief = self.client(self.stolen, "iam")
        self.management = self.client(self.org["management"], "organizations")
        self.emulator.switch(iam_spread_seconds=DELAY)

    def pass_by(self, seconds: int) -> None:
        self.emulator.advance_clock(seconds)

    def put(self, document: dict = revoke_policy(FUTURE)) -> None:
        text = json.dumps(document)
        self.operator.put_role_policy(RoleName="AppRole", PolicyName=REVOKE_POLICY, PolicyDocument=text)

    def works(self, client=None) -> None:
        (client or self.thief).list_users()

    def denied(self, client=None, code: str = "AccessDenied") -> None:
        self.assertAwsError(code, (client or self.thief).list_users)

    def counts_after_the_delay(self, change, before, after) -> None:
        change()
        before()
        self.pass_by(DELAY - 100)
        before()
        self.pass_by(200)
        after()


class Iam(SpreadTestCase):
    def test_without_a_delay_all_counts_at_once(self):
        self.emulator.switch(iam_spread_seconds=0)
        self.put()
        self.denied()

    def test_a_deny_counts_late_and_shows_at_once(self):
        def shown():
            stored = self.operator.get_role_policy(RoleName="AppRole", PolicyName=REVOKE_POLICY)
            self.assertEqual(stored["PolicyDocument"], revoke_policy(FUTURE))
            entry = {"ContextKeyName": "aws:TokenIssueTime", "ContextKeyType": "date",
                     "ContextKeyValues": ["2026-01-01T00:00:00Z"]}
            simulated = self.operator.simulate_principal_policy(
                PolicySourceArn=ROLE, ActionNames=["s3:GetObject"], ContextEntries=[entry]
            )
            self.assertEqual(simulated["EvaluationResults"][0]["EvalDecision"], "explicitDeny")
            self.works()

        self.counts_after_the_delay(self.put, shown, self.denied)

    def test_a_deny_that_was_taken_away_counts_as_long_as_it_stood(self):
        self.put()
        self.pass_by(1000)
        self.thief.delete_role_policy(RoleName="AppRole", PolicyName=REVOKE_POLICY)
        self.works()
        self.pass_by(DELAY - 1100)
        self.works()
        self.pass_by(200)
        self.denied()
        self.pass_by(800)
        self.denied()
        self.pass_by(200)
        self.works()

    def test_each_of_several_changes_counts_at_its_time(self):
        def grant(action: str) -> None:
            statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
            text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            self.operator.put_role_policy(RoleName="AppRole", PolicyName="permissions", PolicyDocument=text)

        def allowed() -> list:
            calls = {"users": self.thief.list_users, "roles": self.thief.list_roles}
            found = []
            for name, call in calls.items():
                try:
                    call()
                    found.append(name)
                except self.thief.exceptions.ClientError:
                    pass
            return found

        for action in ("iam:ListUsers", "iam:ListRoles", "iam:None"):
            grant(action)
            self.pass_by(1000)
        self.assertEqual(allowed(), ["users", "roles"])
        seen = []
        for _ in range(3):
            self.pass_by(1000)
            seen.append(allowed())
        self.assertEqual(seen, [["users"], ["roles"], []])

    def test_the_operator_is_not_enforced(self):
        self.operator.put_user_policy(
            UserName="operator", PolicyName="deny", PolicyDocument=json.dumps(revoke_policy(FUTURE))
        )
        self.works(self.operator)

    def test_attachments_and_boundaries(self):
        for change, back in (
            (lambda: self.operator.attach_role_policy(RoleName="AppRole", PolicyArn=DENY_ALL),
             lambda: self.operator.detach_role_policy(RoleName="AppRole", PolicyArn=DENY_ALL)),
            (lambda: self.operator.put_role_permissions_boundary(RoleName="AppRole", PermissionsBoundary=DENY_ALL),
             lambda: self.operator.delete_role_permissions_boundary(RoleName="AppRole")),
        ):
            self.counts_after_the_delay(change, self.works, self.denied)
            self.counts_after_the_delay(back, self.denied, self.works)

    def test_a_new_version_of_a_managed_policy_counts_late_for_all_who_have_it(self):
        harmless = json.dumps(deny("s3:*"))
        harmful = json.dumps(deny("*"))
        arn = self.operator.create_policy(PolicyName="p", PolicyDocument=harmless)["Policy"]["Arn"]
        self.operator.attach_role_policy(RoleName="AppRole", PolicyArn=arn)
        self.pass_by(DELAY + 1)
        self.counts_after_the_delay(
            lambda: self.operator.create_policy_version(PolicyArn=arn, PolicyDocument=harmful, SetAsDefault=True),
            self.works,
            self.denied,
        )
        self.counts_after_the_delay(
            lambda: self.operator.set_default_policy_version(PolicyArn=arn, VersionId="v1"), self.denied, self.works
        )

    def test_keys(self):
        self.emulator.switch(iam_spread_seconds=0)
        self.operator.create_user(UserName="ci")
        self.operator.put_user_policy(UserName="ci", PolicyName="p", PolicyDocument=json.dumps(ALLOW_EVERYTHING))
        self.emulator.switch(iam_spread_seconds=DELAY)
        key = self.operator.create_access_key(UserName="ci")["AccessKey"]
        iam = self.client({"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}, "iam")
        named = {"UserName": "ci", "AccessKeyId": key["AccessKeyId"]}

        def works():
            self.works(iam)

        def unknown():
            self.denied(iam, "InvalidClientTokenId")

        self.assertEqual(len(self.operator.list_access_keys(UserName="ci")["AccessKeyMetadata"]), 1)
        self.counts_after_the_delay(lambda: None, unknown, works)
        self.counts_after_the_delay(
            lambda: self.operator.update_access_key(Status="Inactive", **named), works, unknown
        )
        self.counts_after_the_delay(
            lambda: self.operator.update_access_key(Status="Active", **named), unknown, works
        )
        self.counts_after_the_delay(lambda: self.operator.delete_access_key(**named), works, unknown)

    def test_a_new_role_is_assumed_only_later(self):
        sts = self.client(self.stolen, "sts")
        made = "arn:aws:iam::222222222222:role/Made"

        def make():
            self.thief.create_role(RoleName="Made", AssumeRolePolicyDocument=TRUST)
            self.operator.get_role(RoleName="Made")

        def assume():
            return sts.assume_role(RoleArn=made, RoleSessionName="thief")

        self.counts_after_the_delay(make, lambda: self.assertAwsError("AccessDenied", assume), assume)
        nobody = TRUST.replace("AppRole", "Nobody")
        self.counts_after_the_delay(
            lambda: self.operator.update_assume_role_policy(RoleName="Made", PolicyDocument=nobody),
            assume,
            lambda: self.assertAwsError("AccessDenied", assume),
        )

    def test_a_deleted_role_works_on_and_can_be_assumed_for_a_while(self):
        self.role("Doomed", trust=json.loads(TRUST), instance_profile=False)
        sts = self.client(self.stolen, "sts")
        doomed = self.client(self.session("Doomed", duration=10**6), "iam")

        def delete():
            self.operator.delete_role_policy(RoleName="Doomed", PolicyName="permissions")
            self.operator.delete_role(RoleName="Doomed")
            self.assertAwsError("NoSuchEntity", self.operator.get_role, RoleName="Doomed")

        def assume():
            return sts.assume_role(RoleArn="arn:aws:iam::222222222222:role/Doomed", RoleSessionName="thief")

        def alive():
            self.works(doomed)
            self.works(self.client(from_sts(assume()), "iam"))

        def dead():
            self.denied(doomed, "InvalidClientTokenId")
            self.assertAwsError("AccessDenied", assume)

        self.counts_after_the_delay(delete, alive, dead)

    def test_a_deleted_user_works_on_for_a_while(self):
        user = self.emulator.user(account=self.shop["id"], name="ci", policy=ALLOW_EVERYTHING)["access_keys"][0]
        iam = self.client(user, "iam")

        def delete():
            self.operator.delete_access_key(UserName="ci", AccessKeyId=user["access_key_id"])
            self.operator.delete_user_policy(UserName="ci", PolicyName="permissions")
            self.operator.delete_user(UserName="ci")

        def alive():
            self.works(iam)
            self.assertAwsError("NoSuchEntity", iam.get_user)

        self.counts_after_the_delay(delete, alive, lambda: self.denied(iam, "InvalidClientTokenId"))

    def test_what_a_test_makes_counts_at_once(self):
        self.role("Given", trust=json.loads(TRUST), instance_profile=False)
        sts = self.client(self.stolen, "sts")
        sts.assume_role(RoleArn="arn:aws:iam::222222222222:role/Given", RoleSessionName="thief")
        key = self.emulator.user(account=self.shop["id"], name="ci", policy=ALLOW_EVERYTHING)["access_keys"][0]
        self.works(self.client(key, "iam"))

    def test_no_delay_lets_count_what_was_still_to_come(self):
        self.put()
        self.works()
        self.emulator.switch(iam_spread_seconds=0)
        self.denied()
        self.emulator.switch(iam_spread_seconds=DELAY)
        self.denied()

    def test_a_refused_change_leaves_nothing_to_come(self):
        self.assertAwsError("MalformedPolicyDocument", self.put, {"Version": "2012-10-17", "Statement": []})
        self.pass_by(DELAY + 1)
        self.works()

    def test_a_delay_is_a_number(self):
        for value in (-1, True, "4", None):
            with self.subTest(value=value), self.assertRaises(EmulatorError):
                self.emulator.switch(iam_spread_seconds=value)
        self.assertEqual(self.emulator.get("switches")["iam_spread_seconds"], DELAY)


class ServiceControlPolicies(SpreadTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.emulator.switch(iam_spread_seconds=0, scp_spread_seconds=DELAY)

    def content(self, action: str) -> str:
        return json.dumps(deny(action))

    def test_each_call_counts_late(self):
        policy = self.management.create_policy(
            Name="seal", Description="", Type="SERVICE_CONTROL_POLICY", Content=self.content("iam:ListUsers")
        )["Policy"]["PolicySummary"]["Id"]
        on = {"PolicyId": policy, "TargetId": self.shop["id"]}

        def known_and_works():
            listed = self.management.list_targets_for_policy(PolicyId=policy)["Targets"]
            self.assertEqual([target["TargetId"] for target in listed], [self.shop["id"]])
            self.works()

        self.counts_after_the_delay(
            lambda: self.management.attach_policy(**on), known_and_works, self.denied
        )
        self.counts_after_the_delay(
            lambda: self.management.update_policy(PolicyId=policy, Content=self.content("s3:*")), self.denied, self.works
        )
        self.management.update_policy(PolicyId=policy, Content=self.content("iam:ListUsers"))
        self.pass_by(DELAY + 1)
        self.counts_after_the_delay(lambda: self.management.detach_policy(**on), self.denied, self.works)

    def test_iam_has_a_delay_of_its_own(self):
        self.put()
        self.denied()

    def test_a_policy_of_a_parent_counts_late_too(self):
        policy = self.management.create_policy(
            Name="seal", Description="", Type="SERVICE_CONTROL_POLICY", Content=self.content("iam:ListUsers")
        )["Policy"]["PolicySummary"]["Id"]
        parent = self.management.list_parents(ChildId=self.shop["id"])["Parents"][0]["Id"]
        self.counts_after_the_delay(
            lambda: self.management.attach_policy(PolicyId=policy, TargetId=parent), self.works, self.denied
        )
