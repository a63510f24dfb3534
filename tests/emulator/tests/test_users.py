"""IAM users as victims: their keys, their sessions, and what stops each."""
import json
from urllib.parse import unquote

from emulated_org.client import EmulatorError

from .support import ALLOW_EVERYTHING, REVOKE_POLICY, EmulatorTestCase, revoke_policy

ALLOW_USERS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "iam:GetUser",
                "iam:ListAccessKeys",
                "iam:UpdateAccessKey",
                "iam:GetUserPolicy",
                "iam:PutUserPolicy",
                "iam:DeleteUserPolicy",
                "iam:SimulatePrincipalPolicy",
            ],
            "Resource": "arn:${PARTITION}:iam::${ACCOUNT_ID}:user/team/*",
        }
    ],
}


class UserTestCase(EmulatorTestCase):
    ORGANIZATION = {"member_policy": ALLOW_USERS}

    def setUp(self) -> None:
        super().setUp()
        self.ci = self.user("ci", keys=2)
        self.iam = self.client(self.assume_member_role(), "iam")

    def user(self, name: str, **fields) -> dict:
        defaults = {"account": self.shop["id"], "policy": ALLOW_EVERYTHING, "path": "/team/"}
        return self.emulator.user(**{**defaults, "name": name, **fields})

    def user_session(self, **fields) -> dict:
        return self.emulator.session(account=self.shop["id"], user="ci", **fields)

    def put(self, document, policy_name: str = REVOKE_POLICY, user: str = "ci") -> None:
        text = document if isinstance(document, str) else json.dumps(document)
        self.iam.put_user_policy(UserName=user, PolicyName=policy_name, PolicyDocument=text)

    def deactivate(self, number: int = 0) -> None:
        key = self.ci["access_keys"][number]["access_key_id"]
        self.iam.update_access_key(UserName="ci", AccessKeyId=key, Status="Inactive")

    def works(self, credentials: dict) -> None:
        self.client(credentials, "dynamodb").list_tables()

    def fails(self, code: str, credentials: dict) -> None:
        self.assertAwsError(code, self.client(credentials, "dynamodb").list_tables)


class Victims(UserTestCase):
    def test_a_user_is_what_was_asked_for(self):
        self.assertRegex(self.ci["user_id"], r"^AIDA[A-Z2-7]{17}$")
        self.assertEqual(self.ci["arn"], "arn:aws:iam::222222222222:user/team/ci")
        found = self.iam.get_user(UserName="CI")["User"]
        self.assertEqual((found["UserId"], found["Arn"], found["Path"]), (self.ci["user_id"], self.ci["arn"], "/team/"))
        listed = self.iam.list_access_keys(UserName="ci")["AccessKeyMetadata"]
        expected = [(key["access_key_id"], "Active") for key in self.ci["access_keys"]]
        self.assertEqual([(key["AccessKeyId"], key["Status"]) for key in listed], expected)
        self.assertEqual(self.user("none", keys=0)["access_keys"], [])
        identity = self.client(self.ci["access_keys"][0], "sts").get_caller_identity()
        self.assertEqual((identity["UserId"], identity["Arn"]), (self.ci["user_id"], self.ci["arn"]))

    def test_bad_requests_for_users(self):
        for fields, message in [
            ({"name": "CI"}, "already has a user"),
            ({"name": "x", "keys": 3}, "at most 2 keys"),
        ]:
            with self.subTest(fields=fields), self.assertRaisesRegex(EmulatorError, f"400 .*{message}"):
                self.user(**fields)
        with self.assertRaisesRegex(EmulatorError, "400 .*has no user"):
            self.emulator.session(account=self.shop["id"], user="missing")

    def test_keys_are_enforced(self):
        nothing = self.user("nothing", policy=None)["access_keys"][0]
        self.fails("AccessDeniedException", nothing)
        operator = self.client(self.shop, "iam")
        operator.attach_user_policy(UserName="nothing", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        self.works(nothing)

    def test_a_revocation_stops_sessions_and_no_keys(self):
        old = self.user_session(issued_at="2026-01-01T10:00:00Z", duration=10**9)
        new = self.user_session(issued_at="2026-01-01T10:00:02Z", duration=10**9)
        self.assertEqual(old["principal_id"], self.ci["user_id"])
        self.works(old)
        self.put(revoke_policy("2026-01-01T10:00:01Z"))
        self.fails("AccessDeniedException", old)
        self.works(new)
        self.works(self.ci["access_keys"][0])

    def test_a_deactivated_key_stops_while_its_sessions_go_on(self):
        sts = self.client(self.ci["access_keys"][0], "sts")
        token = sts.get_session_token()["Credentials"]
        self.deactivate()
        self.fails("UnrecognizedClientException", self.ci["access_keys"][0])
        self.works(self.ci["access_keys"][1])
        session = {"access_key_id": token["AccessKeyId"], "secret_access_key": token["SecretAccessKey"]}
        self.works({**session, "session_token": token["SessionToken"]})

    def test_users_have_ids_of_their_own(self):
        deny = revoke_policy("2026-01-01T00:00:00Z")
        deny["Statement"][0]["Condition"] = {"StringEquals": {"aws:userid": self.ci["user_id"]}}
        self.put(deny)
        self.user("other")
        self.put(deny, user="other")
        self.fails("AccessDeniedException", self.ci["access_keys"][0])
        self.fails("AccessDeniedException", self.user_session())
        self.works(self.emulator.session(account=self.shop["id"], user="other"))

    def test_a_recreated_user_is_another_user(self):
        session = self.user_session()
        operator = self.client(self.shop, "iam")
        for key in self.ci["access_keys"]:
            operator.delete_access_key(UserName="ci", AccessKeyId=key["access_key_id"])
        operator.delete_user_policy(UserName="ci", PolicyName="permissions")
        operator.delete_user(UserName="ci")
        self.fails("UnrecognizedClientException", session)
        self.user("ci")
        self.fails("UnrecognizedClientException", session)


class Operations(UserTestCase):
    def test_resources_are_compared_with_the_users_path(self):
        self.user("outside", path="/")
        self.assertAwsError("AccessDenied", self.iam.get_user, UserName="outside")
        self.assertAwsError("AccessDenied", self.iam.list_access_keys, UserName="outside")
        for operation in ("get_user_policy", "delete_user_policy"):
            call = getattr(self.iam, operation)
            self.assertAwsError("AccessDenied", call, UserName="OUTSIDE", PolicyName="permissions")

    def test_names_ignore_case(self):
        operator = self.client(self.shop, "iam")
        self.assertEqual(operator.list_user_policies(UserName="CI")["PolicyNames"], ["permissions"])
        self.assertAwsError("EntityAlreadyExists", operator.create_user, UserName="Ci")

    def test_what_is_missing(self):
        operator = self.client(self.shop, "iam")
        policy = {"UserName": "ci", "PolicyName": "missing"}
        key = {"AccessKeyId": "AKIAMISSINGMISSING00", "Status": "Inactive"}
        for call, parameters in [
            (operator.get_user, {"UserName": "missing"}),
            (operator.list_access_keys, {"UserName": "missing"}),
            (operator.update_access_key, {"UserName": "ci", **key}),
            (operator.get_user_policy, policy),
            (operator.delete_user_policy, policy),
            (operator.put_user_policy, {**policy, "UserName": "missing", "PolicyDocument": "{}"}),
        ]:
            with self.subTest(parameters=parameters):
                error = self.assertAwsError("NoSuchEntity", call, **parameters)
                self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 404)

    def test_policies_are_stored_and_deleted(self):
        raw = []
        self.iam.meta.events.register("response-received.iam", lambda response_dict, **_: raw.append(response_dict["body"]))
        document = json.dumps(revoke_policy("2026-01-01T10:00:01Z"))
        self.put(document)
        policy = {"UserName": "ci", "PolicyName": REVOKE_POLICY}
        self.assertEqual(self.iam.get_user_policy(**policy)["PolicyDocument"], json.loads(document))
        encoded = raw[-1].decode().split("<PolicyDocument>")[1].split("</PolicyDocument>")[0]
        self.assertEqual(unquote(encoded), document)
        self.assertIn("%22%2A%22", encoded)
        self.iam.delete_user_policy(**policy)
        self.assertAwsError("NoSuchEntity", self.iam.get_user_policy, **policy)

    def test_the_quota_of_users_is_smaller(self):
        self.iam.delete_user_policy(UserName="ci", PolicyName="permissions")
        frame = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Sid":"SID"}]}'

        def document_of(size: int) -> str:
            return frame.replace("SID", "x" * (size - len(frame) + 3))

        self.put(document_of(1000) + " " * 3000, "first")
        self.put(document_of(1048), "second")
        error = self.assertAwsError("LimitExceeded", self.put, document_of(1049), "second")
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 409)

    def test_a_user_is_simulated(self):
        self.put(revoke_policy("2026-01-01T10:00:01Z"))
        entry = {"ContextKeyName": "aws:TokenIssueTime", "ContextKeyType": "date"}
        decisions = [
            self.iam.simulate_principal_policy(
                PolicySourceArn=self.ci["arn"],
                ActionNames=["s3:GetObject"],
                ContextEntries=[{**entry, "ContextKeyValues": [issued_at]}],
            )["EvaluationResults"][0]["EvalDecision"]
            for issued_at in ("2026-01-01T10:00:00Z", "2026-01-01T10:00:02Z")
        ]
        self.assertEqual(decisions, ["explicitDeny", "allowed"])


class UserSwitches(UserTestCase):
    def test_a_put_can_be_ignored_and_a_get_stale(self):
        policy = {"UserName": "ci", "PolicyName": REVOKE_POLICY}
        self.emulator.switch(put_user_policy_ignored=True)
        self.put(revoke_policy("2026-01-01T10:00:00Z"))
        self.assertAwsError("NoSuchEntity", self.iam.get_user_policy, **policy)
        self.emulator.switch(put_user_policy_ignored=False, get_user_policy_stale=True)
        self.put(revoke_policy("2026-01-01T10:00:00Z"))
        self.assertAwsError("NoSuchEntity", self.iam.get_user_policy, **policy)
        self.emulator.switch(get_user_policy_stale=False)
        self.iam.get_user_policy(**policy)

    def test_an_update_of_a_key_can_be_ignored(self):
        self.emulator.switch(update_access_key_ignored=True)
        self.deactivate()
        self.works(self.ci["access_keys"][0])
        self.assertEqual(self.iam.list_access_keys(UserName="ci")["AccessKeyMetadata"][0]["Status"], "Active")

    def test_a_deletion_can_be_ignored(self):
        self.emulator.switch(delete_user_policy_ignored=True)
        self.iam.delete_user_policy(UserName="ci", PolicyName="permissions")
        self.works(self.ci["access_keys"][0])
