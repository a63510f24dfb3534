"""Organizations: who may read it, its pages, and service control policies."""
import json

from .support import ALLOW_EVERYTHING, EmulatorTestCase

ACCOUNTS = [
    {"name": "security", "id": "111111111111", "delegated_admin": True},
    {"name": "shop", "id": "222222222222", "ou": "Workloads/Production", "tags": {"team": "shop"}},
    {"name": "playground", "id": "333333333333", "ou": "Sandbox"},
    {"name": "leaving", "id": "444444444444", "state": "PENDING_CLOSURE"},
    {"name": "closed", "id": "555555555555", "state": "CLOSED"},
] + [{"name": f"team-{number}", "member_role": False} for number in range(20)]


class Reads(EmulatorTestCase):
    ORGANIZATION = {"accounts": ACCOUNTS}

    def setUp(self) -> None:
        super().setUp()
        self.organizations = self.client(self.org["hub"], "organizations")

    def test_accounts_come_in_pages_of_twenty(self):
        first = self.organizations.list_accounts(MaxResults=20)
        self.assertEqual(len(first["Accounts"]), 20)
        pages = self.organizations.get_paginator("list_accounts").paginate()
        accounts = [account for page in pages for account in page["Accounts"]]
        expected = {self.org["management"]["id"]} | {account["id"] for account in self.org["accounts"].values()}
        self.assertEqual(len(accounts), 26)
        self.assertEqual({account["Id"] for account in accounts}, expected)
        states = {account["Id"]: (account["State"], account["Status"]) for account in accounts}
        self.assertEqual(states["222222222222"], ("ACTIVE", "ACTIVE"))
        self.assertEqual(states["444444444444"], ("PENDING_CLOSURE", "PENDING_CLOSURE"))
        self.assertEqual(states["555555555555"], ("CLOSED", "SUSPENDED"))

    def test_the_first_page_can_be_empty(self):
        self.emulator.switch(empty_first_accounts_page=True)
        first = self.organizations.list_accounts()
        self.assertEqual(first["Accounts"], [])
        second = self.organizations.list_accounts(NextToken=first["NextToken"])
        self.assertEqual(len(second["Accounts"]), 20)

    def test_an_accounts_place_and_tags(self):
        organizations = self.organizations
        root = organizations.list_roots()["Roots"][0]
        units = organizations.list_organizational_units_for_parent(ParentId=root["Id"])["OrganizationalUnits"]
        self.assertEqual([unit["Name"] for unit in units], ["Workloads", "Sandbox"])
        parent = organizations.list_parents(ChildId="222222222222")["Parents"][0]
        self.assertEqual(parent["Type"], "ORGANIZATIONAL_UNIT")
        grandparent = organizations.list_parents(ChildId=parent["Id"])["Parents"][0]
        self.assertEqual(grandparent["Id"], units[0]["Id"])
        self.assertEqual(organizations.list_parents(ChildId=grandparent["Id"])["Parents"][0]["Type"], "ROOT")
        tags = organizations.list_tags_for_resource(ResourceId="222222222222")["Tags"]
        self.assertEqual(tags, [{"Key": "team", "Value": "shop"}])
        self.assertEqual(organizations.describe_account(AccountId="222222222222")["Account"]["Name"], "shop")
        self.assertAwsError("AccountNotFoundException", organizations.describe_account, AccountId="000000000000")

    def test_only_management_and_delegated_administrators_read(self):
        for account in (self.org["management"], self.org["accounts"]["security"], self.shop):
            described = self.client(account, "organizations").describe_organization()["Organization"]
            self.assertEqual(described["Id"], self.org["organization_id"])
        self.client(self.org["management"], "organizations").list_accounts()
        admins = self.organizations.list_delegated_administrators()["DelegatedAdministrators"]
        self.assertEqual([admin["Id"] for admin in admins], ["111111111111"])
        member = self.client(self.shop, "organizations")
        error = self.assertAwsError("AccessDeniedException", member.list_accounts)
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)

    def test_a_delegated_administrator_changes_nothing(self):
        security = self.client(self.org["accounts"]["security"], "organizations")
        tags = [{"Key": "a", "Value": "b"}]
        self.assertAwsError("AccessDeniedException", security.tag_resource, ResourceId="222222222222", Tags=tags)

    def test_a_closed_account_cannot_be_entered(self):
        arn = self.org["accounts"]["closed"]["member_role_arn"]
        with self.assertRaisesRegex(Exception, r"\(AccessDenied\)"):
            self.assume_member_role(RoleArn=arn)

    def test_the_member_role_is_where_it_was_asked_for(self):
        self.assertTrue(self.org["accounts"]["security"]["member_role_arn"])
        self.assertIsNone(self.org["accounts"]["team-1"]["member_role_arn"])
        management = self.client(self.org["management"], "iam")
        self.assertAwsError("NoSuchEntity", management.get_role, RoleName="RescindRemediation")


class ManagedPoliciesOfMembers(EmulatorTestCase):
    DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    ORGANIZATION = {"member_managed_policies": {"rescind/Quarantine": DENY}}

    def test_they_are_beside_the_member_role(self):
        arn = "arn:aws:iam::222222222222:policy/rescind/Quarantine"
        shop = self.client(self.shop, "iam")
        version = shop.get_policy_version(PolicyArn=arn, VersionId=shop.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"])
        self.assertEqual(version["PolicyVersion"]["Document"], self.DENY)
        self.role()
        thief = self.client(self.session(), "iam")
        thief.list_users()
        shop.attach_role_policy(RoleName="AppRole", PolicyArn=arn)
        self.assertAwsError("AccessDenied", thief.list_users)
        management = self.client(self.org["management"], "iam")
        self.assertAwsError("NoSuchEntity", management.get_policy, PolicyArn=arn.replace("2" * 12, self.org["management"]["id"]))


class ServiceControlPolicies(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.role()
        self.thief = self.client(self.session(), "iam")
        self.management = self.client(self.org["management"], "organizations")

    def attach(self, statement: dict, target: str) -> str:
        content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        policy = self.management.create_policy(
            Name="test", Description="test", Type="SERVICE_CONTROL_POLICY", Content=content
        )["Policy"]["PolicySummary"]
        self.management.attach_policy(PolicyId=policy["Id"], TargetId=target)
        return policy["Id"]

    def parent_of(self, child: str) -> str:
        return self.management.list_parents(ChildId=child)["Parents"][0]["Id"]

    def test_a_deny_counts_at_every_level(self):
        production = self.parent_of("222222222222")
        workloads = self.parent_of(production)
        deny = {"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}
        for target in ("222222222222", production, workloads, self.parent_of(workloads)):
            with self.subTest(target=target):
                policy = self.attach(deny, target)
                error = self.assertAwsError("AccessDenied", self.thief.list_users)
                self.assertIn("with an explicit deny in a service control policy", str(error))
                self.thief.list_roles()
                self.management.detach_policy(PolicyId=policy, TargetId=target)
                self.management.delete_policy(PolicyId=policy)
                self.thief.list_users()

    def test_every_level_has_to_allow(self):
        self.attach({"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}, "222222222222")
        self.thief.list_users()
        self.management.detach_policy(PolicyId="p-FullAWSAccess", TargetId="222222222222")
        error = self.assertAwsError("AccessDenied", self.thief.list_users)
        self.assertIn("because no service control policy allows", str(error))
        self.thief.list_roles()

    def test_the_simulator_knows_them(self):
        self.attach({"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}, "222222222222")
        iam = self.client(self.shop, "iam")
        arn = "arn:aws:iam::222222222222:role/AppRole"
        simulated = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["iam:ListUsers"])
        result = simulated["EvaluationResults"][0]
        self.assertEqual(result["EvalDecision"], "explicitDeny")
        self.assertFalse(result["OrganizationsDecisionDetail"]["AllowedByOrganizations"])

    def test_the_management_account_is_exempt(self):
        root = self.management.list_roots()["Roots"][0]["Id"]
        self.attach({"Effect": "Deny", "Action": "*", "Resource": "*"}, root)
        self.role("Admin", ALLOW_EVERYTHING, account=self.org["management"]["id"])
        session = self.session("Admin", account=self.org["management"]["id"])
        self.client(session, "iam").list_users()
        self.assertAwsError("AccessDenied", self.thief.list_users)


class China(EmulatorTestCase):
    REGIONS = ["cn-north-1"]
    ORGANIZATION = {"partition": "aws-cn", "member_role_path": "/security/"}

    def test_arns_name_the_partition(self):
        self.assertTrue(self.org["hub"]["role_arn"].startswith("arn:aws-cn:iam::111111111111:role/"))
        self.assertEqual(self.shop["member_role_arn"], "arn:aws-cn:iam::222222222222:role/security/RescindRemediation")
        self.assertTrue(self.shop["arn"].startswith("arn:aws-cn:organizations::"))
        role = self.role()
        credentials = self.assume_member_role()
        identity = self.client(credentials, "sts").get_caller_identity()
        self.assertTrue(identity["Arn"].startswith("arn:aws-cn:sts::222222222222:assumed-role/"))
        iam = self.client(credentials, "iam")
        self.assertEqual(iam.get_role(RoleName="AppRole")["Role"]["Arn"], role["arn"])
        organizations = self.client(self.org["hub"], "organizations")
        self.assertTrue(organizations.list_roots()["Roots"][0]["Arn"].startswith("arn:aws-cn:"))


class ArnsNameThePartition:
    def test_arns_name_the_partition(self):
        role = self.role()
        iam = self.client(self.assume_member_role(), "iam")
        self.assertEqual(role["arn"], f"arn:{self.ORGANIZATION['partition']}:iam::222222222222:role/AppRole")
        self.assertEqual(iam.get_role(RoleName="AppRole")["Role"]["Arn"], role["arn"])


class GovCloud(ArnsNameThePartition, EmulatorTestCase):
    REGIONS = ["us-gov-west-1"]
    ORGANIZATION = {"partition": "aws-us-gov"}


class EuropeanSovereignCloud(ArnsNameThePartition, EmulatorTestCase):
    REGIONS = ["eusc-de-east-1"]
    ORGANIZATION = {"partition": "aws-eusc"}
