"""Findings as they arrive in a queue: EventBridge's event, or SNS's notification of it."""
import json
import uuid
from typing import Mapping

from ..state.findings import merged

EVENT, SNS, RAW = "event", "sns", "raw"
WRAPS = (EVENT, SNS, RAW)


def message_body(finding: Mapping, account: str, region: str, partition: str, now: str, wrap: str) -> str:
    """The body of the message that reports a finding of `account`'s detector."""
    if wrap not in WRAPS:
        raise ValueError(f"wrap is one of {', '.join(WRAPS)}")
    if wrap == RAW:
        return json.dumps(finding)
    event = json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "GuardDuty Finding",
            "source": "aws.guardduty",
            "account": account,
            "time": now[: len("2026-01-01T00:00:00")] + "Z",
            "region": region,
            "resources": [],
            "detail": finding,
        }
    )
    if wrap == EVENT:
        return event
    topic = f"arn:{partition}:sns:{region}:{account}:guardduty-findings"
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": topic,
            "Message": event,
            "Timestamp": now,
            "SignatureVersion": "1",
            "Signature": "RVhBTVBMRQ==",
            "SigningCertURL": f"https://sns.{region}.amazonaws.com/SimpleNotificationService-example.pem",
            "UnsubscribeURL": f"https://sns.{region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={topic}:example",
        }
    )


def changed(finding: Mapping, change: Mapping) -> dict:
    """What an event claims of a finding, which need not be what GuardDuty stores."""
    if not isinstance(change, dict):
        raise ValueError("change is a JSON object")
    return merged(dict(finding), change)
