"""The part of the control interface that makes queues and fills them."""
import json
import secrets
from typing import Callable, Mapping, Optional

from ..state.clock import milliseconds
from ..state.messages import Queue, queue_of_request
from ..state.world import World
from .events import EVENT, changed, message_body

# Who a message's SenderId says it is from.
SENDER_ID = "AIDAEXAMPLEEXAMPLE123"
DEFAULT_GROUP = "guardduty"


class QueueControl:
    """`account_of` and `detector_of` find what a request names, or raise ValueError."""

    def __init__(self, world: World, account_of: Callable, detector_of: Callable) -> None:
        self._world = world
        self._account_of = account_of
        self._detector_of = detector_of

    def create(self, fields: Mapping, query: Mapping) -> dict:
        queues = self._world.queues
        with self._world.lock:
            self._account_of(fields)
            self._world.directory.require_region(fields["region"])
            dead_letter = queues.named(fields["dead_letter"]) if fields.get("dead_letter") else None
            queue = queues.create(queue_of_request(fields, self._world.directory.partition, dead_letter))
        return {"url": queue.url, "arn": queue.arn}

    def describe(self, fields: Mapping, query: Mapping) -> dict:
        return self._world.queues.describe(self._world.queues.named(query["name"]))

    def send(self, fields: Mapping, query: Mapping) -> dict:
        body = fields["body"]
        if not isinstance(body, (str, dict)):
            raise ValueError("a body is text or a JSON object")
        queue = self._world.queues.named(fields["queue"])
        text = body if isinstance(body, str) else json.dumps(body)
        return {"message_id": self._send(queue, text, fields.get("group"))}

    def send_events(self, fields: Mapping, query: Mapping) -> dict:
        """The event of one finding, or with a list of ids those of several."""
        ids = fields["finding_id"]
        with self._world.lock:
            detector = self._detector_of(fields)
            findings = [self._finding(detector, id) for id in (ids if isinstance(ids, list) else [ids])]
            sent = [
                self.send_event(
                    detector,
                    finding,
                    fields["queue"],
                    wrap=fields.get("wrap", EVENT),
                    change=fields.get("change") or {},
                    group=fields.get("group"),
                )
                for finding in findings
            ]
        return {"message_ids": sent} if isinstance(ids, list) else {"message_id": sent[0]}

    def send_event(
        self,
        detector,
        finding: Mapping,
        queue_name: str,
        wrap: str = EVENT,
        change: Optional[Mapping] = None,
        group: Optional[str] = None,
    ) -> str:
        queue = self._world.queues.named(queue_name)
        claimed = changed(finding, change) if change else finding
        partition, now = self._world.directory.partition, milliseconds(self._world.clock.now())
        body = message_body(claimed, detector.account, detector.region, partition, now, wrap)
        return self._send(queue, body, group)

    def _finding(self, detector, id: str) -> dict:
        if id not in detector.findings:
            raise ValueError(f"the detector has no finding {id}")
        return detector.findings[id]

    def _send(self, queue: Queue, body: str, group: Optional[str]) -> str:
        # Equal messages are meant as several: each has a deduplication id of its own.
        fifo = {"group": group or DEFAULT_GROUP, "deduplication_id": secrets.token_hex(32)} if queue.fifo else {}
        now_ms = int(self._world.clock.now().timestamp() * 1000)
        return self._world.queues.send(queue, body, now_ms, SENDER_ID, **fifo).id
