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


class BatchUpdateFindings(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.hub = self.client(self.org["accounts"]["security"], "securityhub", REGION)

    def update(self, arn: str, **what) -> dict:
        product = f"arn:aws:securityhub:{REGION}::product/aws/guardduty"
        return self.hub.batch_update_findings(FindingIdentifiers=[{"Id": arn, "ProductArn": product}], **what)

    def test_a_finding_of_guardduty_gets_a_note_and_a_status(self):
        note = {"Text": "done", "UpdatedBy": "somebody"}
        self.assertAwsError("InvalidAccessException", self.update, "arn", Note=note)
        self.emulator.enable_security_hub(SECURITY, REGION)
        self.assertEqual(self.update("arn", Note=note)["UnprocessedFindings"][0]["ErrorCode"], "FindingNotFound")
        self.assertAwsError("InvalidInputException", self.update, "arn", Note={**note, "Text": "x" * 513})
        finding = {"type": "Recon:IAMUser/TorIPCaller", "accountId": "222222222222"}
        answer = self.emulator.findings(account=SECURITY, region=REGION, findings=[finding])
        guardduty = self.client(self.org["accounts"]["security"], "guardduty", REGION)
        (found,) = guardduty.get_findings(DetectorId=answer["detector_id"], FindingIds=answer["finding_ids"])["Findings"]
        self.assertEqual(self.update(found["Arn"], Note=note)["UnprocessedFindings"], [])
        self.update(found["Arn"], Workflow={"Status": "RESOLVED"})
        updates = self.emulator.security_hub_updates(SECURITY, REGION)
        self.assertEqual(updates, {found["Arn"]: {"Note": note, "Workflow": {"Status": "RESOLVED"}}})
