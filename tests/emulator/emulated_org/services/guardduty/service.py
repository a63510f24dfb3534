"""Amazon GuardDuty: a detector's findings and members, as its account asks for them."""
from typing import List

from ...enforcement import Principal
from ...errors import AwsError, NotEmulated
from ...protocol.answers import Answer, json_answer
from ...protocol.calls import Call
from ...state.detectors import Detector
from ...state.findings import EXFILTRATION, sample_finding
from ...state.world import World
from ..paging import page
from .criteria import attribute, matching, sort_key

PAGE_LIMIT = 50
INVALID_INPUT = "an invalid or out-of-range value is specified as an input parameter."
INVALID_TOKEN = "the parameter nextToken has an invalid value."


def bad_request(reason: str) -> AwsError:
    return AwsError("BadRequestException", f"The request is rejected because {reason}", 400)


class GuardDuty:
    def __init__(self, world: World) -> None:
        self._directory = world.directory
        self._detectors = world.detectors
        self._clock = world.clock

    def handle(self, call: Call, principal: Principal) -> Answer:
        without_detector = {
            "ListDetectors": self._list_detectors,
            "CreateDetector": self._create_detector,
            "ListOrganizationAdminAccounts": self._list_admin_accounts,
        }
        if call.operation in without_detector:
            return json_answer(call, without_detector[call.operation](call, principal))
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
        detector = self._detectors.find(principal.account, call.region)
        if detector is None or detector.id != call.params["DetectorId"]:
            raise bad_request("the input detectorId is not owned by the current account.")
        body = call.query() if call.method == "GET" else call.json_body()
        return json_answer(call, operations[call.operation](detector, body))

    def _list_detectors(self, call: Call, principal: Principal) -> dict:
        detector = self._detectors.find(principal.account, call.region)
        return {"detectorIds": [detector.id] if detector else []}

    def _create_detector(self, call: Call, principal: Principal) -> dict:
        if self._detectors.find(principal.account, call.region):
            raise bad_request("a detector already exists for the current account.")
        return {"detectorId": self._detectors.create(principal.account, call.region).id}

    def _list_admin_accounts(self, call: Call, principal: Principal) -> dict:
        if principal.account != self._directory.management_id:
            raise bad_request("the current account is not the organization's management account.")
        administrator = self._detectors.administrator
        return {"adminAccounts": [{"adminAccountId": administrator, "adminStatus": "ENABLED"}] if administrator else []}

    def _get_detector(self, detector: Detector, body: dict) -> dict:
        role = f"arn:{self._directory.partition}:iam::{detector.account}:role/aws-service-role/guardduty"
        return {"status": detector.status, "findingPublishingFrequency": detector.frequency, "serviceRole": role}

    def _list_members(self, detector: Detector, body: dict) -> dict:
        """The organization's accounts are members of the administrator's detectors, unless a test says otherwise."""
        if detector.account != self._detectors.administrator:
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
        size = int(body.get("maxResults") or PAGE_LIMIT)
        if not 1 <= size <= PAGE_LIMIT:
            raise bad_request(INVALID_INPUT)
        try:
            listed, token = page(members, size, body.get("nextToken"))
        except ValueError:
            raise bad_request(INVALID_TOKEN) from None
        return {"members": listed, **({"nextToken": token} if token else {})}

    def _list_findings(self, detector: Detector, body: dict) -> dict:
        size = body.get("maxResults") or PAGE_LIMIT
        if not isinstance(size, int) or not 1 <= size <= PAGE_LIMIT:
            raise bad_request(INVALID_INPUT)
        if body.get("nextToken"):
            snapshot = detector.resume(body["nextToken"])
            if snapshot is None:
                raise bad_request(INVALID_TOKEN)
            return _findings_page(detector, *snapshot, size)
        criteria = (body.get("findingCriteria") or {}).get("criterion") or {}
        found = matching(detector.findings.values(), criteria)
        order = body.get("sortCriteria") or {}
        name = order.get("attributeName") or "updatedAt"
        found.sort(key=lambda finding: (sort_key(attribute(finding, name)), str(finding["id"])))
        if order.get("orderBy") == "DESC":
            found.reverse()
        return _findings_page(detector, [finding["id"] for finding in found], 0, size)

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
            now = self._clock.stamp()
            finding = sample_finding(kind, detector, self._directory.partition, now, earlier)
            detector.findings[finding["id"]] = finding
        return {}


def _findings_page(detector: Detector, ids: List[str], start: int, size: int) -> dict:
    end = start + size
    return {"findingIds": ids[start:end], "nextToken": detector.keep_snapshot(ids, end) if end < len(ids) else ""}


def _finding_ids(body: dict) -> List[str]:
    ids = body.get("findingIds")
    if not isinstance(ids, list) or len(ids) > PAGE_LIMIT:
        raise bad_request(INVALID_INPUT)
    return ids
