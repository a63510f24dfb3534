"""Findings for the control interface: as given, or complete and realistic."""
import copy
from typing import Callable, Mapping

from ..state.clock import milliseconds
from ..state.findings import exfiltration_finding, with_defaults
from ..state.world import World
from .attack_sequence import attack_sequence_finding
from .queues import QueueControl


class FindingControl:
    def __init__(self, world: World, queues: QueueControl, detector_of: Callable) -> None:
        self._world = world
        self._queues = queues
        self._detector_of = detector_of

    def inject(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            detector = self._detector_of(fields)
            findings = [self._complete(finding, fields, detector) for finding in fields["findings"]]
            for finding in findings:
                detector.findings[finding["id"]] = finding
            return {"detector_id": detector.id, "finding_ids": [finding["id"] for finding in findings]}

    def exfiltration(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            detector = self._detector_of(fields)
            request = {**fields}
            if "user" in fields and "principal_id" not in fields:
                request["principal_id"] = self._user_id(fields["member"], fields["user"])
            partition = self._world.directory.partition
            return self._store(fields, detector, exfiltration_finding(request, detector, partition, self._now()))

    def attack_sequence(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            detector = self._detector_of(fields)
            return self._store(fields, detector, attack_sequence_finding(fields, detector, self._world, self._now()))

    def _store(self, fields: Mapping, detector, finding: dict) -> dict:
        if not isinstance(finding["id"], str):
            raise ValueError("a finding's id is a string")
        queue = fields.get("event_to")
        if queue:
            # A mistake in the name must not leave a finding behind.
            self._world.queues.named(queue)
        detector.findings[finding["id"]] = finding
        answer = {"detector_id": detector.id, "finding_id": finding["id"], "finding": finding}
        if queue:
            answer["message_id"] = self._queues.send_event(detector, finding, queue)
        return answer

    def _complete(self, finding: Mapping, fields: Mapping, detector) -> dict:
        if not isinstance(finding, dict):
            raise ValueError("a finding is a JSON object")
        if not isinstance(finding.get("id", ""), str) or (fields.get("raw") and not finding.get("id")):
            raise ValueError("a finding needs an id, and it is a string")
        if fields.get("raw"):
            return copy.deepcopy(finding)
        return with_defaults(finding, detector, self._world.directory.partition, self._now())

    def _user_id(self, account: str, name: str) -> str:
        user = self._world.directory.user(account, name)
        if user is None:
            raise ValueError(f"account {account} has no user {name}: make it first, or state principal_id")
        return user.id

    def _now(self) -> str:
        return milliseconds(self._world.clock.now())
