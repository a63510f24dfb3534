"""The emulator's reason to be: a thief's calls are denied after the revocation."""
import json
from urllib.parse import unquote

from .support import REVOKE_POLICY, EmulatorTestCase, revoke_policy


class Revocation(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.role()
        self.stolen = self.session(issued_at="2026-01-01T10:00:00Z", duration=10**9)

    def revoke(self, cutoff: str) -> None:
        iam = self.client(self.assume_member_role(), "iam")
        document = json.dumps(revoke_policy(cutoff))
        iam.put_role_policy(RoleName="AppRole", PolicyName=REVOKE_POLICY, PolicyDocument=document)
        stored = iam.get_role_policy(RoleName="AppRole", PolicyName=REVOKE_POLICY)
        self.assertEqual(stored["PolicyDocument"], revoke_policy(cutoff))

    def test_every_service_denies_an_older_session_and_serves_a_newer_one(self):
        fresh = self.session(issued_at="2026-01-01T10:00:02Z", duration=10**9)
        calls = [
            ("dynamodb", "list_tables", "AccessDeniedException", 400),
            ("s3", "list_buckets", "AccessDenied", 403),
            ("iam", "list_users", "AccessDenied", 403),
            ("ec2", "describe_instances", "UnauthorizedOperation", 403),
            ("guardduty", "list_detectors", "AccessDeniedException", 403),
        ]
        for service, operation, _, _ in calls:
            getattr(self.client(self.stolen, service), operation)()
        self.revoke("2026-01-01T10:00:01Z")
        for service, operation, code, status in calls:
            with self.subTest(service=service):
                error = self.assertAwsError(code, getattr(self.client(self.stolen, service), operation))
                self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
                self.assertIn("with an explicit deny in an identity-based policy", str(error))
                getattr(self.client(fresh, service), operation)()

    def test_role_chaining_is_denied_too(self):
        trust = {
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:role/AppRole"}, "Action": "sts:AssumeRole"}
            ]
        }
        self.role("Next", trust=trust, instance_profile=False)
        target = {"RoleArn": "arn:aws:iam::222222222222:role/Next", "RoleSessionName": "thief"}
        sts = self.client(self.stolen, "sts")
        sts.assume_role(**target)
        self.revoke("2026-01-01T10:00:01Z")
        self.assertAwsError("AccessDenied", sts.assume_role, **target)

    def test_the_cutoff_itself_is_not_before_the_cutoff(self):
        self.revoke("2026-01-01T10:00:00Z")
        self.client(self.stolen, "iam").list_users()

    def test_fractions_of_the_issue_time_are_cut_off(self):
        session = self.session(issued_at="2026-01-01T10:00:00.900Z", duration=10**9)
        self.revoke("2026-01-01T10:00:00.500Z")
        self.assertAwsError("AccessDenied", self.client(session, "iam").list_users)

    def test_get_caller_identity_is_always_allowed(self):
        self.revoke("2026-01-01T10:00:01Z")
        identity = self.client(self.stolen, "sts").get_caller_identity()
        self.assertEqual(identity["Arn"], "arn:aws:sts::222222222222:assumed-role/AppRole/i-0abc1234def567890")
        self.assertEqual(identity["UserId"], self.stolen["principal_id"])

    def test_long_term_keys_have_no_issue_time(self):
        self.revoke("2026-01-01T10:00:01Z")
        self.client(self.shop, "iam").list_users()

    def test_the_whole_way_from_finding_to_denial(self):
        injected = self.emulator.exfiltration(
            account="111111111111",
            region="eu-central-1",
            member=self.shop["id"],
            role="AppRole",
            principal_id=self.stolen["principal_id"],
            access_key_id=self.stolen["access_key_id"],
        )
        guardduty = self.client(self.org["hub"], "guardduty", "eu-central-1")
        detector = guardduty.list_detectors()["DetectorIds"][0]
        ids = guardduty.list_findings(DetectorId=detector)["FindingIds"]
        self.assertEqual(ids, [injected["finding_id"]])
        finding = guardduty.get_findings(DetectorId=detector, FindingIds=ids)["Findings"][0]
        self.assertEqual(finding["Resource"]["AccessKeyDetails"]["PrincipalId"], self.stolen["principal_id"])
        self.revoke("2026-01-01T10:00:01Z")
        self.assertAwsError("AccessDenied", self.client(self.stolen, "iam").list_users)

    def test_documents_are_percent_encoded_on_the_wire(self):
        iam = self.client(self.shop, "iam")
        raw = []
        iam.meta.events.register("response-received.iam", lambda response_dict, **_: raw.append(response_dict["body"]))
        document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::a b+c~/*"}]}'
        iam.put_role_policy(RoleName="AppRole", PolicyName="spaces", PolicyDocument=document)
        iam.get_role_policy(RoleName="AppRole", PolicyName="spaces")
        encoded = raw[-1].decode().split("<PolicyDocument>")[1].split("</PolicyDocument>")[0]
        self.assertEqual(unquote(encoded), document)
        self.assertIn("a%20b%2Bc~%2F%2A", encoded)
