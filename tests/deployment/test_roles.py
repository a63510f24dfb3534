"""The roles that are deployed have the documents of policies/*.json, and no others."""
import re
import unittest

import yaml

from places import ACCOUNT, DEPLOYERS, DEPLOYMENT, FILLED, HUB_ROLE, TEMPLATES, policy
from template import PARTITIONS, Template

TRUST = {
    "HubRoleArn": HUB_ROLE,
    "ExternalId": FILLED["EXTERNAL_ID"],
    "OrganizationId": FILLED["ORG_ID"],
    "SourceIdentity": FILLED["SOURCE_IDENTITY"],
}


def role(name: str, **parameters) -> dict:
    made = Template((DEPLOYMENT / name).read_text(), **parameters).resources("AWS::IAM::Role")
    (properties,) = made.values()
    return properties


def inline(properties: dict) -> dict:
    return {each["PolicyName"]: each["PolicyDocument"] for each in properties["Policies"]}


class MemberRole(unittest.TestCase):
    def test_it_has_what_roles_need(self):
        properties = role("member-role.yaml", RoleName="Remediation", RolePath="/security/", **TRUST)
        self.assertEqual(properties["AssumeRolePolicyDocument"], policy("member-role-trust.json"))
        self.assertEqual(inline(properties), {"Rescind": policy("member-role-permissions.json")})
        self.assertEqual((properties["RoleName"], properties["Path"]), ("Remediation", "/security/"))
        self.assertEqual(properties["MaxSessionDuration"], 3600)
        self.assertNotIn("ManagedPolicyArns", properties)

    def test_the_policy_that_it_may_attach_is_beside_it(self):
        made = Template((DEPLOYMENT / "member-role.yaml").read_text(), **TRUST).resources("AWS::IAM::ManagedPolicy")
        (quarantine,) = made.values()
        self.assertEqual(quarantine["PolicyDocument"], policy("quarantine.json"))
        name = f"policy{quarantine['Path']}{quarantine['ManagedPolicyName']}"
        both = inline(role("member-role.yaml", UserKeys="true", **TRUST))
        attaching = [
            statement for each in both.values() for statement in each["Statement"]
            if re.search(r"iam:(Attach|Detach)", str(statement.get("Action")))
        ]
        self.assertEqual(len(attaching), 2)
        for statement in attaching:
            self.assertEqual(statement["Condition"], {"ArnEquals": {"iam:PolicyARN": f"arn:*:iam::*:{name}"}})

    def test_its_own_arn_is_denied_under_the_name_that_it_has(self):
        for given, name in [({}, "RescindRemediation"), ({"RoleName": "R", "RolePath": "/a/b/"}, "a/b/R")]:
            statements = inline(role("member-role.yaml", **given, **TRUST))["Rescind"]["Statement"]
            denied = [each["Resource"] for each in statements if each["Effect"] == "Deny"]
            self.assertEqual(denied, [f"arn:*:iam::*:role/{name}"])

    def test_a_permissions_boundary_is_of_the_same_account(self):
        self.assertNotIn("PermissionsBoundary", role("member-role.yaml", **TRUST))
        bounded = role("member-role.yaml", PermissionsBoundary="limits/Rescind", **TRUST)
        self.assertEqual(bounded["PermissionsBoundary"], f"arn:aws:iam::{ACCOUNT}:policy/limits/Rescind")

    def test_with_user_keys_it_has_what_users_need(self):
        properties = role("member-role.yaml", UserKeys="true", RoleName="Remediation", RolePath="/security/", **TRUST)
        self.assertEqual(
            inline(properties),
            {"Rescind": policy("member-role-permissions.json"), "RescindUsers": policy("member-role-users.json")},
        )
        self.assertEqual((properties["RoleName"], properties["Path"]), ("Remediation", "/security/"))

    def test_where_users_are_only_contained_it_writes_none_of_their_policies(self):
        self.assertEqual(
            inline(role("member-role.yaml", UserKeys="contain", RoleName="Remediation", RolePath="/security/", **TRUST)),
            {"Rescind": policy("member-role-permissions.json"),
             "RescindUsers": policy("member-role-users-contain.json")},
        )

    def test_one_that_only_contains_writes_no_policy_whatever_else_is_asked_for(self):
        for users in ["false", "contain", "true"]:
            given = {"ContainOnly": "true", "UserKeys": users, "RoleName": "Remediation", "RolePath": "/security/"}
            properties = role("member-role.yaml", **given, **TRUST)
            self.assertEqual(inline(properties), {"Rescind": policy("member-role-contain-only.json")})
            self.assertEqual(properties["AssumeRolePolicyDocument"], policy("member-role-trust.json"))

    def test_the_external_id_is_not_shown(self):
        for name in ["member-role.yaml", "member-role-stackset.yaml", "drill-role.yaml"]:
            about = Template((DEPLOYMENT / name).read_text(), **of_all(name)).raw
            self.assertIs(about["Parameters"]["ExternalId"]["NoEcho"], True)
            self.assertNotIn("ExternalId", str(about["Outputs"]))

    def test_the_hub_has_no_default_and_cannot_be_everybody(self):
        about = yaml.safe_load((DEPLOYMENT / "member-role.yaml").read_text().split("\nConditions:")[0])
        hub = about["Parameters"]["HubRoleArn"]
        self.assertNotIn("Default", hub)
        for everybody in ["*", "arn:aws:iam::111122223333:root", "arn:aws:iam::*:role/RescindHub"]:
            self.assertNotRegex(everybody, hub["AllowedPattern"])
        self.assertRegex(HUB_ROLE, hub["AllowedPattern"])


def of_all(name: str) -> dict:
    return TRUST | ({"OrganizationalUnitIds": ["r-root"]} if "stackset" in name else {})


class StackSet(unittest.TestCase):
    def setUp(self):
        text = (DEPLOYMENT / "member-role-stackset.yaml").read_text()
        given = TRUST | {"OrganizationalUnitIds": ["r-root"], "UserKeys": "true", "RoleName": "Remediation"}
        self.template = Template(text, **given)
        self.properties = self.template.properties("StackSet")

    def test_it_deploys_member_role_yaml(self):
        self.assertEqual(self.properties["TemplateBody"], (DEPLOYMENT / "member-role.yaml").read_text())
        self.assertLess(len(self.properties["TemplateBody"].encode()), 51_200)

    def test_it_hands_every_parameter_on(self):
        inner = yaml.safe_load(self.properties["TemplateBody"].split("\nConditions:")[0])["Parameters"]
        handed = {each["ParameterKey"]: each["ParameterValue"] for each in self.properties["Parameters"]}
        self.assertEqual(set(handed), set(inner))
        self.assertEqual(handed, {name: self.template.parameters[name] for name in inner})
        outer = self.template.raw["Parameters"]
        for name, about in inner.items():
            for key in ["Default", "AllowedPattern", "AllowedValues", "NoEcho"]:
                self.assertEqual(outer[name].get(key), about.get(key), f"{name}: {key}")

    def test_new_accounts_get_it_and_leaving_ones_lose_it(self):
        self.assertEqual(self.properties["PermissionModel"], "SERVICE_MANAGED")
        self.assertEqual(
            self.properties["AutoDeployment"], {"Enabled": True, "RetainStacksOnAccountRemoval": False}
        )
        (group,) = self.properties["StackInstancesGroup"]
        self.assertEqual(group["Regions"], ["eu-central-1"])
        self.assertEqual(group["DeploymentTargets"], {"OrganizationalUnitIds": ["r-root"]})

    def test_one_account_that_fails_stops_no_other_in_a_small_organization(self):
        """A percentage is rounded down: a tenth of nine accounts is none."""
        preferences = self.properties["OperationPreferences"]
        self.assertNotIn("FailureTolerancePercentage", preferences)
        self.assertEqual(preferences["FailureToleranceCount"], 10)


class HubRole(unittest.TestCase):
    def test_it_has_its_permissions_and_no_others(self):
        for host in ["ec2", "ecs"]:
            properties = role("hub-role.yaml", Host=host, MemberRole=FILLED["MEMBER_ROLE"])
            self.assertEqual(inline(properties), {"Rescind": policy("hub-role-permissions.json")})

    def test_with_drills_it_enters_that_role_too(self):
        properties = role("hub-role.yaml", MemberRole=FILLED["MEMBER_ROLE"], DrillRole=FILLED["DRILL_ROLE"])
        drill = inline(properties)["RescindDrill"]["Statement"]
        enter = next(s for s in policy("hub-role-permissions.json")["Statement"] if s["Sid"] == "EnterMembers")
        self.assertEqual(drill, [enter | {"Sid": "EnterDrill", "Resource": "arn:*:iam::*:role/Drill"}])

    def test_with_organization_deny_it_writes_control_policies_too(self):
        properties = role("hub-role.yaml", MemberRole=FILLED["MEMBER_ROLE"], OrganizationDeny="true")
        self.assertEqual(
            inline(properties),
            {"Rescind": policy("hub-role-permissions.json"),
             "RescindOrganizationDeny": policy("hub-role-organization-deny.json")},
        )

    def test_it_writes_back_only_what_it_is_asked_to(self):
        for parameter, name, document in [
            ("ArchiveFindings", "RescindArchive", "hub-role-archive.json"),
            ("UpdateSecurityHub", "RescindSecurityHub", "hub-role-security-hub.json"),
        ]:
            properties = role("hub-role.yaml", MemberRole=FILLED["MEMBER_ROLE"], **{parameter: "true"})
            expected = {"Rescind": policy("hub-role-permissions.json"), name: policy(document)}
            self.assertEqual(inline(properties), expected)

    def test_it_keeps_a_log_and_puts_checkpoints_only_where_it_is_given_where(self):
        for given, name, document in [
            ({"LogTable": FILLED["LOG_TABLE"]}, "RescindLog", "hub-role-log.json"),
            ({"SigningKeyArn": FILLED["SIGNING_KEY_ARN"]}, "RescindKms", "hub-role-kms.json"),
            ({"WitnessBucket": FILLED["WITNESS_BUCKET"]}, "RescindWitness", "hub-role-witness.json"),
        ]:
            properties = role("hub-role.yaml", MemberRole=FILLED["MEMBER_ROLE"], **given)
            expected = {"Rescind": policy("hub-role-permissions.json"), name: policy(document)}
            self.assertEqual(inline(properties), expected)

    def test_only_its_host_runs_as_it(self):
        for host, service in [("ec2", "ec2.amazonaws.com"), ("ecs", "ecs-tasks.amazonaws.com")]:
            (statement,) = role("hub-role.yaml", Host=host)["AssumeRolePolicyDocument"]["Statement"]
            self.assertEqual(statement["Principal"], {"Service": service})
            self.assertEqual(statement["Action"], "sts:AssumeRole")
            self.assertEqual("Condition" in statement, host == "ecs")

    def test_the_instances_service_has_the_partitions_suffix_in_china_only(self):
        text = (DEPLOYMENT / "hub-role.yaml").read_text()
        for partition in PARTITIONS:
            trust = Template(text, partition=partition).properties("Role")["AssumeRolePolicyDocument"]
            service = "ec2.amazonaws.com.cn" if partition == "aws-cn" else "ec2.amazonaws.com"
            self.assertEqual(trust["Statement"][0]["Principal"], {"Service": service}, partition)

    def test_only_an_instance_needs_a_profile(self):
        for host, profiles in [("ec2", 1), ("ecs", 0)]:
            template = Template((DEPLOYMENT / "hub-role.yaml").read_text(), Host=host)
            self.assertEqual(len(template.resources("AWS::IAM::InstanceProfile")), profiles)


class Boundary(unittest.TestCase):
    def test_every_role_of_the_kit_takes_a_permissions_boundary(self):
        """An organization that asks for one on each role could deploy none of these otherwise."""
        bounded = set()
        for template in TEMPLATES:
            text = template.read_text()
            for name, made in Template.of(text).resources("AWS::IAM::Role").items():
                given = Template.of(text, PermissionsBoundary="limits/Rescind", partition="aws-cn").properties(name)
                wanted = f"arn:aws-cn:iam::{ACCOUNT}:policy/limits/Rescind"
                self.assertEqual(given.get("PermissionsBoundary"), wanted, f"{template.name}: {name}")
                self.assertNotIn("PermissionsBoundary", made)
                bounded.add(template.name)
        self.assertLessEqual({"hub-role.yaml", "member-role.yaml", "drill-role.yaml", "feed-region.yaml"}, bounded)


class Others(unittest.TestCase):
    def test_the_role_for_drills_can_only_look_at_itself(self):
        properties = role("drill-role.yaml", DrillRole=FILLED["DRILL_ROLE"], **TRUST)
        self.assertEqual(properties["AssumeRolePolicyDocument"], policy("member-role-trust.json"))
        self.assertEqual(inline(properties), {"Rescind": policy("drill-role-permissions.json")})

    def test_the_delegation_is_the_document_in_each_partition(self):
        text = (DEPLOYMENT / "organization-deny-delegation.yaml").read_text()
        given = {"HubAccount": ACCOUNT, "HubRoleArn": HUB_ROLE, "OrganizationId": FILLED["ORG_ID"]}
        (made,) = Template(text, **given).resources("AWS::Organizations::ResourcePolicy").values()
        self.assertEqual(made["Content"], policy("organization-deny-delegation.json"))
        china = Template(text, partition="aws-cn", **given).properties("Delegation")["Content"]
        self.assertEqual(china["Statement"][0]["Principal"], {"AWS": f"arn:aws-cn:iam::{ACCOUNT}:root"})
        for everybody in ["*", f"arn:aws:iam::{ACCOUNT}:root", "arn:aws:iam::*:role/RescindHub"]:
            self.assertNotRegex(everybody, Template(text, **given).raw["Parameters"]["HubRoleArn"]["AllowedPattern"])

    def test_the_delegation_lets_the_hub_do_what_its_role_may_and_no_more(self):
        def actions(name: str) -> set:
            of_each = [statement["Action"] for statement in policy(name)["Statement"]]
            return {action for each in of_each for action in ([each] if isinstance(each, str) else each)}

        delegated = actions("organization-deny-delegation.json")
        hub = actions("hub-role-organization-deny.json") | actions("hub-role-permissions.json")
        self.assertEqual(delegated - hub, set())
        # Which is what a delegated administrator may always do.
        read = {"organizations:DescribeResourcePolicy"}
        self.assertEqual(actions("hub-role-organization-deny.json") - delegated, read)

    def test_the_delegation_cannot_touch_the_seal_and_the_guard(self):
        write = policy("organization-deny-delegation.json")["Statement"][1]
        (key,) = write["Condition"]["Null"]
        for name in ["seal", "guard"]:
            text = (DEPLOYMENT / f"organization-{name}.yaml").read_text()
            given = {"Deployers": DEPLOYERS, "TargetIds": ["r-root"]}
            (made,) = Template(text, **given).resources("AWS::Organizations::Policy").values()
            self.assertEqual([f"aws:ResourceTag/{tag['Key']}" for tag in made["Tags"]], [key])

    def test_the_seal_and_the_guard_are_those_that_are_printed(self):
        given = {"MemberRole": FILLED["MEMBER_ROLE"], "Deployers": DEPLOYERS, "TargetIds": ["r-root"]}
        for name in ["seal", "guard"]:
            text = (DEPLOYMENT / f"organization-{name}.yaml").read_text()
            (made,) = Template(text, **given).resources("AWS::Organizations::Policy").values()
            self.assertEqual(made["Content"], policy(f"organization-{name}.json"))
            self.assertEqual((made["Type"], made["Name"]), ("SERVICE_CONTROL_POLICY", f"rescind-{name}"))


if __name__ == "__main__":
    unittest.main()
