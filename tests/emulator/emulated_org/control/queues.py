"""Queues: made, filled with messages and with events of findings, and what is in them."""
import json
import secrets
from typing import Mapping, Optional

from ..state.detectors import Detector
from ..state.queues import Queue
from ..state.world import World
from .door import Door, Routes
from .events import EVENT, changed, message_body

# Who a message's SenderId says it is from.
SENDER_ID = "AIDAEXAMPLEEXAMPLE123"
DEFAULT_GROUP = "guardduty"


class Queues(Door):
    @property
    def routes(self) -> Routes:
        return {
            ("POST", "queues"): self._create,
            ("GET", "queues"): self._describe,
            ("POST", "messages"): self._send,
            ("POST", "events"): self._send_events,
        }

    def _create(self, request: Mapping) -> dict:
        queues = self._world.queues
        with self._world.lock:
            account, region = self._place(request)
            dead_letter = queues.named(request["dead_letter"]) if request.get("dead_letter") else None
            queue = queues.create(_queue(request, account, region, self._directory.partition, dead_letter))
        return {"url": queue.url, "arn": queue.arn}

    def _describe(self, request: Mapping) -> dict:
        return self._world.queues.describe(self._world.queues.named(request["name"]))

    def _send(self, request: Mapping) -> dict:
        body = request["body"]
        if not isinstance(body, (str, dict)):
            raise ValueError("a body is text or a JSON object")
        queue = self._world.queues.named(request["queue"])
        text = body if isinstance(body, str) else json.dumps(body)
        return {"message_id": _sent(self._world, queue, text, request.get("group"))}

    def _send_events(self, request: Mapping) -> dict:
        """The event of one finding, or with a list of ids those of several."""
        ids = request["finding_id"]
        with self._world.lock:
            detector = self._detector(request)
            findings = [_finding(detector, id) for id in (ids if isinstance(ids, list) else [ids])]
            sent = [
                send_event(
                    self._world,
                    detector,
                    finding,
                    request["queue"],
                    wrap=request.get("wrap", EVENT),
                    change=request.get("change") or {},
                    group=request.get("group"),
                )
                for finding in findings
            ]
        return {"message_ids": sent} if isinstance(ids, list) else {"message_id": sent[0]}


def send_event(
    world: World,
    detector: Detector,
    finding: Mapping,
    queue_name: str,
    wrap: str = EVENT,
    change: Optional[Mapping] = None,
    group: Optional[str] = None,
) -> str:
    """Sends the event of a finding to a queue; the message's id."""
    queue = world.queues.named(queue_name)
    claimed = changed(finding, change) if change else finding
    partition, now = world.directory.partition, world.clock.stamp()
    body = message_body(claimed, detector.account, detector.region, partition, now, wrap)
    return _sent(world, queue, body, group)


def _sent(world: World, queue: Queue, body: str, group: Optional[str]) -> str:
    # Equal messages are meant as several: each has a deduplication id of its own.
    fifo = {"group": group or DEFAULT_GROUP, "deduplication_id": secrets.token_hex(32)} if queue.fifo else {}
    return world.queues.send(queue, body, world.clock.unix_milliseconds(), SENDER_ID, **fifo).id


def _finding(detector: Detector, id: str) -> dict:
    if id not in detector.findings:
        raise ValueError(f"the detector has no finding {id}")
    return detector.findings[id]


def _queue(request: Mapping, account: str, region: str, partition: str, dead_letter: Optional[Queue]) -> Queue:
    name, fifo = request["name"], bool(request.get("fifo", False))
    if not isinstance(name, str) or name.endswith(".fifo") != fifo:
        raise ValueError("the name of a FIFO queue, and of no other, ends in .fifo")
    if dead_letter:
        if (dead_letter.account, dead_letter.region, dead_letter.fifo) != (account, region, fifo):
            raise ValueError("a dead-letter queue is of the same account, region and kind")
        if int(request["max_receive_count"]) < 1:
            raise ValueError("max_receive_count is at least 1")
    return Queue(
        account=account,
        region=region,
        name=name,
        partition=partition,
        fifo=fifo,
        visibility_seconds=int(request.get("visibility_seconds", 30)),
        dead_letter=dead_letter,
        max_receive_count=int(request.get("max_receive_count") or 0),
    )
