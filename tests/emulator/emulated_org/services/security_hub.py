"""AWS Security Hub's BatchImportFindings: each finding is taken or not by itself, under status 200."""
import json
from typing import Mapping, Optional, Tuple

from ..enforcement import Principal
from ..errors import AwsError, NotEmulated
from ..protocol.answers import Answer, json_answer
from ..protocol.calls import Call
from ..state.world import World

BATCH_LIMIT = 100
MAX_BYTES = 240 * 1024
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

    def handle(self, call: Call, principal: Principal) -> Answer:
        if call.operation != "BatchImportFindings":
            raise NotEmulated(f"securityhub:{call.operation}")
        account, region = principal.account, call.region
        if not self._imports.is_enabled(account, region):
            message = f"Account {account} is not subscribed to AWS Security Hub"
            raise AwsError("InvalidAccessException", message, 401)
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
