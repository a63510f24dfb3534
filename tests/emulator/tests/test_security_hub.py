"""Security Hub: what whoever imports findings sees, and what arrives."""
from .support import EmulatorTestCase

REGION = "eu-central-1"
SECURITY = "111111111111"


def finding(number: int = 1, **changes) -> dict:
    usual = {
        "SchemaVersion": "2018-10-08",
        "Id": f"finding-{number}",
        "ProductArn": f"arn:aws:securityhub:{REGION}:{SECURITY}:product/{SECURITY}/default",
        "GeneratorId": "test",
        "AwsAccountId": SECURITY,
        "CreatedAt": "2026-01-02T03:04:05Z",
        "UpdatedAt": "2026-01-02T03:04:05Z",
        "Severity": {"Label": "HIGH"},
        "Title": "title",
        "Description": "description",
        "Resources": [{"Type": "AwsIamRole", "Id": "arn:aws:iam::222222222222:role/AppRole"}],
    }
    return {**usual, **changes}


class BatchImportFindings(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.hub = self.client(self.org["accounts"]["security"], "securityhub", REGION)

    def test_it_must_be_enabled(self):
        self.assertAwsError("InvalidAccessException", self.hub.batch_import_findings, Findings=[finding()])

    def test_findings_arrive_and_are_updated(self):
        self.emulator.enable_security_hub(SECURITY, REGION)
        answer = self.hub.batch_import_findings(Findings=[finding(1), finding(2)])
        self.assertEqual((answer["SuccessCount"], answer["FailedCount"]), (2, 0))
        self.hub.batch_import_findings(Findings=[finding(2, Title="other")])
        titles = [one["Title"] for one in self.emulator.imported_findings(SECURITY, REGION)]
        self.assertEqual(titles, ["title", "other"])
        self.assertEqual(self.emulator.imported_findings(SECURITY, "us-east-1"), [])

    def test_each_is_refused_by_itself(self):
        self.emulator.enable_security_hub(SECURITY, REGION)
        other = finding(3, AwsAccountId="222222222222")
        answer = self.hub.batch_import_findings(Findings=[finding(1), finding(2, Title=""), other])
        self.assertEqual([one["Id"] for one in answer["FailedFindings"]], ["finding-2", "finding-3"])
        self.assertEqual({one["ErrorCode"] for one in answer["FailedFindings"]}, {"InvalidInput"})
        self.arm("securityhub", "BatchImportFindings", {"partial": 1})
        answer = self.hub.batch_import_findings(Findings=[finding(4), finding(5)])
        self.assertEqual([one["Id"] for one in answer["FailedFindings"]], ["finding-4"])
        self.assertEqual(answer["FailedFindings"][0]["ErrorCode"], "InternalFailure")

    def test_a_hundred_at_most(self):
        self.emulator.enable_security_hub(SECURITY, REGION)
        many = [finding(number) for number in range(101)]
        self.assertAwsError("InvalidInputException", self.hub.batch_import_findings, Findings=many)
