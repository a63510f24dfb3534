"""The organization's resource policy, which lets others than the management account manage policies."""
import json

from .support import ROOT, EmulatorTestCase

SHOP = "222222222222"
HUB = "111111111111"
DENY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})
CHANGES = [f"organizations:{name}Policy" for name in ("Create", "Update", "Delete", "Attach", "Detach")]
EVERY_POLICY = "arn:*:organizations::*:policy/*/service_control_policy/*"
EVERY_ACCOUNT = "arn:*:organizations::*:account/*/*"


def allow(actions, resource="*", **condition) -> dict:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def document(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def shipped(name: str) -> dict:
    return json.loads((ROOT.parents[1] / "policies" / f"{name}.json").read_text())


class DelegationTestCase(EmulatorTestCase):
    HUB_POLICY = document(allow("organizations:*"), allow("sts:AssumeRole"))

    def setUp(self) -> None:
        self.ORGANIZATION = {"hub_policy": self.HUB_POLICY}
        super().setUp()
        self.management = self.client(self.org["management"], "organizations")
        self.hub = self.client(self.org["hub"], "organizations")

    def delegate(self, *statements: dict, principal: str = f"arn:aws:iam::{HUB}:root") -> None:
        named = [{"Principal": {"AWS": principal}, **statement} for statement in statements]
        self.management.put_resource_policy(Content=json.dumps(document(*named)))

    def create(self, organizations=None, name: str = "rescind-222222222222", **fields) -> str:
        request = {"Name": name, "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": DENY, **fields}
        return (organizations or self.hub).create_policy(**request)["Policy"]["PolicySummary"]["Id"]

    def refused(self, call, *args, **parameters) -> None:
        self.assertAwsError("AccessDeniedException", call, *args, **parameters)


class Delegation(DelegationTestCase):
    def test_without_one_nobody_else_changes_anything(self):
        self.refused(self.create)
        policy = self.create(self.management)
        for call, more in ((self.hub.update_policy, {}), (self.hub.delete_policy, {}),
                           (self.hub.attach_policy, {"TargetId": SHOP}), (self.hub.detach_policy, {"TargetId": SHOP})):
            self.refused(call, PolicyId=policy, **more)
        # A delegated administrator of any service may read.
        self.hub.describe_policy(PolicyId=policy)
        self.assertAwsError("ResourcePolicyNotFoundException", self.hub.describe_resource_policy)

    def test_with_one_the_hub_has_all_of_a_policys_life(self):
        self.delegate(allow(CHANGES, [EVERY_POLICY, EVERY_ACCOUNT]))
        policy = self.create()
        self.hub.update_policy(PolicyId=policy, Content=DENY)
        self.hub.attach_policy(PolicyId=policy, TargetId=SHOP)
        self.hub.detach_policy(PolicyId=policy, TargetId=SHOP)
        self.hub.delete_policy(PolicyId=policy)

    def test_there_is_one_and_only_the_management_account_changes_it(self):
        self.delegate(allow("organizations:*"))
        first = self.management.describe_resource_policy()["ResourcePolicy"]
        self.assertEqual(self.hub.describe_resource_policy()["ResourcePolicy"], first)
        self.refused(self.hub.put_resource_policy, Content=first["Content"])
        self.refused(self.hub.delete_resource_policy)
        self.delegate(allow(CHANGES))
        second = self.management.describe_resource_policy()["ResourcePolicy"]
        self.assertEqual(second["ResourcePolicySummary"], first["ResourcePolicySummary"])
        self.assertNotEqual(second["Content"], first["Content"])
        self.management.delete_resource_policy()
        self.refused(self.create)
        self.assertAwsError("ResourcePolicyNotFoundException", self.management.delete_resource_policy)

    def test_not_each_action_can_be_delegated(self):
        self.delegate(allow("organizations:*"))
        self.refused(self.hub.create_organizational_unit, ParentId=self.root(), Name="x")

    def root(self) -> str:
        return self.management.list_roots()["Roots"][0]["Id"]

    def test_another_member_is_not_let_in(self):
        self.delegate(allow(CHANGES))
        for credentials in (self.shop, self.org["accounts"]["playground"]):
            organizations = self.client(credentials, "organizations")
            self.refused(self.create, organizations)
            self.refused(organizations.list_policies, Filter="SERVICE_CONTROL_POLICY")
        self.delegate(allow(["organizations:CreatePolicy", "organizations:ListPolicies"]), principal=SHOP)
        shop = self.client(self.shop, "organizations")
        shop.list_policies(Filter="SERVICE_CONTROL_POLICY")
        self.create(shop)
        self.refused(self.create)

    def test_one_role_of_the_account_is_let_in(self):
        other = self.client(self.org["accounts"]["security"], "organizations")
        role = self.org["hub"]["role_arn"]
        only = allow(CHANGES, ArnEquals={"aws:PrincipalArn": role})
        for delegate in (lambda: self.delegate(only), lambda: self.delegate(allow(CHANGES), principal=role)):
            delegate()
            self.create(name="by the hub")
            self.refused(self.create, other)
            self.hub.delete_policy(PolicyId=self.hub.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"][-1]["Id"])

    def test_a_deny_of_the_organization_wins_over_reads_too(self):
        everything = allow("organizations:*")
        self.delegate(everything, {**allow("organizations:ListPolicies"), "Effect": "Deny"})
        self.refused(self.hub.list_policies, Filter="SERVICE_CONTROL_POLICY")
        self.create()

    def test_a_resource_policy_names_principals(self):
        put = self.management.put_resource_policy
        for broken in ("{", json.dumps(document()), json.dumps(document(allow("organizations:*"))), " " * 40001):
            self.assertAwsError("InvalidInputException", put, Content=broken)


class OwnPolicies(DelegationTestCase):
    HUB_POLICY = document(allow(["organizations:CreatePolicy", "organizations:DescribePolicy"]))

    def test_the_callers_own_policies_are_asked_as_well(self):
        self.delegate(allow(CHANGES))
        policy = self.create()
        error = self.assertAwsError("AccessDeniedException", self.hub.delete_policy, PolicyId=policy)
        self.assertIn("no identity-based policy allows", str(error))


class Conditions(DelegationTestCase):
    """What the Service Authorization Reference names: the policy's type, tags, and ARNs."""

    def test_the_type(self):
        scps = {"StringEquals": {"organizations:PolicyType": "SERVICE_CONTROL_POLICY"}}
        self.delegate(allow(CHANGES, **scps))
        self.refused(self.create, Type="TAG_POLICY", Content="{}")
        policy = self.create()
        self.hub.attach_policy(PolicyId=policy, TargetId=SHOP)
        other = self.create(self.management, "tags", Type="TAG_POLICY", Content="{}")
        self.refused(self.hub.update_policy, PolicyId=other, Content="{}")

    def test_where_it_may_be_attached(self):
        self.delegate(allow(CHANGES, [EVERY_POLICY, EVERY_ACCOUNT]))
        policy, parent = self.create(), self.management.list_parents(ChildId=SHOP)["Parents"][0]["Id"]
        for target in (parent, self.management.list_roots()["Roots"][0]["Id"]):
            self.refused(self.hub.attach_policy, PolicyId=policy, TargetId=target)
            self.management.attach_policy(PolicyId=policy, TargetId=target)
            self.refused(self.hub.detach_policy, PolicyId=policy, TargetId=target)
        self.hub.attach_policy(PolicyId=policy, TargetId=SHOP)
        # AWS's own are not of the organization.
        self.refused(self.hub.detach_policy, PolicyId="p-FullAWSAccess", TargetId=SHOP)

    def test_tags_of_the_policy(self):
        untagged = {"Null": {"aws:ResourceTag/rescind-keep": "true"}}
        self.delegate(allow(CHANGES, EVERY_POLICY, **untagged), allow(CHANGES, EVERY_ACCOUNT))
        policy = self.create(self.management, "guard")
        self.hub.update_policy(PolicyId=policy, Content=DENY)
        self.hub.attach_policy(PolicyId=policy, TargetId=SHOP)
        self.management.tag_resource(ResourceId=policy, Tags=[{"Key": "rescind-keep", "Value": ""}])
        self.refused(self.hub.update_policy, PolicyId=policy, Content=DENY)
        self.refused(self.hub.detach_policy, PolicyId=policy, TargetId=SHOP)
        self.refused(self.hub.untag_resource, ResourceId=policy, TagKeys=["rescind-keep"])

    def test_tags_of_the_request(self):
        tagged = {"StringEquals": {"aws:RequestTag/made-by": "rescind"}, "ForAllValues:StringEquals": {"aws:TagKeys": "made-by"}}
        self.delegate(allow("organizations:CreatePolicy", **tagged))
        tags = [{"Key": "made-by", "Value": "rescind"}]
        self.refused(self.create)
        # Who makes something with tags has to be allowed to tag.
        self.refused(self.create, Tags=tags)
        self.delegate(allow(["organizations:CreatePolicy", "organizations:TagResource"], **tagged))
        self.create(Tags=tags)
        self.refused(self.create, Tags=[*tags, {"Key": "more", "Value": ""}])


class Shipped(EmulatorTestCase):
    """With what the project deploys: policies/organization-deny-delegation.json and those of the hub's role."""

    ORGANIZATION = {
        "hub_policy": document(
            *(statement for name in ("permissions", "organization-deny")
              for statement in shipped(f"hub-role-{name}")["Statement"])
        ),
        "delegation_policy": shipped("organization-deny-delegation"),
    }

    def setUp(self) -> None:
        super().setUp()
        self.management = self.client(self.org["management"], "organizations")
        self.hub = self.client(self.org["hub"], "organizations")

    def create(self, organizations) -> str:
        request = {"Name": "rescind-222222222222", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": DENY}
        return organizations.create_policy(**request)["Policy"]["PolicySummary"]["Id"]

    def refused(self, call, **parameters) -> None:
        self.assertAwsError("AccessDeniedException", call, **parameters)

    def test_the_hub_writes_a_policy_for_an_account_and_takes_it_away(self):
        policy = self.create(self.hub)
        self.hub.attach_policy(PolicyId=policy, TargetId=SHOP)
        listed = self.hub.list_policies_for_target(TargetId=SHOP, Filter="SERVICE_CONTROL_POLICY")["Policies"]
        self.assertEqual([one["Id"] for one in listed], ["p-FullAWSAccess", policy])
        self.hub.update_policy(PolicyId=policy, Content=DENY)
        self.assertEqual(self.hub.describe_policy(PolicyId=policy)["Policy"]["Content"], DENY)
        self.assertEqual(len(self.hub.list_targets_for_policy(PolicyId=policy)["Targets"]), 1)
        self.hub.detach_policy(PolicyId=policy, TargetId=SHOP)
        self.hub.delete_policy(PolicyId=policy)

    def test_what_is_to_be_kept_or_attached_elsewhere_is_out_of_its_reach(self):
        policy, unit = self.create(self.management), self.management.list_parents(ChildId=SHOP)["Parents"][0]["Id"]
        self.refused(self.hub.attach_policy, PolicyId=policy, TargetId=unit)
        self.hub.attach_policy(PolicyId=policy, TargetId=SHOP)
        self.management.tag_resource(ResourceId=policy, Tags=[{"Key": "rescind-keep", "Value": "true"}])
        self.refused(self.hub.update_policy, PolicyId=policy, Content=DENY)
        self.refused(self.hub.detach_policy, PolicyId=policy, TargetId=SHOP)
        self.refused(self.hub.untag_resource, ResourceId=policy, TagKeys=["rescind-keep"])
        self.refused(self.hub.detach_policy, PolicyId="p-FullAWSAccess", TargetId=SHOP)
        self.refused(self.hub.delete_resource_policy)

    def test_nobody_else_of_its_account_is_let_in(self):
        for credentials in (self.org["accounts"]["security"], self.shop):
            with self.assertRaisesRegex(Exception, "AccessDeniedException"):
                self.create(self.client(credentials, "organizations"))
