"""Policies of an organization: AWS's rules about them, and the emulator's lies."""
import json

from .support import EmulatorTestCase

SHOP = "222222222222"
DENY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})
OTHER = DENY.replace("s3", "ec2")


class PoliciesTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.organizations = self.client(self.org["management"], "organizations")

    def create(self, name: str = "rescind-222222222222", content: str = DENY, **fields) -> str:
        request = {"Name": name, "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": content, **fields}
        return self.organizations.create_policy(**request)["Policy"]["PolicySummary"]["Id"]

    def attach(self, policy: str, target: str = SHOP) -> None:
        self.organizations.attach_policy(PolicyId=policy, TargetId=target)

    def content(self, policy: str) -> str:
        return self.organizations.describe_policy(PolicyId=policy)["Policy"]["Content"]

    def attached(self, target: str = SHOP) -> list:
        listed = self.organizations.list_policies_for_target(TargetId=target, Filter="SERVICE_CONTROL_POLICY")
        return [policy["Name"] for policy in listed["Policies"]]

    def targets(self, policy: str) -> list:
        listed = self.organizations.list_targets_for_policy(PolicyId=policy)["Targets"]
        return [(target["TargetId"], target["Type"], target["Name"]) for target in listed]

    def assertReason(self, reason: str, call, *args, **parameters) -> None:
        code = "InvalidInputException" if reason == "IMMUTABLE_POLICY" else "ConstraintViolationException"
        error = self.assertAwsError(code, call, *args, **parameters)
        self.assertEqual(error.response["Reason"], reason)


class Life(PoliciesTestCase):
    def test_from_its_making_to_its_end(self):
        policy = self.create(Tags=[{"Key": "a", "Value": "b"}])
        described = self.organizations.describe_policy(PolicyId=policy)["Policy"]
        organization, management = self.org["organization_id"], self.org["management"]["id"]
        arn = f"arn:aws:organizations::{management}:policy/{organization}/service_control_policy/{policy}"
        summary = {"Id": policy, "Arn": arn, "Name": "rescind-222222222222", "Description": "",
                   "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": False}
        self.assertEqual(described, {"PolicySummary": summary, "Content": DENY})
        tags = self.organizations.list_tags_for_resource(ResourceId=policy)["Tags"]
        self.assertEqual(tags, [{"Key": "a", "Value": "b"}])
        self.attach(policy)
        self.assertEqual(self.attached(), ["FullAWSAccess", "rescind-222222222222"])
        self.assertEqual(self.targets(policy), [(SHOP, "ACCOUNT", "shop")])
        updated = self.organizations.update_policy(PolicyId=policy, Content=OTHER, Description="new")["Policy"]
        self.assertEqual((updated["Content"], updated["PolicySummary"]["Description"]), (OTHER, "new"))
        self.assertEqual(self.content(policy), OTHER)
        self.assertAwsError("PolicyInUseException", self.organizations.delete_policy, PolicyId=policy)
        self.organizations.detach_policy(PolicyId=policy, TargetId=SHOP)
        self.assertEqual((self.attached(), self.targets(policy)), (["FullAWSAccess"], []))
        self.organizations.delete_policy(PolicyId=policy)
        self.assertAwsError("PolicyNotFoundException", self.organizations.describe_policy, PolicyId=policy)

    def test_names_are_unique(self):
        self.create()
        other = self.create("other")
        self.assertAwsError("DuplicatePolicyException", self.create)
        rename = {"PolicyId": other, "Name": "rescind-222222222222"}
        self.assertAwsError("DuplicatePolicyException", self.organizations.update_policy, **rename)
        self.organizations.update_policy(PolicyId=other, Name="other", Content=OTHER)

    def test_attachments(self):
        policy = self.create()
        absent = "p-00000000"
        detach = self.organizations.detach_policy
        self.assertAwsError("PolicyNotFoundException", self.attach, absent)
        self.assertAwsError("TargetNotFoundException", self.attach, policy, "000000000000")
        self.assertAwsError("PolicyNotAttachedException", detach, PolicyId=policy, TargetId=SHOP)
        self.attach(policy)
        self.assertAwsError("DuplicatePolicyAttachmentException", self.attach, policy)
        for call in (self.organizations.update_policy, self.organizations.delete_policy,
                     self.organizations.list_targets_for_policy):
            self.assertAwsError("PolicyNotFoundException", call, PolicyId=absent)
        self.organizations.disable_policy_type(RootId=self.root(), PolicyType="SERVICE_CONTROL_POLICY")
        self.assertAwsError("PolicyTypeNotEnabledException", self.attach, policy, "333333333333")

    def root(self) -> str:
        return self.organizations.list_roots()["Roots"][0]["Id"]

    def test_policies_of_aws_are_not_changed(self):
        managed = "p-FullAWSAccess"
        described = self.organizations.describe_policy(PolicyId=managed)["Policy"]["PolicySummary"]
        self.assertEqual(described["Arn"], f"arn:aws:organizations::aws:policy/service_control_policy/{managed}")
        self.assertReason("IMMUTABLE_POLICY", self.organizations.update_policy, PolicyId=managed, Content=DENY)
        self.assertReason("IMMUTABLE_POLICY", self.organizations.delete_policy, PolicyId=managed)

    def test_what_is_not_a_service_control_policy_is_refused(self):
        statement = json.loads(DENY)["Statement"][0]
        for broken in ("{", "[]", "{}", json.dumps({"Statement": [{**statement, "Principal": "*"}]}),
                       json.dumps({"Statement": [{**statement, "Effect": "No"}]})):
            with self.subTest(broken):
                self.assertAwsError("MalformedPolicyDocumentException", self.create, content=broken)
        policy = self.create()
        self.assertAwsError(
            "MalformedPolicyDocumentException", self.organizations.update_policy, PolicyId=policy, Content="{}"
        )
        self.assertEqual(self.content(policy), DENY)

    def test_pages(self):
        for number in range(25):
            policy = self.create(f"policy-{number}")
        first = self.organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")
        rest = self.organizations.list_policies(Filter="SERVICE_CONTROL_POLICY", NextToken=first["NextToken"])
        self.assertEqual((len(first["Policies"]), len(rest["Policies"])), (20, 6))
        self.assertNotIn("NextToken", rest)
        for account in ("111111111111", SHOP, "333333333333"):
            self.attach(policy, account)
        first = self.organizations.list_targets_for_policy(PolicyId=policy, MaxResults=2)
        self.assertEqual(len(first["Targets"]), 2)
        rest = self.organizations.list_targets_for_policy(PolicyId=policy, NextToken=first["NextToken"])
        self.assertEqual([target["Name"] for target in rest["Targets"]], ["playground"])
        self.emulator.switch(organizations_empty_first_page=True)
        for list_, about in (
            (self.organizations.list_policies, {"Filter": "SERVICE_CONTROL_POLICY"}),
            (self.organizations.list_policies_for_target, {"TargetId": SHOP, "Filter": "SERVICE_CONTROL_POLICY"}),
            (self.organizations.list_targets_for_policy, {"PolicyId": policy}),
        ):
            empty = list_(**about)
            self.assertTrue(list_(**about, NextToken=empty["NextToken"]))
            self.assertEqual(empty.get("Policies", empty.get("Targets")), [])


class Limits(PoliciesTestCase):
    def test_ten_are_attached_to_one_target(self):
        # One is AWS's own.
        for number in range(9):
            self.attach(self.create(f"policy-{number}"))
        policy = self.create("one too many")
        self.assertReason("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", self.attach, policy)
        self.attach(policy, "333333333333")
        self.emulator.switch(organizations_attachments_quota=11)
        self.attach(policy)

    def test_one_stays_attached(self):
        detach = self.organizations.detach_policy
        self.assertReason("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", detach, PolicyId="p-FullAWSAccess", TargetId=SHOP)

    def test_white_space_counts(self):
        longest = DENY + " " * (10240 - len(DENY))
        policy = self.create(content=longest)
        self.assertReason("POLICY_CONTENT_LIMIT_EXCEEDED", self.create, "other", longest + " ")
        update = self.organizations.update_policy
        self.assertReason("POLICY_CONTENT_LIMIT_EXCEEDED", update, PolicyId=policy, Content=longest + " ")
        self.emulator.switch(organizations_policy_size_quota=100)
        self.assertReason("POLICY_CONTENT_LIMIT_EXCEEDED", update, PolicyId=policy, Content=DENY + " " * 100)

    def test_so_many_policies(self):
        self.emulator.switch(organizations_policies_quota=2)
        self.create()
        self.assertReason("POLICY_NUMBER_LIMIT_EXCEEDED", self.create, "one too many")

    def test_errors_of_the_moment_are_faults(self):
        policy = self.create()
        for code in ("ConcurrentModificationException", "TooManyRequestsException", "PolicyChangesInProgressException"):
            self.arm("organizations", "UpdatePolicy", {"error": {"code": code, "status": 400}}, times=1)
            self.assertAwsError(code, self.organizations.update_policy, PolicyId=policy, Content=OTHER)
        self.organizations.update_policy(PolicyId=policy, Content=OTHER)


class Lies(PoliciesTestCase):
    def lie(self, **switches) -> None:
        self.emulator.switch(**{f"organizations_{name}": value for name, value in switches.items()})

    def test_a_policy_that_is_not_made(self):
        self.lie(create_policy_ignored=True)
        policy = self.create()
        self.assertAwsError("PolicyNotFoundException", self.attach, policy)
        self.lie(create_policy_ignored=False)
        self.attach(self.create())

    def test_a_change_that_is_not_kept(self):
        policy = self.create()
        self.lie(update_policy_ignored=True)
        answer = self.organizations.update_policy(PolicyId=policy, Content=OTHER)["Policy"]
        self.assertEqual((answer["Content"], self.content(policy)), (OTHER, DENY))
        self.lie(update_policy_ignored=False)
        self.organizations.update_policy(PolicyId=policy, Content=OTHER)
        self.assertEqual(self.content(policy), OTHER)

    def test_a_policy_that_is_not_attached_detached_or_deleted(self):
        policy = self.create()
        on = {"PolicyId": policy, "TargetId": SHOP}
        self.lie(attach_policy_ignored=True)
        self.organizations.attach_policy(**on)
        self.assertEqual(self.targets(policy), [])
        self.lie(attach_policy_ignored=False, detach_policy_ignored=True)
        self.organizations.attach_policy(**on)
        self.organizations.detach_policy(**on)
        self.assertEqual(len(self.targets(policy)), 1)
        self.lie(detach_policy_ignored=False, delete_policy_ignored=True)
        self.organizations.detach_policy(**on)
        self.organizations.delete_policy(PolicyId=policy)
        self.assertEqual(self.content(policy), DENY)

    def test_reads_that_are_late(self):
        policy = self.create()
        self.organizations.update_policy(PolicyId=policy, Content=OTHER)
        self.attach(policy)
        self.lie(describe_policy_stale=True, attachments_stale=True)
        self.assertEqual((self.content(policy), self.attached(), self.targets(policy)), (DENY, ["FullAWSAccess"], []))
        self.lie(describe_policy_stale=False, attachments_stale=False)
        self.assertEqual((self.content(policy), len(self.attached()), len(self.targets(policy))), (OTHER, 2, 1))
