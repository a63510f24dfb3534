"""A queue of SQS and its messages: receipt handles, visibility, order."""
import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Dict, Iterator, Optional

from ..errors import AwsError
from .deduplication import Deduplication


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
    deduplication: Deduplication[Message] = field(default_factory=Deduplication)

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:sqs:{self.region}:{self.account}:{self.name}"

    @property
    def url(self) -> str:
        suffix = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}.get(self.partition, "amazonaws.com")
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


def no_such_queue() -> AwsError:
    return AwsError("QueueDoesNotExist", "The specified queue does not exist.")


def bad_handle(handle: str, reason: str) -> AwsError:
    message = f"Value {handle} for parameter ReceiptHandle is invalid. Reason: {reason}"
    return AwsError("InvalidParameterValueException", message)
