"""Amazon SQS over its JSON protocol, as far as a consumer of a queue uses it.

It is not moto's, because moto waits in long polling while it holds up all
other calls.
"""
import json
from typing import Callable, Dict, List, Mapping, Tuple
from urllib.parse import urlsplit

from ..enforcement import Principal, denied_across_accounts
from ..errors import AwsError, NotEmulated
from ..protocol.answers import Answer, content_type, json_answer
from ..protocol.calls import Call
from ..protocol.refusals import sqs_query_code
from ..state.messages import Message, Queue, no_such_queue
from ..state.world import World

BATCH_LIMIT = 10
MAX_VISIBILITY_SECONDS = 43200
MAX_BODY_BYTES = 1048576
# Attributes that a queue may be without.
OPTIONAL_ATTRIBUTES = ("RedrivePolicy", "FifoQueue", "ContentBasedDeduplication", "Policy", "KmsMasterKeyId")
UNSUPPORTED = ("MessageAttributes", "MessageSystemAttributes")


class Sqs:
    def __init__(self, world: World) -> None:
        self._queues = world.queues
        self._clock = world.clock

    def handle(self, call: Call, principal: Principal) -> Answer:
        """Needs no lock but the queues' own."""
        operations = {
            "ReceiveMessage": self._receive,
            "SendMessage": self._send,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._batch(self._delete),
            "ChangeMessageVisibility": self._change_visibility,
            "ChangeMessageVisibilityBatch": self._batch(self._change_visibility),
            "GetQueueAttributes": self._attributes,
            "GetQueueUrl": lambda call, queue, body, principal: {"QueueUrl": queue.url},
        }
        body = call.json_body()
        if call.operation not in operations:
            raise NotEmulated(f"sqs:{call.operation}")
        queue = self._queue(call, body, principal)
        fields = operations[call.operation](call, queue, body, principal)
        if fields is None:
            return Answer(200, {"Content-Type": content_type("sqs")}, b"")
        return json_answer(call, fields)

    def _queue(self, call: Call, body: dict, principal: Principal) -> Queue:
        account, name = named_queue(body, principal.account)
        host = urlsplit(str(body.get("QueueUrl", ""))).hostname or ""
        if host.startswith("sqs.") and host.split(".")[1] != call.region:
            raise AwsError("InvalidAddress", f"The address {body['QueueUrl']} is not valid for this endpoint.", 404)
        queue = self._queues.find(account, call.region, name)
        if account != principal.account:
            raise denied_across_accounts(principal, call.action, queue.arn)
        return queue

    def _send(self, call: Call, queue: Queue, body: dict, principal: Principal) -> dict:
        text = _required(body, "MessageBody")
        if len(text.encode()) > MAX_BODY_BYTES:
            reason = f"Message must be shorter than {MAX_BODY_BYTES} bytes."
            raise _invalid(f"One or more parameters are invalid. Reason: {reason}")
        if any(body.get(name) for name in UNSUPPORTED):
            raise NotEmulated("attributes of messages")
        group, deduplication_id = body.get("MessageGroupId"), body.get("MessageDeduplicationId")
        if queue.fifo:
            _required(body, "MessageGroupId")
            if not deduplication_id:
                raise _invalid(
                    "The queue should either have ContentBasedDeduplication enabled "
                    "or MessageDeduplicationId provided explicitly"
                )
        delay = _number(body, "DelaySeconds", 0, 0, 900)
        now_ms = self._clock.unix_milliseconds()
        message = self._queues.send(queue, text, now_ms, principal.user_id, delay, group, deduplication_id)
        answer = {"MessageId": message.id, "MD5OfMessageBody": message.md5}
        return {**answer, "SequenceNumber": message.sequence_number} if queue.fifo else answer

    def _receive(self, call: Call, queue: Queue, body: dict, principal: Principal) -> dict:
        names = (body.get("AttributeNames") or []) + (body.get("MessageSystemAttributeNames") or [])
        messages = self._queues.receive(
            queue,
            _number(body, "MaxNumberOfMessages", 1, 1, BATCH_LIMIT),
            _number(body, "VisibilityTimeout", queue.visibility_seconds, 0, MAX_VISIBILITY_SECONDS),
            _number(body, "WaitTimeSeconds", 0, 0, 20),
            self._clock.unix_milliseconds,
            call.client_is_gone,
        )
        return {"Messages": [_described(message, queue, names) for message in messages]} if messages else {}

    def _delete(self, call: Call, queue: Queue, body: dict, principal: Principal) -> None:
        self._queues.delete(queue, _required(body, "ReceiptHandle"))

    def _change_visibility(self, call: Call, queue: Queue, body: dict, principal: Principal) -> None:
        handle = _required(body, "ReceiptHandle")
        if body.get("VisibilityTimeout") is None:
            raise _missing("VisibilityTimeout")
        seconds = _number(body, "VisibilityTimeout", 0, 0, MAX_VISIBILITY_SECONDS)
        self._queues.change_visibility(queue, handle, seconds)

    def _batch(self, single: Callable) -> Callable:
        """The batch form of an operation: each entry succeeds or fails by itself."""

        def run(call: Call, queue: Queue, body: dict, principal: Principal) -> dict:
            answer: Dict[str, List[dict]] = {"Successful": [], "Failed": []}
            for number, entry in enumerate(_entries(body)):
                if number < call.failing_entries:
                    answer["Failed"].append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
                    continue
                try:
                    single(call, queue, entry, principal)
                    answer["Successful"].append({"Id": entry["Id"]})
                except AwsError as error:
                    failure = {"Id": entry["Id"], "Code": sqs_query_code(error), "Message": error.message}
                    answer["Failed"].append({**failure, "SenderFault": True})
            return answer

        return run

    def _attributes(self, call: Call, queue: Queue, body: dict, principal: Principal) -> dict:
        known = _known_attributes(queue, self._queues.counts(queue))
        names = body.get("AttributeNames") or []
        for name in names:
            if name != "All" and name not in known and name not in OPTIONAL_ATTRIBUTES:
                raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")
        wanted = {name: value for name, value in known.items() if "All" in names or name in names}
        return {"Attributes": wanted} if wanted else {}


def _known_attributes(queue: Queue, counts: Mapping[str, int]) -> Dict[str, str]:
    """What GetQueueAttributes knows of a queue."""
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


def _described(message: Message, queue: Queue, names: List[str]) -> dict:
    attributes = {
        "ApproximateFirstReceiveTimestamp": str(message.first_received_ms),
        "ApproximateReceiveCount": str(message.receive_count),
        "SenderId": message.sender_id,
        "SentTimestamp": str(message.sent_ms),
        "MessageGroupId": message.group,
        "MessageDeduplicationId": message.deduplication_id,
        "SequenceNumber": message.sequence_number if queue.fifo else None,
        "DeadLetterQueueSourceArn": message.dead_letter_source,
    }
    wanted = {name: value for name, value in attributes.items() if value and ("All" in names or name in names)}
    described = {
        "MessageId": message.id,
        "ReceiptHandle": message.handle,
        "MD5OfBody": message.md5,
        "Body": message.body,
    }
    return {**described, "Attributes": wanted} if wanted else described


def _entries(body: dict) -> List[dict]:
    entries = body.get("Entries")
    if not isinstance(entries, list) or not entries:
        raise AwsError("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > BATCH_LIMIT:
        message = f"Maximum number of entries per request are {BATCH_LIMIT}. You have sent {len(entries)}."
        raise AwsError("TooManyEntriesInBatchRequest", message)
    ids = [_required(entry, "Id") for entry in entries]
    for id in ids:
        if ids.count(id) > 1:
            raise AwsError("BatchEntryIdsNotDistinct", f"Id {id} repeated.")
        if len(id) > 80 or not id.replace("-", "").replace("_", "").isalnum():
            message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            raise AwsError("InvalidBatchEntryId", message + "It can be at most 80 letters long.")
    return entries


def _required(fields: dict, name: str) -> str:
    value = fields.get(name) if isinstance(fields, dict) else None
    if not isinstance(value, str) or not value:
        raise _missing(name)
    return value


def _number(fields: dict, name: str, default: int, least: int, most: int) -> int:
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _invalid(
            f"Value {json.dumps(value)} for parameter {name} is invalid. "
            f"Reason: Must be between {least} and {most}, if provided."
        )
    return value


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


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
        raise _missing("QueueUrl")
    return fields.get("QueueOwnerAWSAccountId") or account, name


def _missing(name: str) -> AwsError:
    return AwsError("MissingRequiredParameterException", f"The request must contain the parameter {name}.")
