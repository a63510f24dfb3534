"""Managed policies, boundaries and new entities through IAM's own calls."""
import json

from .support import EmulatorTestCase

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:role/AppRole"}, "Action": "sts:AssumeRole"}
    ],
}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def document(effect: str, action, resource="*", **fields) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **fields}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class ManagedPolicyTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.role()
        self.operator = self.client(self.shop, "iam")
        self.thief = self.client(self.session(), "iam")

    def policy(self, name: str, text: str = document("Deny", "iam:ListUsers"), **fields) -> str:
        return self.operator.create_policy(PolicyName=name, PolicyDocument=text, **fields)["Policy"]["Arn"]

    def fails(self, code: str, status: int, call, **parameters) -> None:
        error = self.assertAwsError(code, call, **parameters)
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], status)


class ManagedPolicies(ManagedPolicyTestCase):
    def test_versions_count_when_they_are_the_default(self):
        arn = self.policy("seal", document("Deny", "iam:ListUsers"), Path="/rescind/")
        self.assertEqual(arn, "arn:aws:iam::222222222222:policy/rescind/seal")
        self.operator.attach_role_policy(RoleName="AppRole", PolicyArn=arn)
        self.fails("AccessDenied", 403, self.thief.list_users)
        other = document("Deny", "iam:ListRoles")
        self.operator.create_policy_version(PolicyArn=arn, PolicyDocument=other)
        self.fails("AccessDenied", 403, self.thief.list_users)
        self.operator.set_default_policy_version(PolicyArn=arn, VersionId="v2")
        self.thief.list_users()
        self.fails("AccessDenied", 403, self.thief.list_roles)
        self.fails("DeleteConflict", 409, self.operator.delete_policy_version, PolicyArn=arn, VersionId="v2")
        self.operator.create_policy_version(PolicyArn=arn, PolicyDocument=document("Deny", "iam:ListUsers"), SetAsDefault=True)
        self.thief.list_roles()
        for _ in range(2):
            self.operator.create_policy_version(PolicyArn=arn, PolicyDocument=other)
        sixth = {"PolicyArn": arn, "PolicyDocument": other}
        self.fails("LimitExceeded", 409, self.operator.create_policy_version, **sixth)
        self.operator.delete_policy_version(PolicyArn=arn, VersionId="v1")
        versions = self.operator.list_policy_versions(PolicyArn=arn)["Versions"]
        self.assertEqual([one["VersionId"] for one in versions], ["v2", "v3", "v4", "v5"])
        self.assertEqual(self.operator.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"], "v3")

    def test_what_is_attached_is_listed_and_can_be_detached(self):
        self.operator.create_user(UserName="ci")
        for kind in ("role", "user"):
            with self.subTest(kind=kind):
                arn = self.policy(f"for-{kind}")
                of = {"RoleName": "AppRole"} if kind == "role" else {"UserName": "ci"}
                attach, detach, listed = (
                    getattr(self.operator, name)
                    for name in (f"attach_{kind}_policy", f"detach_{kind}_policy", f"list_attached_{kind}_policies")
                )
                self.fails("NoSuchEntity", 404, attach, PolicyArn=arn + "x", **of)
                self.fails("NoSuchEntity", 404, detach, PolicyArn=arn, **of)
                attach(PolicyArn=arn, **of)
                attach(PolicyArn=arn, **of)
                self.assertEqual([one["PolicyArn"] for one in listed(**of)["AttachedPolicies"]], [arn])
                self.assertEqual(self.operator.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"], 1)
                detach(PolicyArn=arn, **of)
                self.assertEqual(listed(**of)["AttachedPolicies"], [])
        names = self.operator.list_role_policies(RoleName="AppRole")["PolicyNames"]
        self.assertEqual(names, ["permissions"])

    def test_the_quota_of_attachments(self):
        arns = [self.policy(f"number-{number}") for number in range(11)]
        for arn in arns[:10]:
            self.operator.attach_role_policy(RoleName="AppRole", PolicyArn=arn)
        eleventh = {"RoleName": "AppRole", "PolicyArn": arns[10]}
        self.fails("LimitExceeded", 409, self.operator.attach_role_policy, **eleventh)
        self.operator.attach_role_policy(RoleName="AppRole", PolicyArn=arns[0])
        self.emulator.switch(attached_policies_quota=11)
        self.operator.attach_role_policy(**eleventh)

    def test_what_is_attached_is_not_deleted(self):
        arn = self.policy("seal")
        self.operator.attach_role_policy(RoleName="AppRole", PolicyArn=arn)
        self.fails("DeleteConflict", 409, self.operator.delete_policy, PolicyArn=arn)
        profile = {"InstanceProfileName": "AppRole", "RoleName": "AppRole"}
        self.operator.remove_role_from_instance_profile(**profile)
        self.operator.delete_role_policy(RoleName="AppRole", PolicyName="permissions")
        self.fails("DeleteConflict", 409, self.operator.delete_role, RoleName="AppRole")
        self.operator.detach_role_policy(RoleName="AppRole", PolicyArn=arn)
        self.operator.create_user(UserName="ci")
        self.operator.attach_user_policy(UserName="ci", PolicyArn=arn)
        self.fails("DeleteConflict", 409, self.operator.delete_user, UserName="ci")
        self.operator.detach_user_policy(UserName="ci", PolicyArn=arn)
        key = self.operator.create_access_key(UserName="ci")["AccessKey"]["AccessKeyId"]
        self.fails("DeleteConflict", 409, self.operator.delete_user, UserName="ci")
        self.operator.delete_access_key(UserName="ci", AccessKeyId=key)
        self.operator.create_policy_version(PolicyArn=arn, PolicyDocument=document("Deny", "*"))
        self.fails("DeleteConflict", 409, self.operator.delete_policy, PolicyArn=arn)
        self.operator.delete_policy_version(PolicyArn=arn, VersionId="v2")
        self.operator.delete_policy(PolicyArn=arn)
        self.operator.delete_user(UserName="ci")
        self.operator.delete_role(RoleName="AppRole")
        self.fails("NoSuchEntity", 404, self.operator.delete_policy, PolicyArn=arn)

    def test_documents_are_checked(self):
        wrong = {"PolicyName": "wrong", "PolicyDocument": document("Deny", "*", Principal="*")}
        self.fails("MalformedPolicyDocument", 400, self.operator.create_policy, **wrong)
        large = {"PolicyName": "large", "PolicyDocument": document("Deny", ["iam:" + "x" * 100] * 60)}
        self.fails("LimitExceeded", 409, self.operator.create_policy, **large)

    def test_aws_policies_cannot_be_changed(self):
        change = {"PolicyArn": ADMINISTRATOR, "PolicyDocument": document("Deny", "*")}
        self.fails("AccessDenied", 403, self.operator.create_policy_version, **change)


class Authorization(ManagedPolicyTestCase):
    """What policies can limit these operations by."""

    def setUp(self) -> None:
        super().setUp()
        self.seal = self.policy("seal", document("Deny", "s3:*"), Path="/rescind/")
        self.other = self.policy("other", document("Deny", "s3:*"))
        self.mine = "arn:aws:iam::222222222222:role/AppRole"

    def grant(self, *documents: str) -> None:
        statements = [statement for one in documents for statement in json.loads(one)["Statement"]]
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.operator.put_role_policy(RoleName="AppRole", PolicyName="permissions", PolicyDocument=text)

    def test_attachments_act_on_the_role_and_can_be_limited_to_a_policy(self):
        condition = {"ArnEquals": {"iam:PolicyARN": self.seal}}
        self.grant(document("Allow", ["iam:AttachRolePolicy", "iam:DetachRolePolicy"], self.mine, Condition=condition))
        self.thief.attach_role_policy(RoleName="AppRole", PolicyArn=self.seal)
        self.fails("AccessDenied", 403, self.thief.attach_role_policy, RoleName="AppRole", PolicyArn=self.other)
        self.role("Other")
        self.fails("AccessDenied", 403, self.thief.attach_role_policy, RoleName="Other", PolicyArn=self.seal)
        self.operator.attach_role_policy(RoleName="AppRole", PolicyArn=self.other)
        self.fails("AccessDenied", 403, self.thief.detach_role_policy, RoleName="AppRole", PolicyArn=self.other)
        self.thief.detach_role_policy(RoleName="AppRole", PolicyArn=self.seal)

    def test_operations_on_policies_act_on_the_policy(self):
        self.grant(
            document("Allow", "iam:*"),
            document("Deny", ["iam:*Policy*"], "arn:aws:iam::*:policy/rescind/*"),
        )
        version = {"PolicyDocument": document("Allow", "*")}
        self.fails("AccessDenied", 403, self.thief.create_policy_version, PolicyArn=self.seal, **version)
        self.fails("AccessDenied", 403, self.thief.delete_policy, PolicyArn=self.seal)
        forged = {"PolicyName": "x", "Path": "/rescind/", **version}
        self.fails("AccessDenied", 403, self.thief.create_policy, **forged)
        self.thief.create_policy(**{**forged, "Path": "/"})
        self.thief.create_policy_version(PolicyArn=self.other, **version)

    def test_boundaries_and_tags_are_condition_keys(self):
        required = {"StringEquals": {"iam:PermissionsBoundary": self.seal}}
        tagged = {"StringEquals": {"aws:ResourceTag/team": "shop"}}
        self.grant(
            document("Allow", ["iam:CreateRole", "iam:CreateUser", "iam:PutUserPolicy"], Condition=required),
            document("Allow", "iam:DeleteRole", Condition=tagged),
        )
        create = {"RoleName": "New", "AssumeRolePolicyDocument": json.dumps(TRUST)}
        self.fails("AccessDenied", 403, self.thief.create_role, **create)
        self.thief.create_role(PermissionsBoundary=self.seal, **create)
        self.fails("AccessDenied", 403, self.thief.delete_role, RoleName="New")
        self.operator.tag_role(RoleName="New", Tags=[{"Key": "team", "Value": "shop"}])
        self.thief.delete_role(RoleName="New")
        self.fails("AccessDenied", 403, self.thief.create_user, UserName="new")
        self.thief.create_user(UserName="new", PermissionsBoundary=self.seal)
        put = {"UserName": "new", "PolicyName": "x", "PolicyDocument": document("Allow", "*")}
        self.thief.put_user_policy(**put)
        self.operator.delete_user_permissions_boundary(UserName="new")
        self.fails("AccessDenied", 403, self.thief.put_user_policy, **put)


class Offspring(ManagedPolicyTestCase):
    def test_a_role_is_made_and_assumed(self):
        role = self.thief.create_role(RoleName="Made", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
        self.thief.attach_role_policy(RoleName="Made", PolicyArn=ADMINISTRATOR)
        sts = self.client(self.session(), "sts")
        assumed = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="thief")["Credentials"]
        made = {"access_key_id": assumed["AccessKeyId"], "secret_access_key": assumed["SecretAccessKey"],
                "session_token": assumed["SessionToken"]}
        self.client(made, "iam").list_users()
        nobody = json.dumps(TRUST).replace("AppRole", "Nobody")
        self.operator.update_assume_role_policy(RoleName="Made", PolicyDocument=nobody)
        self.fails("AccessDenied", 403, sts.assume_role, RoleArn=role["Arn"], RoleSessionName="thief")

    def test_a_user_is_made_and_its_boundary_counts(self):
        made = self.thief.create_user(UserName="made", Path="/team/")["User"]
        self.assertRegex(made["UserId"], r"^AIDA[A-Z2-7]{17}$")
        self.assertEqual(made["Arn"], "arn:aws:iam::222222222222:user/team/made")
        self.thief.attach_user_policy(UserName="made", PolicyArn=ADMINISTRATOR)
        key = self.thief.create_access_key(UserName="made")["AccessKey"]
        iam = self.client({"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}, "iam")
        iam.list_users()
        second = iam.create_access_key()["AccessKey"]
        self.assertEqual(second["UserName"], "made")
        iam.delete_access_key(AccessKeyId=second["AccessKeyId"])
        missing = "arn:aws:iam::222222222222:policy/missing"
        boundary = self.operator.put_user_permissions_boundary
        self.fails("NoSuchEntity", 404, boundary, UserName="made", PermissionsBoundary=missing)
        boundary(UserName="made", PermissionsBoundary="arn:aws:iam::aws:policy/AWSDenyAll")
        self.fails("AccessDenied", 403, iam.list_users)
        shown = self.operator.get_user(UserName="made")["User"]["PermissionsBoundary"]
        self.assertEqual(shown["PermissionsBoundaryArn"], "arn:aws:iam::aws:policy/AWSDenyAll")
        self.operator.delete_user_permissions_boundary(UserName="made")
        iam.list_users()
        self.fails("NoSuchEntity", 404, self.operator.delete_user_permissions_boundary, UserName="made")
