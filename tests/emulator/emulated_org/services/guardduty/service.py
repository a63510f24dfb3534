"""Amazon GuardDuty: detectors, and findings exactly as a test injected them.

Findings are untrusted input to rescind, so the store accepts any JSON object
that has an id, whatever the types of its other fields.
"""
import secrets
from typing import Dict, List, Optional, Tuple

from ...enforcement import Principal
from ...errors import AwsError, NotEmulated
from ...protocol.calls import Answer, Call, json_answer
from ...state.clock import Clock, milliseconds
from ...state.directory import Directory
from ...state.findings import EXFILTRATION, sample_finding
from .criteria import attribute, matching, sort_key

PAGE_LIMIT = 50


def bad_request(reason: str) -> AwsError:
    return AwsError("BadRequestException", f"The request is rejected because {reason}", 400)


class Detector:
    def __init__(self, account: str, region: str) -> None:
        self.id = secrets.token_hex(16)
        self.account = account
        self.region = region
        self.findings: Dict[str, dict] = {}
        self.status = "ENABLED"
        self.frequency = "FIFTEEN_MINUTES"
        # Accounts whose relationship is not Enabled; None for those that are no members.
        self.unusual_members: Dict[str, Optional[str]] = {}
        # Pages are cut from one snapshot: a finding that arrives or changes
        # between two pages must not push another one off them.
        self._pages: Dict[str, Tuple[List[str], int]] = {}

    def next_page(self, ids: List[str], start: int, size: int) -> dict:
        end = start + size
        answer = {"findingIds": ids[start:end], "nextToken": ""}
        if len(ids) > end:
            token = secrets.token_urlsafe(24)
            self._pages[token] = (ids, end)
            answer["nextToken"] = token
        return answer

    def resume(self, token: str) -> Tuple[List[str], int]:
        """The snapshot a token is of, and where its page begins."""
        if token not in self._pages:
            raise bad_request("the parameter nextToken has an invalid value.")
        return self._pages[token]


class GuardDuty:
    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._detectors: Dict[Tuple[str, str], Detector] = {}
        self.administrator: Optional[str] = None

    def reset(self) -> None:
        self._detectors.clear()
        self.administrator = None

    def create_detector(self, account: str, region: str) -> Detector:
        return self._detectors.setdefault((account, region), Detector(account, region))

    def detector(self, account: str, region: str) -> Optional[Detector]:
        return self._detectors.get((account, region))

    def handle(self, call: Call, principal: Principal) -> Answer:
        without_detector = {
            "ListDetectors": self._list_detectors,
            "CreateDetector": self._create_detector,
            "ListOrganizationAdminAccounts": self._list_admin_accounts,
        }
        if call.operation in without_detector:
            return json_answer(without_detector[call.operation](call, principal))
        operations = {
            "GetDetector": self._get_detector,
            "ListMembers": self._list_members,
            "ListFindings": self._list_findings,
            "GetFindings": self._get_findings,
            "ArchiveFindings": self._archive_findings,
            "UnarchiveFindings": self._unarchive_findings,
            "CreateSampleFindings": self._create_sample_findings,
        }
        if call.operation not in operations:
            raise NotEmulated(f"guardduty:{call.operation}")
        detector = self.detector(principal.account, call.region)
        if detector is None or detector.id != call.params["DetectorId"]:
            raise bad_request("the input detectorId is not owned by the current account.")
        body = call.query() if call.method == "GET" else call.json_body()
        return json_answer(operations[call.operation](detector, body))

    def _list_detectors(self, call: Call, principal: Principal) -> dict:
        detector = self.detector(principal.account, call.region)
        return {"detectorIds": [detector.id] if detector else []}

    def _create_detector(self, call: Call, principal: Principal) -> dict:
        if self.detector(principal.account, call.region):
            raise bad_request("a detector already exists for the current account.")
        return {"detectorId": self.create_detector(principal.account, call.region).id}

    def _list_admin_accounts(self, call: Call, principal: Principal) -> dict:
        if principal.account != self._directory.management_id:
            raise bad_request("the current account is not the organization's management account.")
        admins = [{"adminAccountId": self.administrator, "adminStatus": "ENABLED"}] if self.administrator else []
        return {"adminAccounts": admins}

    def _get_detector(self, detector: Detector, body: dict) -> dict:
        role = f"arn:{self._directory.partition}:iam::{detector.account}:role/aws-service-role/guardduty"
        return {"status": detector.status, "findingPublishingFrequency": detector.frequency, "serviceRole": role}

    def _list_members(self, detector: Detector, body: dict) -> dict:
        """The organization's accounts are members of the administrator's detectors, unless a test says otherwise."""
        if detector.account != self.administrator:
            return {"members": []}
        ids = sorted(set(self._directory.account_ids) - {detector.account})
        statuses = {id: detector.unusual_members.get(id, "Enabled") for id in ids}
        members = [
            {
                "accountId": id,
                "masterId": detector.account,
                "administratorId": detector.account,
                "email": f"{id}@example.com",
                "relationshipStatus": status,
                "updatedAt": "2026-01-01T00:00:00.000Z",
            }
            for id, status in statuses.items()
            if status is not None
        ]
        size, start = int(body.get("maxResults") or PAGE_LIMIT), int(body.get("nextToken") or 0)
        if not 1 <= size <= PAGE_LIMIT:
            raise bad_request("an invalid or out-of-range value is specified as an input parameter.")
        answer = {"members": members[start : start + size]}
        if start + size < len(members):
            answer["nextToken"] = str(start + size)
        return answer

    def _list_findings(self, detector: Detector, body: dict) -> dict:
        size = body.get("maxResults") or PAGE_LIMIT
        if not isinstance(size, int) or not 1 <= size <= PAGE_LIMIT:
            raise bad_request("an invalid or out-of-range value is specified as an input parameter.")
        if body.get("nextToken"):
            return detector.next_page(*detector.resume(body["nextToken"]), size)
        criteria = (body.get("findingCriteria") or {}).get("criterion") or {}
        found = matching(detector.findings.values(), criteria)
        order = body.get("sortCriteria") or {}
        name = order.get("attributeName") or "updatedAt"
        found.sort(key=lambda finding: (sort_key(attribute(finding, name)), str(finding["id"])))
        if order.get("orderBy") == "DESC":
            found.reverse()
        return detector.next_page([finding["id"] for finding in found], 0, size)

    def _get_findings(self, detector: Detector, body: dict) -> dict:
        ids = _finding_ids(body)
        return {"findings": [detector.findings[id] for id in ids if id in detector.findings]}

    def _archive_findings(self, detector: Detector, body: dict) -> dict:
        return self._set_archived(detector, body, True)

    def _unarchive_findings(self, detector: Detector, body: dict) -> dict:
        return self._set_archived(detector, body, False)

    def _set_archived(self, detector: Detector, body: dict, archived: bool) -> dict:
        for id in _finding_ids(body):
            service = detector.findings.get(id, {}).get("service")
            if isinstance(service, dict):
                service["archived"] = archived
        return {}

    def _create_sample_findings(self, detector: Detector, body: dict) -> dict:
        for kind in body.get("findingTypes") or [EXFILTRATION]:
            earlier = next((f for f in detector.findings.values() if f.get("title") == f"[SAMPLE] {kind}"), None)
            now = milliseconds(self._clock.now())
            finding = sample_finding(kind, detector, self._directory.partition, now, earlier)
            detector.findings[finding["id"]] = finding
        return {}


def _finding_ids(body: dict) -> List[str]:
    ids = body.get("findingIds")
    if not isinstance(ids, list) or len(ids) > PAGE_LIMIT:
        raise bad_request("an invalid or out-of-range value is specified as an input parameter.")
    return ids
