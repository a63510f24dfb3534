"""Which instances run with a role: instance profiles, and DescribeInstances."""
from emulated_org.client import EmulatorError

from .support import EmulatorTestCase

REGION = "eu-central-1"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "iam:ListInstanceProfilesForRole",
            "Resource": "arn:aws:iam::222222222222:role/app/*",
        },
        {"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"},
    ],
}


class InstanceTestCase(EmulatorTestCase):
    ORGANIZATION = {"member_policy": POLICY}

    def setUp(self) -> None:
        super().setUp()
        self.role(path="/app/")
        self.profile = "arn:aws:iam::222222222222:instance-profile/app/AppRole"
        self.ec2 = self.client(self.assume_member_role(), "ec2", REGION)

    def instance(self, **fields) -> str:
        if "instance_profile_arn" not in fields:
            fields.setdefault("role", "AppRole")
        return self.emulator.instance(**{"account": self.shop["id"], "region": REGION, **fields})

    def described(self, **parameters) -> list:
        reservations = self.ec2.describe_instances(**parameters)["Reservations"]
        return [instance for reservation in reservations for instance in reservation["Instances"]]

    def ids(self, **parameters) -> list:
        return [instance["InstanceId"] for instance in self.described(**parameters)]


class Profiles(InstanceTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.iam = self.client(self.assume_member_role(), "iam")

    def test_the_profiles_of_a_role(self):
        listed = self.iam.list_instance_profiles_for_role(RoleName="approle")
        self.assertFalse(listed["IsTruncated"])
        (profile,) = listed["InstanceProfiles"]
        self.assertEqual((profile["Arn"], profile["InstanceProfileName"]), (self.profile, "AppRole"))
        self.assertTrue(profile["InstanceProfileId"].startswith("AIPA"))
        self.assertEqual([role["RoleName"] for role in profile["Roles"]], ["AppRole"])
        self.role("Lambda", path="/app/", instance_profile=False)
        self.assertEqual(self.iam.list_instance_profiles_for_role(RoleName="Lambda")["InstanceProfiles"], [])

    def test_they_come_in_pages(self):
        operator = self.client(self.shop, "iam")
        for name in ("second", "third"):
            operator.create_instance_profile(InstanceProfileName=name)
            operator.add_role_to_instance_profile(InstanceProfileName=name, RoleName="AppRole")
        first = self.iam.list_instance_profiles_for_role(RoleName="AppRole", MaxItems=2)
        self.assertEqual((len(first["InstanceProfiles"]), first["IsTruncated"]), (2, True))
        rest = self.iam.list_instance_profiles_for_role(RoleName="AppRole", Marker=first["Marker"])
        self.assertEqual([profile["InstanceProfileName"] for profile in rest["InstanceProfiles"]], ["third"])
        self.assertNotIn("Marker", rest)

    def test_they_are_enforced_on_the_role(self):
        self.role("Outside")
        self.assertAwsError("AccessDenied", self.iam.list_instance_profiles_for_role, RoleName="Outside")


class Described(InstanceTestCase):
    def test_an_instance_is_what_was_asked_for(self):
        id = self.instance(name="web-1", auto_scaling_group="web & more", vpc_id="vpc-0aa")
        (instance,) = self.described()
        self.assertEqual(instance["InstanceId"], id)
        self.assertEqual(instance["State"], {"Code": 16, "Name": "running"})
        self.assertEqual((instance["VpcId"], instance["Placement"]["AvailabilityZone"]), ("vpc-0aa", f"{REGION}a"))
        self.assertEqual(instance["IamInstanceProfile"]["Arn"], self.profile)
        tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
        self.assertEqual(tags, {"Name": "web-1", "aws:autoscaling:groupName": "web & more"})
        self.assertEqual(self.ec2.describe_instances()["Reservations"][0]["OwnerId"], self.shop["id"])

    def test_filters(self):
        running, stopped = self.instance(), self.instance(state="stopped")
        other = self.instance(instance_profile_arn="arn:aws:iam::222222222222:instance-profile/Gone")
        cases = [
            ([("iam-instance-profile.arn", [self.profile])], [running, stopped]),
            ([("iam-instance-profile.arn", ["*/Gone"])], [other]),
            ([("instance-state-name", ["running", "pending"])], [running, other]),
            ([("iam-instance-profile.arn", [self.profile]), ("instance-state-name", ["stopped"])], [stopped]),
            ([("instance-id", [other, "i-00000000"])], [other]),
        ]
        for filters, expected in cases:
            with self.subTest(filters=filters):
                found = self.ids(Filters=[{"Name": name, "Values": values} for name, values in filters])
                self.assertEqual(found, expected)
        unknown = [{"Name": "architecture", "Values": ["arm64"]}]
        self.assertAwsError("EmulatorNotImplemented", self.ec2.describe_instances, Filters=unknown)

    def test_ids(self):
        first, _ = self.instance(), self.instance()
        self.assertEqual(self.ids(InstanceIds=[first]), [first])
        missing = {"InstanceIds": [first, "i-00000000"]}
        self.assertAwsError("InvalidInstanceID.NotFound", self.ec2.describe_instances, **missing)
        self.assertAwsError("InvalidInstanceID.Malformed", self.ec2.describe_instances, InstanceIds=["web"])

    def test_pages(self):
        created = [self.instance() for _ in range(12)]
        pages = list(self.ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
        self.assertEqual([len(page["Reservations"]) for page in pages], [5, 5, 2])
        found = [item["Instances"][0]["InstanceId"] for page in pages for item in page["Reservations"]]
        self.assertEqual(found, created)
        self.assertAwsError("InvalidParameterValue", self.ec2.describe_instances, MaxResults=4)

    def test_other_regions_and_accounts_see_nothing(self):
        self.instance()
        self.assertEqual(self.client(self.assume_member_role(), "ec2", "us-east-1").describe_instances()["Reservations"], [])
        other = self.client(self.org["accounts"]["playground"], "ec2", REGION)
        self.assertEqual(other.describe_instances()["Reservations"], [])

    def test_the_same_id_again_replaces_the_instance(self):
        id = self.instance()
        self.instance(instance_id=id, state="terminated")
        self.assertEqual([instance["State"]["Name"] for instance in self.described()], ["terminated"])

    def test_it_is_enforced(self):
        self.role("Nothing", policy=None)
        thief = self.client(self.session("Nothing"), "ec2", REGION)
        self.assertAwsError("UnauthorizedOperation", thief.describe_instances)

    def test_bad_requests_for_instances(self):
        for fields, message in [
            ({"role": "Missing"}, "no instance profile Missing"),
            ({"state": "asleep"}, "state is one of"),
            ({"role": "AppRole", "instance_profile_arn": self.profile}, "either a role"),
        ]:
            with self.subTest(fields=fields), self.assertRaisesRegex(EmulatorError, f"400 .*{message}"):
                self.instance(**fields)
