"""Amazon SNS's Publish, over the query protocol, to topics the control interface made.

The checks are AWS's, because a notification that AWS would refuse must not
arrive here: subjects and sizes depend on what a finding says.
"""
import json
import re
from typing import Dict, List, Mapping, Optional, Tuple

from ..enforcement import Principal, denied_across_accounts
from ..errors import AwsError, NotEmulated, constraint_violated
from ..moto_bridge import forward
from ..protocol.answers import Answer, element, xml_answer
from ..protocol.calls import Call
from ..state.directory import account_of
from ..state.topics import Topic
from ..state.world import World

NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
MAX_BYTES = 262144
# As documented for years. The documentation allows other text by now, but e-mail clients do not all.
SUBJECT = re.compile(r"[!-~][ -~]{0,99}", re.ASCII)
# Message groups and deduplication ids: printable ASCII without the space.
TOKEN = re.compile(r"[!-~]{1,128}", re.ASCII)
ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}", re.ASCII)
ATTRIBUTE_TYPE = re.compile(r"(String|Number|Binary)(\.\S+)?", re.ASCII)
DEFAULT = "default"
# Other keys of a message structure are ignored, so that a typing error is seen.
PROTOCOLS = {DEFAULT, "application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"}
MOBILE_PROTOCOLS = {"ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "BAIDU", "GCM", "MPNS", "WNS"}


class Sns:
    def __init__(self, world: World) -> None:
        self._topics = world.topics

    def handle(self, call: Call, principal: Principal) -> Answer:
        if call.operation == "PublishBatch":
            raise NotEmulated("sns:PublishBatch, only sns:Publish")
        if call.operation != "Publish":
            # moto's topics are not ours: nothing can be published to them.
            return forward(call, principal.account)
        topic = self._topic(call, principal)
        published = self._topics.publish(topic, **_publication(call.params, topic))
        result = element("MessageId", published.id)
        if topic.is_fifo:
            result += element("SequenceNumber", published.sequence_number)
        return xml_answer(call, NAMESPACE, result)

    def _topic(self, call: Call, principal: Principal) -> Topic:
        if "PhoneNumber" in call.params:
            raise NotEmulated("sns:Publish to a phone number")
        name, arn = topic_arn(call.params)
        if not arn:
            raise _invalid("TopicArn or TargetArn Reason: no value for required parameter")
        if not arn.startswith("arn:"):
            raise _invalid(f"{name} Reason: {arn} does not start with arn")
        parts = arn.split(":")
        if len(parts) != 6 or parts[2] != "sns":
            raise _invalid(f"{name} Reason: An ARN must have at least 6 elements, not {len(parts)}, and be of sns")
        if parts[3] != call.region:
            raise _invalid(name)
        if account_of(arn) != principal.account:
            raise denied_across_accounts(principal, call.action, arn)
        topic = self._topics.find(arn)
        if topic is None:
            raise AwsError("NotFound", "Topic does not exist", 404)
        return topic


def _invalid(what: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {what}")


def _publication(params: Mapping[str, str], topic: Topic) -> dict:
    """The validated fields of a Publish call, as Topics.publish takes them."""
    if "Message" not in params:
        raise constraint_violated("Value null at 'message'", "Member must not be null")
    message, subject = params["Message"], params.get("Subject")
    if not message:
        raise _invalid("Empty message")
    if subject is not None and not SUBJECT.fullmatch(subject):
        raise _invalid("Subject")
    attributes = _attributes(params)
    counted = [name + attribute["type"] + attribute["value"] for name, attribute in attributes.items()]
    if len("".join([message, *counted]).encode()) > MAX_BYTES:
        raise _invalid("Message too long")
    group, deduplication_id = _fifo_fields(params, topic)
    structure = _structure(params)
    return {
        "message": structure[DEFAULT] if structure else message,
        "subject": subject,
        "structure": structure,
        "attributes": attributes,
        "group": group,
        "deduplication_id": deduplication_id,
    }


def _fifo_fields(params: Mapping[str, str], topic: Topic) -> Tuple[Optional[str], Optional[str]]:
    group, deduplication_id = params.get("MessageGroupId"), params.get("MessageDeduplicationId")
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        if name in params and not TOKEN.fullmatch(params[name]):
            raise _invalid(f"{name} Reason: it has 1 to 128 letters, digits and punctuation marks")
    if topic.is_fifo and not group:
        raise _invalid("The MessageGroupId parameter is required for FIFO topics")
    if topic.is_fifo and not deduplication_id:
        raise _invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
        )
    if deduplication_id and not topic.is_fifo:
        reason = "The request includes MessageDeduplicationId parameter that is not valid for this topic type"
        raise _invalid(f"MessageDeduplicationId Reason: {reason}")
    return group, deduplication_id


def _structure(params: Mapping[str, str]) -> Optional[Dict[str, str]]:
    """The texts by protocol, if there are several."""
    if "MessageStructure" not in params:
        return None
    if params["MessageStructure"] != "json":
        raise _invalid("MessageStructure")
    try:
        texts = json.loads(params["Message"], object_pairs_hook=_distinct)
    except ValueError:
        texts = None
    if not isinstance(texts, dict):
        raise _invalid("Message Structure - JSON message body failed to parse")
    texts = {name: text for name, text in texts.items() if isinstance(text, str) and name in PROTOCOLS | MOBILE_PROTOCOLS}
    if DEFAULT not in texts:
        raise _invalid("Message Structure - No default entry in JSON message body")
    return texts


def _distinct(pairs: List[tuple]) -> dict:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key is there twice")
    return fields


def _attributes(params: Mapping[str, str]) -> Dict[str, Dict[str, str]]:
    """Name -> type and value (of binary ones as base64)."""
    attributes: Dict[str, Dict[str, str]] = {}
    while f"MessageAttributes.entry.{len(attributes) + 1}.Name" in params:
        prefix = f"MessageAttributes.entry.{len(attributes) + 1}."
        name, kind = params[prefix + "Name"], params.get(prefix + "Value.DataType", "")
        if not ATTRIBUTE_NAME.fullmatch(name) or name in attributes:
            raise _invalid_value(f"The message attribute name '{name}' is not valid, or there twice.")
        if not ATTRIBUTE_TYPE.fullmatch(kind):
            raise _invalid_value(f"The message attribute '{name}' has an invalid message attribute type '{kind}'.")
        value = params.get(prefix + ("Value.BinaryValue" if kind.startswith("Binary") else "Value.StringValue"))
        if not value:
            must = f"must contain non-empty message attribute value for message attribute type '{kind}'"
            raise _invalid_value(f"The message attribute '{name}' {must}.")
        attributes[name] = {"type": kind, "value": value}
    return attributes


def _invalid_value(message: str) -> AwsError:
    return AwsError("ParameterValueInvalid", message)


def topic_arn(params: Mapping[str, str]) -> Tuple[str, str]:
    """(name, value) of the parameter that says where to publish. Either is good for a topic."""
    name = "TargetArn" if params.get("TargetArn") and not params.get("TopicArn") else "TopicArn"
    return name, params.get(name, "")
