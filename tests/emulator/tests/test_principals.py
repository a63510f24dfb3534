"""Whose calls a service control policy denies: each kind of principal, by the keys that it has."""
import json

from .support import ALLOW_EVERYTHING, EmulatorTestCase, from_sts

SHOP = "222222222222"
PAST, FUTURE = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"


class PrincipalsTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.management = self.client(self.org["management"], "organizations")
        self.user = self.emulator.user(account=SHOP, name="ci", policy=ALLOW_EVERYTHING)
        self.key = self.user["access_keys"][0]
        role = self.role()
        sso = self.role(
            "AWSReservedSSO_Admin_0123456789abcdef", path="/aws-reserved/sso.amazonaws.com/", instance_profile=False
        )
        self.role_id, self.sso_id = role["role_id"], sso["role_id"]
        self.everyone = {
            "session": self.session(),
            "sso": self.session("AWSReservedSSO_Admin_0123456789abcdef", session_name="alice@example.com"),
            "sso other": self.session("AWSReservedSSO_Admin_0123456789abcdef", session_name="bob@example.com"),
            "key": self.key,
            "user session": self.emulator.session(account=SHOP, user="ci"),
            "federated": self.emulator.session(account=SHOP, user="ci", federated_user="carol"),
            "root": self.emulator.root_key(SHOP),
            "root session": self.emulator.session(account=SHOP, root=True),
        }

    def attach(self, condition: dict, target: str = SHOP) -> None:
        statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
        content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        policy = self.management.create_policy(
            Name="test", Description="", Type="SERVICE_CONTROL_POLICY", Content=content
        )["Policy"]["PolicySummary"]["Id"]
        self.management.attach_policy(PolicyId=policy, TargetId=target)
        self.policy = {"PolicyId": policy, "TargetId": target}

    def denied(self) -> set:
        found = set()
        for name, credentials in self.everyone.items():
            try:
                self.client(credentials, "iam").list_users()
            except self.client(credentials, "iam").exceptions.ClientError as error:
                self.assertEqual(error.response["Error"]["Code"], "AccessDenied")
                found.add(name)
        return found

    def denies(self, condition: dict, *names: str) -> None:
        self.attach(condition)
        self.assertEqual(self.denied(), set(names), condition)
        self.management.detach_policy(**self.policy)
        self.management.delete_policy(PolicyId=self.policy["PolicyId"])


class Conditions(PrincipalsTestCase):
    def test_without_a_policy_all_are_allowed(self):
        self.assertEqual(self.denied(), set())
        self.denies({}, *self.everyone)

    def test_older_sessions_of_one_role(self):
        old = {"DateLessThan": {"aws:TokenIssueTime": FUTURE}}
        self.denies({"StringLike": {"aws:userid": f"{self.role_id}:*"}, **old}, "session")
        self.denies({"StringEquals": {"aws:userid": f"{self.sso_id}:alice@example.com"}, **old}, "sso")
        self.denies({"StringLike": {"aws:userid": f"{self.sso_id}:*"}, **old}, "sso", "sso other")
        self.denies(
            {"StringLike": {"aws:userid": f"{self.role_id}:*"}, "DateLessThan": {"aws:TokenIssueTime": PAST}}
        )
        arn = f"arn:aws:iam::{SHOP}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"
        self.denies({"ArnLike": {"aws:PrincipalArn": arn}, **old}, "sso", "sso other")

    def test_a_user_with_its_keys_and_its_sessions(self):
        user = {"StringEquals": {"aws:userid": self.user["user_id"]}}
        # A key has no issue time.
        self.denies({**user, "DateLessThan": {"aws:TokenIssueTime": FUTURE}}, "user session")
        self.denies({**user, "DateLessThanIfExists": {"aws:TokenIssueTime": FUTURE}}, "key", "user session")
        self.denies({**user, "DateLessThanIfExists": {"aws:TokenIssueTime": PAST}}, "key")
        self.denies({"ArnLike": {"aws:PrincipalArn": self.user["arn"]}}, "key", "user session")

    def test_a_federated_user(self):
        carol = {"StringEquals": {"aws:userid": f"{SHOP}:carol"}}
        self.denies({**carol, "DateLessThan": {"aws:TokenIssueTime": FUTURE}}, "federated")
        self.denies({**carol, "DateLessThan": {"aws:TokenIssueTime": PAST}})
        arn = f"arn:aws:sts::{SHOP}:federated-user/carol"
        self.denies({"ArnLike": {"aws:PrincipalArn": arn}}, "federated")

    def test_the_root_user(self):
        root = {"StringEquals": {"aws:userid": SHOP}}
        self.denies(root, "root", "root session")
        self.denies({**root, "DateLessThan": {"aws:TokenIssueTime": FUTURE}}, "root session")
        self.denies({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{SHOP}:root"}}, "root", "root session")

    def test_another_account_is_not_touched(self):
        self.attach({"StringEquals": {"aws:userid": SHOP}}, "333333333333")
        self.assertEqual(self.denied(), set())

    def test_the_management_account_is_exempt(self):
        management = self.org["management"]["id"]
        self.attach({}, management)
        self.client(self.emulator.root_key(management), "iam").list_users()


class Credentials(PrincipalsTestCase):
    def who(self, name: str) -> tuple:
        identity = self.client(self.everyone[name], "sts").get_caller_identity()
        return identity["Account"], identity["UserId"], identity["Arn"]

    def test_who_they_are(self):
        self.assertEqual(self.who("root"), (SHOP, SHOP, f"arn:aws:iam::{SHOP}:root"))
        self.assertEqual(self.who("root session"), self.who("root"))
        self.assertEqual(self.who("federated"), (SHOP, f"{SHOP}:carol", f"arn:aws:sts::{SHOP}:federated-user/carol"))
        self.assertEqual(self.who("sso")[1], f"{self.sso_id}:alice@example.com")
        self.assertEqual(self.everyone["federated"]["principal_id"], f"{SHOP}:carol")
        self.assertEqual(self.everyone["root"]["principal_id"], SHOP)

    def test_a_user_federates(self):
        sts = self.client(self.key, "sts")
        answer = sts.get_federation_token(Name="carol", Policy=json.dumps(ALLOW_EVERYTHING))
        self.assertEqual(answer["FederatedUser"]["FederatedUserId"], f"{SHOP}:carol")
        self.client(from_sts(answer), "iam").list_users()
        # Without a policy of its own it may do nothing.
        bare = self.client(from_sts(sts.get_federation_token(Name="carol")), "iam")
        self.assertAwsError("AccessDenied", bare.list_users)
        again = self.client(from_sts(answer), "sts").get_federation_token
        self.assertAwsError("AccessDenied", again, Name="carol")

    def test_a_federated_session_has_no_more_than_its_user(self):
        operator = self.client(self.shop, "iam")
        operator.delete_user_policy(UserName="ci", PolicyName="permissions")
        self.assertEqual(self.denied(), {"key", "user session", "federated"})

    def test_a_root_user(self):
        session = self.client(self.everyone["root"], "sts").get_session_token()
        self.client(from_sts(session), "iam").list_users()
        assume = self.client(self.everyone["root"], "sts").assume_role
        self.assertAwsError("AccessDenied", assume, RoleArn=self.shop["member_role_arn"], RoleSessionName="xx")

    def test_cloudtrail_names_them(self):
        def recorded(name: str) -> dict:
            key = self.everyone[name]["access_key_id"]
            self.client(self.everyone[name], "iam").list_users()
            trail = self.client(self.shop, "cloudtrail", "us-east-1")
            asked = [{"AttributeKey": "AccessKeyId", "AttributeValue": key}]
            return json.loads(trail.lookup_events(LookupAttributes=asked)["Events"][0]["CloudTrailEvent"])["userIdentity"]

        self.assertEqual((recorded("root")["type"], recorded("root")["principalId"]), ("Root", SHOP))
        federated = recorded("federated")
        self.assertEqual((federated["type"], federated["principalId"]), ("FederatedUser", f"{SHOP}:carol"))
        self.assertEqual(federated["sessionContext"]["sessionIssuer"]["principalId"], self.user["user_id"])
