"""IAM's rules that matter to a remediation, on top of moto's IAM."""
import json

from .support import ALLOW_EVERYTHING, REVOKE_POLICY, EmulatorTestCase, revoke_policy


class Roles(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.created = self.role(path="/app/")
        self.iam = self.client(self.shop, "iam")

    def put(self, document, policy_name: str = REVOKE_POLICY, role: str = "AppRole") -> dict:
        text = document if isinstance(document, str) else json.dumps(document)
        return self.iam.put_role_policy(RoleName=role, PolicyName=policy_name, PolicyDocument=text)

    def test_a_role_answers_with_what_it_was_made_of(self):
        role = self.iam.get_role(RoleName="AppRole")["Role"]
        self.assertEqual(role["Arn"], "arn:aws:iam::222222222222:role/app/AppRole")
        self.assertEqual(role["RoleId"], self.created["role_id"])
        self.assertTrue(role["RoleId"].startswith("AROA"))
        self.assertEqual(role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"], {"Service": "ec2.amazonaws.com"})

    def test_trust_policies_are_percent_encoded_on_the_wire(self):
        raw = []
        self.iam.meta.events.register("response-received.iam", lambda response_dict, **_: raw.append(response_dict["body"]))
        self.iam.get_role(RoleName="AppRole")
        self.iam.list_roles()
        for body in raw:
            self.assertIn(b"<AssumeRolePolicyDocument>%7B%22Version%22", body)
            self.assertNotIn(b"<AssumeRolePolicyDocument>{", body)

    def test_names_ignore_case(self):
        self.assertEqual(self.iam.get_role(RoleName="aPPrOLE")["Role"]["RoleName"], "AppRole")
        self.put(revoke_policy("2026-01-01T00:00:00Z"), role="approle")
        self.assertIn(REVOKE_POLICY, self.iam.list_role_policies(RoleName="APPROLE")["PolicyNames"])
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        create = {"RoleName": "APPROLE", "AssumeRolePolicyDocument": trust}
        self.assertAwsError("EntityAlreadyExists", self.iam.create_role, **create)

    def test_missing_roles_and_policies(self):
        error = self.assertAwsError("NoSuchEntity", self.iam.get_role, RoleName="Missing")
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 404)
        self.assertAwsError("NoSuchEntity", self.iam.get_role_policy, RoleName="AppRole", PolicyName="missing")
        self.assertAwsError("NoSuchEntity", self.iam.get_role_policy, RoleName="Missing", PolicyName="missing")
        self.assertAwsError("NoSuchEntity", self.iam.delete_role_policy, RoleName="AppRole", PolicyName="missing")

    def test_the_quota_counts_all_inline_policies_without_white_space(self):
        self.iam.delete_role_policy(RoleName="AppRole", PolicyName="permissions")

        def document_of(size: int) -> str:
            frame = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Sid":""}]}'
            return frame.replace('"Sid":""', '"Sid":"' + "x" * (size - len(frame)) + '"')

        self.put(document_of(6000) + " " * 3000, "first")
        self.put(document_of(4240), "second")
        error = self.assertAwsError("LimitExceeded", self.put, document_of(4241), "second")
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 409)
        self.put(document_of(4240), "second")

    def test_malformed_documents_are_refused(self):
        statement = revoke_policy("2026-01-01T00:00:00Z")["Statement"][0]
        wrong = [
            "{",
            "[]",
            {"Version": "2012-10-17", "Statement": []},
            revoke_policy("yesterday"),
            {"Version": "2012-10-17", "Statement": [{**statement, "Principal": "*"}]},
            {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*"}]},
        ]
        for document in wrong:
            with self.subTest(document=document):
                self.assertAwsError("MalformedPolicyDocument", self.put, document)
        self.assertEqual(self.iam.list_role_policies(RoleName="AppRole")["PolicyNames"], ["permissions"])

    def test_protected_roles_cannot_be_changed(self):
        for number, path in enumerate(["/aws-service-role/x.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"]):
            name = f"Protected{number}"
            self.role(name, path=path)
            error = self.assertAwsError("UnmodifiableEntity", self.put, ALLOW_EVERYTHING, role=name)
            self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
            self.assertEqual(self.iam.get_role(RoleName=name)["Role"]["Path"], path)

    def test_a_recreated_role_is_another_role(self):
        old = self.session()
        profile = {"InstanceProfileName": "AppRole", "RoleName": "AppRole"}
        self.iam.remove_role_from_instance_profile(**profile)
        self.iam.delete_role_policy(RoleName="AppRole", PolicyName="permissions")
        self.iam.delete_role(RoleName="AppRole")
        self.assertAwsError("InvalidClientTokenId", self.client(old, "iam").list_users)
        again = self.role(instance_profile=False)
        self.assertNotEqual(again["role_id"], self.created["role_id"])
        self.assertAwsError("InvalidClientTokenId", self.client(old, "iam").list_users)
        self.client(self.session(), "iam").list_users()


class Enforcement(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.role(policy={"Statement": []})
        self.operator = self.client(self.shop, "iam")
        self.thief = self.client(self.session(), "iam")

    def grant(self, *statements: dict) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.operator.put_role_policy(RoleName="AppRole", PolicyName="permissions", PolicyDocument=document)

    def test_nothing_is_allowed_by_default(self):
        error = self.assertAwsError("AccessDenied", self.thief.list_users)
        self.assertIn("because no identity-based policy allows the iam:ListUsers action", str(error))

    def test_resources_are_compared_with_the_roles_path(self):
        self.role("Other", path="/team/")
        self.grant({"Effect": "Allow", "Action": "iam:GetRole", "Resource": "arn:aws:iam::*:role/team/*"})
        self.thief.get_role(RoleName="Other")
        self.thief.get_role(RoleName="OTHER")
        self.assertAwsError("AccessDenied", self.thief.get_role, RoleName="AppRole")

    def test_deleting_a_policy_is_enforced_on_the_role(self):
        self.role("Other", path="/team/")
        self.grant({"Effect": "Allow", "Action": "iam:DeleteRolePolicy", "Resource": "arn:aws:iam::*:role/team/Other"})
        policy = {"PolicyName": "permissions"}
        self.assertAwsError("AccessDenied", self.thief.delete_role_policy, RoleName="AppRole", **policy)
        self.thief.delete_role_policy(RoleName="Other", **policy)
        self.assertEqual(self.operator.list_role_policies(RoleName="Other")["PolicyNames"], [])

    def test_a_resource_statement_does_not_cover_actions_without_resource(self):
        self.grant({"Effect": "Allow", "Action": "ec2:*", "Resource": "arn:aws:ec2:*:*:instance/*"})
        ec2 = self.client(self.session(), "ec2")
        self.assertAwsError("UnauthorizedOperation", ec2.describe_instances)

    def test_attached_policies_and_boundaries(self):
        self.operator.attach_role_policy(RoleName="AppRole", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        self.thief.list_users()
        boundary = {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [boundary]})
        arn = self.operator.create_policy(PolicyName="boundary", PolicyDocument=policy)["Policy"]["Arn"]
        self.operator.put_role_permissions_boundary(RoleName="AppRole", PermissionsBoundary=arn)
        error = self.assertAwsError("AccessDenied", self.thief.list_users)
        self.assertIn("no permissions boundary allows", str(error))
        self.thief.list_roles()

    def test_conditions(self):
        deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        denying = [
            {"StringEquals": {"aws:PrincipalAccount": "222222222222"}},
            {"StringLike": {"aws:userid": "*:i-0abc1234def56789?"}},
            {"StringNotEquals": {"aws:PrincipalOrgID": "o-another"}},
            {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/App*"}},
            {"Null": {"aws:TokenIssueTime": "false"}},
            {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringEquals": {}},
            {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}},
            {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
            {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "127.0.0.0/8"]}},
            {"ForAnyValue:StringEquals": {"aws:PrincipalAccount": ["1", "222222222222"]}},
        ]
        expected = [True, True, True, True, True, False, True, True, True, True]
        for condition, is_denied in zip(denying, expected):
            with self.subTest(condition=condition):
                self.grant(allow, {**deny, "Condition": condition})
                if is_denied:
                    self.assertAwsError("AccessDenied", self.thief.list_users)
                else:
                    self.thief.list_users()

    def test_an_unknown_operator_is_an_error_that_says_so(self):
        policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringSounds": {"a": "b"}}}]}
        self.role("Odd", policy=policy)
        iam = self.client(self.session("Odd"), "iam")
        error = self.assertAwsError("EmulatorNotImplemented", iam.list_users)
        self.assertIn("StringSounds", str(error))


class Switches(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.role()
        self.iam = self.client(self.shop, "iam")
        self.policy = {"RoleName": "AppRole", "PolicyName": REVOKE_POLICY}

    def put(self, cutoff: str) -> None:
        self.iam.put_role_policy(PolicyDocument=json.dumps(revoke_policy(cutoff)), **self.policy)

    def test_a_put_can_be_ignored(self):
        self.emulator.switch(put_role_policy_ignored=True)
        self.put("2026-01-01T00:00:00Z")
        self.assertAwsError("NoSuchEntity", self.iam.get_role_policy, **self.policy)

    def test_a_deletion_can_be_ignored(self):
        self.put("2026-01-01T00:00:00Z")
        self.emulator.switch(delete_role_policy_ignored=True)
        self.iam.delete_role_policy(**self.policy)
        self.iam.get_role_policy(**self.policy)
        self.emulator.switch(delete_role_policy_ignored=False)
        self.iam.delete_role_policy(**self.policy)
        self.assertAwsError("NoSuchEntity", self.iam.get_role_policy, **self.policy)

    def test_a_get_can_be_stale(self):
        self.put("2026-01-01T00:00:00Z")
        self.emulator.switch(get_role_policy_stale=True)
        self.assertAwsError("NoSuchEntity", self.iam.get_role_policy, **self.policy)
        self.put("2026-01-02T00:00:00Z")
        stale = self.iam.get_role_policy(**self.policy)["PolicyDocument"]
        self.assertEqual(stale, revoke_policy("2026-01-01T00:00:00Z"))
        self.emulator.switch(get_role_policy_stale=False)
        current = self.iam.get_role_policy(**self.policy)["PolicyDocument"]
        self.assertEqual(current, revoke_policy("2026-01-02T00:00:00Z"))
