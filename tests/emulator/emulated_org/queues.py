"""Message queues as Amazon SQS keeps them, standard and FIFO.

Visibility timeouts run on the machine's own clock, not on the emulator's: a
receiver waits in real time, so its messages come back in real time too.
"""
import base64
import dataclasses
import hashlib
import json
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Tuple
from urllib.parse import urlsplit

from .errors import AwsError
from .faults import ClientGone

# How often a waiting receiver looks whether its client is still there.
POLL_SECONDS = 0.1
DEDUPLICATION_SECONDS = 300
MAX_VISIBILITY_SECONDS = 43200
MAX_BODY_BYTES = 1048576


@dataclass
class Message:
    id: str
    body: str
    sent_ms: int
    sender_id: str
    # When it can be received (again), on the monotonic clock.
    visible_at: float
    sequence_number: str
    group: Optional[str] = None
    deduplication_id: Optional[str] = None
    receive_count: int = 0
    first_received_ms: int = 0
    # The latest receipt handle: older ones no longer delete the message.
    handle: Optional[str] = None
    dead_letter_source: Optional[str] = None

    @property
    def md5(self) -> str:
        return hashlib.md5(self.body.encode()).hexdigest()

    def is_visible(self, now: float) -> bool:
        return self.visible_at <= now

    def is_in_flight(self, now: float) -> bool:
        return self.handle is not None and not self.is_visible(now)


@dataclass
class Queue:
    account: str
    region: str
    name: str
    partition: str
    fifo: bool = False
    visibility_seconds: int = 30
    dead_letter: Optional["Queue"] = None
    max_receive_count: int = 0
    created: int = field(default_factory=lambda: int(time.time()))
    messages: Dict[str, Message] = field(default_factory=dict)
    sent: int = 0
    deleted: int = 0
    is_gone: bool = False
    # deduplication id -> (until when it counts, the message it belongs to)
    deduplication: Dict[str, tuple] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:sqs:{self.region}:{self.account}:{self.name}"

    @property
    def url(self) -> str:
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return f"https://sqs.{self.region}.{suffix}/{self.account}/{self.name}"

    def deliverable(self, now: float) -> Iterator[Message]:
        """In FIFO queues a group waits until none of its messages is in flight."""
        blocked = set()
        if self.fifo:
            blocked = {message.group for message in self.messages.values() if not message.is_visible(now)}
        for message in list(self.messages.values()):
            if message.is_visible(now) and message.group not in blocked:
                yield message

    def counts(self) -> Dict[str, int]:
        now = time.monotonic()
        visible = sum(message.is_visible(now) for message in self.messages.values())
        in_flight = sum(message.is_in_flight(now) for message in self.messages.values())
        return {"visible": visible, "in_flight": in_flight, "delayed": len(self.messages) - visible - in_flight}

    def new_handle(self, message: Message) -> str:
        content = [self.name, message.id, secrets.token_hex(16)]
        return base64.b64encode(json.dumps(content).encode()).decode()

    def message_of(self, handle: str) -> Optional[Message]:
        """The message of a receipt handle, old or new; None once it is deleted."""
        try:
            name, id, _ = json.loads(base64.b64decode(handle, validate=True))
        except (ValueError, TypeError):
            name = None
        if name != self.name:
            raise AwsError(
                "ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.', 404
            )
        return self.messages.get(id)


class Queues:
    """All queues, by name: the emulator does not allow two of one name."""

    def __init__(self) -> None:
        # The queues' own lock: a receiver that waits must not stop other calls.
        self._changed = threading.Condition()
        self._queues: Dict[str, Queue] = {}
        self._sequence = 0

    def reset(self) -> None:
        with self._changed:
            for queue in self._queues.values():
                queue.is_gone = True
            self._queues.clear()
            self._changed.notify_all()

    def create(self, queue: Queue) -> Queue:
        with self._changed:
            if queue.name in self._queues:
                raise ValueError(f"there is a queue {queue.name} already")
            self._queues[queue.name] = queue
        return queue

    def named(self, name: str) -> Queue:
        """For the control interface: ValueError if there is none."""
        with self._changed:
            if name not in self._queues:
                raise ValueError(f"there is no queue {name}")
            return self._queues[name]

    def find(self, account: str, region: str, name: str) -> Queue:
        with self._changed:
            queue = self._queues.get(name)
        if queue is None or (queue.account, queue.region) != (account, region):
            raise no_such_queue()
        return queue

    def attributes(self, queue: Queue) -> Dict[str, str]:
        """What GetQueueAttributes knows of a queue."""
        with self._changed:
            counts = queue.counts()
        attributes = {
            "QueueArn": queue.arn,
            "ApproximateNumberOfMessages": counts["visible"],
            "ApproximateNumberOfMessagesNotVisible": counts["in_flight"],
            "ApproximateNumberOfMessagesDelayed": counts["delayed"],
            "CreatedTimestamp": queue.created,
            "LastModifiedTimestamp": queue.created,
            "VisibilityTimeout": queue.visibility_seconds,
            "MaximumMessageSize": MAX_BODY_BYTES,
            "MessageRetentionPeriod": 345600,
            "DelaySeconds": 0,
            "ReceiveMessageWaitTimeSeconds": 0,
            "SqsManagedSseEnabled": "true",
        }
        if queue.fifo:
            attributes.update(FifoQueue="true", ContentBasedDeduplication="false")
        if queue.dead_letter:
            redrive = {"deadLetterTargetArn": queue.dead_letter.arn, "maxReceiveCount": queue.max_receive_count}
            attributes["RedrivePolicy"] = json.dumps(redrive, separators=(",", ":"))
        return {name: str(value) for name, value in attributes.items()}

    def describe(self, queue: Queue) -> dict:
        with self._changed:
            now = time.monotonic()
            messages = [
                {"id": m.id, "body": m.body, "receive_count": m.receive_count, "visible": m.is_visible(now)}
                for m in queue.messages.values()
            ]
            counts = queue.counts()
            del counts["delayed"]
            return {**counts, "sent": queue.sent, "deleted": queue.deleted, "messages": messages}

    def send(
        self,
        queue: Queue,
        body: str,
        now_ms: int,
        sender_id: str,
        delay_seconds: float = 0,
        group: Optional[str] = None,
        deduplication_id: Optional[str] = None,
    ) -> Message:
        """The message; of a duplicate in a FIFO queue, the one that was sent first."""
        with self._changed:
            now = time.monotonic()
            if queue.fifo:
                until, earlier = queue.deduplication.get(deduplication_id, (0, None))
                if now < until:
                    return earlier
            self._sequence += 1
            message = Message(
                id=str(uuid.uuid4()),
                body=body,
                sent_ms=now_ms,
                sender_id=sender_id,
                visible_at=now + delay_seconds,
                sequence_number=f"{18850000000000000000 + self._sequence * 256}",
                group=group,
                deduplication_id=deduplication_id,
            )
            queue.messages[message.id] = message
            queue.sent += 1
            if queue.fifo:
                queue.deduplication[deduplication_id] = (now + DEDUPLICATION_SECONDS, message)
            self._changed.notify_all()
            return message

    def receive(
        self,
        queue: Queue,
        limit: int,
        visibility_seconds: float,
        wait_seconds: float,
        now_ms: Callable[[], int],
        client_is_gone: Callable[[], bool],
    ) -> List[Message]:
        """Up to `limit` messages, as they are now; waits for the first of them.

        Raises ClientGone when nobody waits any more: a message must not be
        hidden from other receivers for a client that cannot get it.
        """
        deadline = time.monotonic() + wait_seconds
        with self._changed:
            while True:
                if queue.is_gone:
                    raise no_such_queue()
                now = time.monotonic()
                ready = next(queue.deliverable(now), None)
                if client_is_gone():
                    raise ClientGone
                taken = self._take(queue, now, limit, visibility_seconds, now_ms()) if ready else []
                if taken or now >= deadline:
                    return taken
                due = [message.visible_at for message in queue.messages.values() if message.visible_at > now]
                self._changed.wait(max(0, min([deadline, now + POLL_SECONDS] + due) - now))

    def _take(self, queue: Queue, now: float, limit: int, visibility_seconds: float, now_ms: int) -> List[Message]:
        taken = []
        for message in queue.deliverable(now):
            if queue.dead_letter and message.receive_count >= queue.max_receive_count:
                self._move(message, queue, queue.dead_letter, now)
                continue
            message.receive_count += 1
            message.first_received_ms = message.first_received_ms or now_ms
            message.visible_at = now + visibility_seconds
            message.handle = queue.new_handle(message)
            taken.append(dataclasses.replace(message))
            if len(taken) == limit:
                break
        if visibility_seconds == 0 and taken:
            self._changed.notify_all()
        return taken

    def _move(self, message: Message, queue: Queue, target: Queue, now: float) -> None:
        del queue.messages[message.id]
        message.handle, message.visible_at, message.dead_letter_source = None, now, queue.arn
        target.messages[message.id] = message
        self._changed.notify_all()

    def delete(self, queue: Queue, handle: str) -> None:
        """An outdated handle deletes nothing; only FIFO queues say so."""
        with self._changed:
            message = queue.message_of(handle)
            if message is None:
                return
            outdated = message.handle != handle
            if queue.fifo and (outdated or message.is_visible(time.monotonic())):
                raise _bad_handle(handle, "The receipt handle has expired.")
            if not outdated:
                del queue.messages[message.id]
                queue.deleted += 1
                self._changed.notify_all()

    def change_visibility(self, queue: Queue, handle: str, seconds: int) -> None:
        with self._changed:
            message, now = queue.message_of(handle), time.monotonic()
            if message is None or message.handle != handle:
                raise _bad_handle(handle, "Message does not exist or is not available for visibility timeout change.")
            if not message.is_in_flight(now):
                raise AwsError("MessageNotInflight", "The specified message isn't in flight.")
            message.visible_at = now + seconds
            self._changed.notify_all()


def queue_of_request(fields: Mapping, partition: str, dead_letter: Optional[Queue]) -> Queue:
    """The queue that a request to the control interface describes."""
    name, fifo = fields["name"], bool(fields.get("fifo", False))
    if not isinstance(name, str) or name.endswith(".fifo") != fifo:
        raise ValueError("the name of a FIFO queue, and of no other, ends in .fifo")
    if dead_letter:
        if (dead_letter.account, dead_letter.region, dead_letter.fifo) != (fields["account"], fields["region"], fifo):
            raise ValueError("a dead-letter queue is of the same account, region and kind")
        if int(fields["max_receive_count"]) < 1:
            raise ValueError("max_receive_count is at least 1")
    return Queue(
        account=fields["account"],
        region=fields["region"],
        name=name,
        partition=partition,
        fifo=fifo,
        visibility_seconds=int(fields.get("visibility_seconds", 30)),
        dead_letter=dead_letter,
        max_receive_count=int(fields.get("max_receive_count") or 0),
    )


def named_queue(fields: Mapping, account: str) -> Tuple[str, str]:
    """(account, name) of the queue a request is about, whatever its URL's host."""
    url = fields.get("QueueUrl")
    if isinstance(url, str) and url:
        parts = urlsplit(url).path.strip("/").split("/")
        if len(parts) < 2:
            raise no_such_queue()
        return parts[-2], parts[-1]
    name = fields.get("QueueName")
    if not isinstance(name, str) or not name:
        raise missing("QueueUrl")
    return fields.get("QueueOwnerAWSAccountId") or account, name


def no_such_queue() -> AwsError:
    return AwsError("QueueDoesNotExist", "The specified queue does not exist.")


def missing(name: str) -> AwsError:
    return AwsError("MissingRequiredParameterException", f"The request must contain the parameter {name}.")


def _bad_handle(handle: str, reason: str) -> AwsError:
    message = f"Value {handle} for parameter ReceiptHandle is invalid. Reason: {reason}"
    return AwsError("InvalidParameterValueException", message)
