"""AWS Security Hub: BatchImportFindings and BatchUpdateFindings take each finding or not by itself, under status 200."""
import json
from typing import Mapping, Optional, Tuple

from ..enforcement import Principal
from ..errors import AwsError, NotEmulated
from ..protocol.answers import Answer, json_answer
from ..protocol.calls import Call
from ..state.world import World

BATCH_LIMIT = 100
MAX_BYTES = 240 * 1024
NOTE_LIMIT = 512
REQUIRED = (
    "SchemaVersion",
    "Id",
    "ProductArn",
    "GeneratorId",
    "AwsAccountId",
    "CreatedAt",
    "UpdatedAt",
    "Title",
    "Description",
    "Resources",
)


class SecurityHub:
    def __init__(self, world: World) -> None:
        self._directory = world.directory
        self._imports = world.imports
        self._detectors = world.detectors

    def handle(self, call: Call, principal: Principal) -> Answer:
        operations = {"BatchImportFindings": self._import, "BatchUpdateFindings": self._update}
        if call.operation not in operations:
            raise NotEmulated(f"securityhub:{call.operation}")
        account, region = principal.account, call.region
        if not self._imports.is_enabled(account, region):
            message = f"Account {account} is not subscribed to AWS Security Hub"
            raise AwsError("InvalidAccessException", message, 401)
        return operations[call.operation](call, account, region)

    def _update(self, call: Call, account: str, region: str) -> Answer:
        """GuardDuty's findings are there as soon as its detector has them."""
        body = call.json_body()
        named = body.get("FindingIdentifiers")
        if not isinstance(named, list) or not 1 <= len(named) <= BATCH_LIMIT:
            raise AwsError("InvalidInputException", f"FindingIdentifiers must have 1 to {BATCH_LIMIT} members.")
        update = {name: body[name] for name in ("Note", "Workflow") if name in body}
        if not update:
            raise AwsError("InvalidInputException", "At least one field to update is required.")
        text = (update.get("Note") or {}).get("Text", "-")
        if not 1 <= len(text) <= NOTE_LIMIT:
            raise AwsError("InvalidInputException", f"Note.Text must have 1 to {NOTE_LIMIT} characters.")
        detector = self._detectors.find(account, region)
        product = f"arn:{self._directory.partition}:securityhub:{region}::product/aws/guardduty"
        known = {finding.get("arn") for finding in detector.findings.values()} if detector else set()
        processed, unprocessed = [], []
        for number, one in enumerate(named):
            if number < call.failing_entries:
                why = ("InternalFailure", "injected by a fault")
            elif one.get("Id") not in known or one.get("ProductArn") != product:
                why = ("FindingNotFound", "The finding was not found.")
            else:
                processed.append(one)
                self._imports.update(account, region, one["Id"], update)
                continue
            unprocessed.append({"FindingIdentifier": one, "ErrorCode": why[0], "ErrorMessage": why[1]})
        return json_answer(call, {"ProcessedFindings": processed, "UnprocessedFindings": unprocessed})

    def _import(self, call: Call, account: str, region: str) -> Answer:
        findings = call.json_body().get("Findings")
        if not isinstance(findings, list) or not 1 <= len(findings) <= BATCH_LIMIT:
            raise AwsError("InvalidInputException", f"Findings must have 1 to {BATCH_LIMIT} members.")
        failed = []
        for number, finding in enumerate(findings):
            refusal = self._refusal(finding, account, region)
            if number < call.failing_entries:
                refusal = ("InternalFailure", "injected by a fault")
            if refusal:
                named = finding.get("Id", "") if isinstance(finding, dict) else ""
                failed.append({"Id": named, "ErrorCode": refusal[0], "ErrorMessage": refusal[1]})
            else:
                self._imports.put(account, region, finding)
        taken = len(findings) - len(failed)
        return json_answer(call, {"FailedCount": len(failed), "SuccessCount": taken, "FailedFindings": failed})

    def _refusal(self, finding: Mapping, account: str, region: str) -> Optional[Tuple[str, str]]:
        if not isinstance(finding, dict):
            return "InvalidInput", "a finding is not a structure"
        missing = [name for name in REQUIRED if not finding.get(name)]
        if missing:
            return "InvalidInput", f"Finding does not adhere to Amazon Finding Format: {missing[0]} is missing."
        if len(json.dumps(finding)) > MAX_BYTES:
            return "InvalidInput", "The finding is larger than 240 KB."
        product = f"arn:{self._directory.partition}:securityhub:{region}:{account}:product/{account}/default"
        if finding["ProductArn"] != product or finding["AwsAccountId"] != account:
            return "InvalidInput", "The product is not one that this account may import findings for here."
        return None
