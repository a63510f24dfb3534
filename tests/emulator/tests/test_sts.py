"""AssumeRole: who may, with which parameters, and what the session can do."""
import json
from datetime import datetime, timezone

from .support import ALLOW_EVERYTHING, EXTERNAL_ID, EmulatorTestCase, from_sts


class AssumeRole(EmulatorTestCase):
    def test_the_hub_reaches_the_member_role(self):
        credentials = self.assume_member_role(DurationSeconds=900)
        identity = self.client(credentials, "sts").get_caller_identity()
        self.assertEqual(identity["Arn"], "arn:aws:sts::222222222222:assumed-role/RescindRemediation/rescind")
        lifetime = credentials["expiration"] - datetime.now(timezone.utc)
        self.assertAlmostEqual(lifetime.total_seconds(), 900, delta=5)

    def test_the_external_id_has_to_be_right(self):
        for external_id in ("another-id", None):
            with self.subTest(external_id=external_id):
                with self.assertRaisesRegex(Exception, "not authorized to perform: sts:AssumeRole"):
                    self.assume_member_role(ExternalId=external_id)

    def test_the_source_identity_has_to_be_trusted_and_reaches_policies(self):
        with self.assertRaisesRegex(Exception, "sts:SetSourceIdentity"):
            self.assume_member_role(SourceIdentity="somebody")
        self.role(trust=self._trust({"AWS": "*"}), policy=self._allow({"aws:SourceIdentity": "rescind"}))
        hub = self._hub_session_with("AppRole")
        self.client(hub, "iam").list_users()

    def _hub_session_with(self, role: str) -> dict:
        sts = self.client(self.org["accounts"]["security"], "sts")
        arn = f"arn:aws:iam::222222222222:role/{role}"
        return from_sts(sts.assume_role(RoleArn=arn, RoleSessionName="rescind", SourceIdentity="rescind"))

    def _trust(self, principal: dict, **statement) -> dict:
        actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]
        return {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": actions, **statement}]}

    def _allow(self, equals: dict) -> dict:
        condition = {"StringEquals": equals}
        return {"Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*", "Condition": condition}]}

    def test_a_missing_role_looks_like_a_forbidden_one(self):
        with self.assertRaisesRegex(Exception, r"\(AccessDenied\)"):
            self.assume_member_role(RoleArn="arn:aws:iam::222222222222:role/Missing")

    def test_another_account_is_not_trusted(self):
        sts = self.client(self.org["accounts"]["playground"], "sts")
        parameters = {"RoleArn": self.shop["member_role_arn"], "RoleSessionName": "me", "ExternalId": EXTERNAL_ID}
        self.assertAwsError("AccessDenied", sts.assume_role, **parameters)

    def test_a_session_needs_an_identity_policy_too(self):
        self.role("Weak", policy={"Statement": []}, account="333333333333")
        self.role("Target", trust=self._trust({"AWS": "arn:aws:iam::333333333333:root"}))
        thief = self.client(self.session("Weak", account="333333333333"), "sts")
        target = {"RoleArn": "arn:aws:iam::222222222222:role/Target", "RoleSessionName": "me"}
        error = self.assertAwsError("AccessDenied", thief.assume_role, **target)
        self.assertIn("no identity-based policy allows", str(error))
        operator = self.client(self.org["accounts"]["playground"], "iam")
        operator.put_role_policy(RoleName="Weak", PolicyName="all", PolicyDocument=json.dumps(ALLOW_EVERYTHING))
        thief.assume_role(**target)

    def test_parameters_are_validated(self):
        wrong = [
            {"RoleSessionName": "a b"},
            {"RoleSessionName": "x" * 65},
            {"SourceIdentity": "what?"},
            {"ExternalId": "e" * 1225},
            {"DurationSeconds": 899},
            {"DurationSeconds": 3601},
            {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [], "Id": "x" * 2048})},
        ]
        for parameters in wrong:
            with self.subTest(parameters=parameters):
                # Some of them botocore would refuse by itself: ask the service.
                with self.assertRaisesRegex(Exception, r"ValidationError|Parameter validation failed"):
                    self.assume_member_role(**parameters)

    def test_durations_are_limited_by_the_role_and_by_chaining(self):
        self.role(trust=self._trust({"AWS": ["111111111111", self.org["hub"]["role_arn"]]}), max_session_duration=7200)
        request = {"RoleArn": "arn:aws:iam::222222222222:role/AppRole", "RoleSessionName": "me"}
        operator = self.client(self.org["accounts"]["security"], "sts")
        operator.assume_role(DurationSeconds=7200, **request)
        error = self.assertAwsError("ValidationError", operator.assume_role, DurationSeconds=7201, **request)
        self.assertIn("MaxSessionDuration", str(error))

    def test_session_policies_only_narrow(self):
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "arn:aws:iam::222222222222:role/app/AppRole"},
                {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
            ],
        }
        self.role(path="/app/")
        self.role("Other")
        iam = self.client(self.assume_member_role(Policy=json.dumps(policy)), "iam")
        self.assertEqual(iam.get_role(RoleName="AppRole")["Role"]["Path"], "/app/")
        error = self.assertAwsError("AccessDenied", iam.get_role, RoleName="Other")
        self.assertIn("because no session policy allows the iam:GetRole action", str(error))
        self.assertIn("on resource: arn:aws:iam::222222222222:role/Other", str(error))
        s3 = self.client(self.assume_member_role(Policy=json.dumps(policy)), "s3")
        self.assertAwsError("AccessDenied", s3.list_buckets)

    def test_managed_session_policies(self):
        arn = "arn:aws:iam::aws:policy/AWSDenyAll"
        iam = self.client(self.assume_member_role(PolicyArns=[{"arn": arn}]), "iam")
        error = self.assertAwsError("AccessDenied", iam.get_role, RoleName="RescindRemediation")
        self.assertIn("with an explicit deny in a session policy", str(error))


class Credentials(EmulatorTestCase):
    def test_expired_sessions_are_refused_in_each_protocol(self):
        self.role()
        session = self.session(duration=900)
        self.client(session, "iam").list_users()
        self.emulator.advance_clock(901)
        for service, operation, code in [
            ("iam", "list_users", "ExpiredToken"),
            ("dynamodb", "list_tables", "ExpiredTokenException"),
            ("guardduty", "list_detectors", "ExpiredTokenException"),
            ("ec2", "describe_instances", "RequestExpired"),
            ("sts", "get_caller_identity", "ExpiredToken"),
        ]:
            with self.subTest(service=service):
                self.assertAwsError(code, getattr(self.client(session, service), operation))

    def test_unknown_keys_and_wrong_tokens_are_refused(self):
        self.role()
        session = self.session()
        for wrong in ({"session_token": "wrong"}, {"access_key_id": "ASIAUNKNOWN"}, {"access_key_id": "AKIAUNKNOWN"}):
            with self.subTest(wrong=wrong):
                sts = self.client({**session, **wrong}, "sts")
                self.assertAwsError("InvalidClientTokenId", sts.get_caller_identity)

    def test_an_inactive_access_key_is_refused(self):
        iam = self.client(self.shop, "iam")
        iam.update_access_key(UserName="operator", AccessKeyId=self.shop["access_key_id"], Status="Inactive")
        error = self.assertAwsError("InvalidClientTokenId", iam.list_users)
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 403)

    def test_a_users_key_is_enforced_and_so_is_its_session(self):
        operator = self.client(self.shop, "iam")
        operator.create_user(UserName="ci")
        key = operator.create_access_key(UserName="ci")["AccessKey"]
        user = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        session = from_sts(self.client(user, "sts").get_session_token())
        self.assertAwsError("AccessDenied", self.client(user, "iam").list_users)
        self.assertAwsError("AccessDenied", self.client(session, "iam").list_users)
        document = json.dumps(ALLOW_EVERYTHING)
        operator.put_user_policy(UserName="ci", PolicyName="all", PolicyDocument=document)
        self.client(user, "iam").list_users()
        self.client(session, "iam").list_users()

    def test_a_region_of_another_partition_is_refused(self):
        self.assertAwsError("InvalidClientTokenId", self.client(self.shop, "iam", "cn-north-1").list_users)
