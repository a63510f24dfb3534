"""Detectors, and findings in them: as given, or complete and realistic."""
import copy
from typing import Mapping

from ..state.detectors import Detector
from ..state.findings import exfiltration_finding, with_defaults
from .attack_sequence import attack_sequence_finding
from .door import Door, Routes
from .queues import send_event


class Findings(Door):
    @property
    def routes(self) -> Routes:
        return {
            ("POST", "findings"): self._inject,
            ("POST", "findings/exfiltration"): self._exfiltration,
            ("POST", "findings/attack-sequence"): self._attack_sequence,
            ("POST", "detectors"): self._change_detector,
        }

    def _change_detector(self, request: Mapping) -> dict:
        with self._world.lock:
            detector = self._detector(request)
            detector.status = request.get("status", detector.status)
            detector.frequency = request.get("frequency", detector.frequency)
            detector.unusual_members.update(request.get("members") or {})
            return {"id": detector.id}

    def _inject(self, request: Mapping) -> dict:
        with self._world.lock:
            detector = self._detector(request)
            findings = [self._complete(finding, request, detector) for finding in request["findings"]]
            for finding in findings:
                detector.findings[finding["id"]] = finding
            return {"detector_id": detector.id, "finding_ids": [finding["id"] for finding in findings]}

    def _exfiltration(self, request: Mapping) -> dict:
        with self._world.lock:
            detector = self._detector(request)
            about = {**request}
            if "user" in request and "principal_id" not in request:
                about["principal_id"] = self._user_id(request["member"], request["user"])
            partition, now = self._directory.partition, self._world.clock.stamp()
            return self._store(request, detector, exfiltration_finding(about, detector, partition, now))

    def _attack_sequence(self, request: Mapping) -> dict:
        with self._world.lock:
            detector = self._detector(request)
            finding = attack_sequence_finding(request, detector, self._world, self._world.clock.stamp())
            return self._store(request, detector, finding)

    def _store(self, request: Mapping, detector: Detector, finding: dict) -> dict:
        if not isinstance(finding["id"], str):
            raise ValueError("a finding's id is a string")
        queue = request.get("event_to")
        if queue:
            # A mistake in the name must not leave a finding behind.
            self._world.queues.named(queue)
        detector.findings[finding["id"]] = finding
        answer = {"detector_id": detector.id, "finding_id": finding["id"], "finding": finding}
        if queue:
            answer["message_id"] = send_event(self._world, detector, finding, queue)
        return answer

    def _complete(self, finding: Mapping, request: Mapping, detector: Detector) -> dict:
        if not isinstance(finding, dict):
            raise ValueError("a finding is a JSON object")
        if not isinstance(finding.get("id", ""), str) or (request.get("raw") and not finding.get("id")):
            raise ValueError("a finding needs an id, and it is a string")
        if request.get("raw"):
            return copy.deepcopy(finding)
        return with_defaults(finding, detector, self._directory.partition, self._world.clock.stamp())

    def _user_id(self, account: str, name: str) -> str:
        user = self._directory.user(account, name)
        if user is None:
            raise ValueError(f"account {account} has no user {name}: make it first, or state principal_id")
        return user.id
