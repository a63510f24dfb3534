"""AWS Account Management: the list of regions, and what a disabled region refuses."""
from emulated_org.client import EmulatorError

from .support import ALLOW_EVERYTHING, EmulatorTestCase

DISABLED = "ap-east-1"
ENABLED = "af-south-1"


class Regions(EmulatorTestCase):
    ORGANIZATION = {"disabled_regions": [DISABLED], "enabled_regions": [ENABLED]}

    def setUp(self) -> None:
        super().setUp()
        self.security = self.org["accounts"]["security"]
        self.account = self.client(self.security, "account", "us-east-1")

    def regions(self, **parameters) -> dict:
        listed = self.account.list_regions(**parameters)["Regions"]
        return {region["RegionName"]: region["RegionOptStatus"] for region in listed}

    def test_all_and_by_state(self):
        default = dict.fromkeys(self.REGIONS, "ENABLED_BY_DEFAULT")
        self.assertEqual(self.regions(), {**default, ENABLED: "ENABLED", DISABLED: "DISABLED"})
        enabled = ["ENABLED", "ENABLED_BY_DEFAULT"]
        self.assertEqual(self.regions(RegionOptStatusContains=enabled), {**default, ENABLED: "ENABLED"})
        self.assertEqual(self.regions(RegionOptStatusContains=["ENABLING"]), {})

    def test_pages(self):
        pages = self.account.get_paginator("list_regions").paginate(PaginationConfig={"PageSize": 1})
        names = [[region["RegionName"] for region in page["Regions"]] for page in pages]
        self.assertEqual(names, [[ENABLED], [DISABLED], ["eu-central-1"], ["us-east-1"]])
        self.assertAwsError("ValidationException", self.account.list_regions, NextToken="?")

    def test_policies_decide(self):
        self.role(policy={"Version": "2012-10-17", "Statement": []})
        account = self.client(self.session(), "account", "us-east-1")
        self.assertAwsError("AccessDeniedException", account.list_regions)
        self.role("Lister", {"Statement": [{"Effect": "Allow", "Action": "account:ListRegions", "Resource": "*"}]})
        self.client(self.session("Lister"), "account", "us-east-1").list_regions()

    def test_a_disabled_region_refuses_all_calls(self):
        guardduty = self.client(self.security, "guardduty", DISABLED)
        error = self.assertAwsError("UnrecognizedClientException", guardduty.list_detectors)
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 403)
        message = "The security token included in the request is invalid."
        self.assertEqual(error.response["Error"]["Message"], message)
        sts = self.client(self.security, "sts", DISABLED)
        self.assertAwsError("InvalidClientTokenId", sts.get_caller_identity)
        sqs = self.client(self.security, "sqs", DISABLED)
        self.assertAwsError("InvalidClientTokenId", sqs.get_queue_url, QueueName="x")

    def test_an_enabled_region_need_not_have_a_detector(self):
        guardduty = self.client(self.security, "guardduty", ENABLED)
        self.assertEqual(guardduty.list_detectors()["DetectorIds"], [])


class RegionsByDefault(EmulatorTestCase):
    def test_they_are_those_with_detectors(self):
        account = self.client(self.shop, "account", "us-east-1")
        listed = account.list_regions()["Regions"]
        self.assertEqual([region["RegionName"] for region in listed], sorted(self.REGIONS))

    def test_a_region_is_not_both_in_use_and_disabled(self):
        self.emulator.reset()
        security = {"name": "security", "delegated_admin": True}
        fields = {"member_policy": ALLOW_EVERYTHING, "accounts": [security], "disabled_regions": ["us-east-1"]}
        with self.assertRaisesRegex(EmulatorError, "disabled"):
            self.emulator.organization(**fields)
