"""SNS topics: what was published to them. Nothing is delivered to anybody."""
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Tuple

NAME = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
FIFO_SUFFIX = ".fifo"
DEDUPLICATION_SECONDS = 300


@dataclass(frozen=True)
class Publication:
    id: str
    # The default text, also when there are others by protocol.
    message: str
    subject: Optional[str]
    structure: Optional[Dict[str, str]]
    attributes: Dict[str, Dict[str, str]]
    group: Optional[str]
    deduplication_id: Optional[str]
    sequence_number: str

    def described(self) -> dict:
        return {
            "message_id": self.id,
            "subject": self.subject,
            "message": self.message,
            "structure": self.structure,
            "attributes": self.attributes,
            "group": self.group,
            "deduplication": self.deduplication_id,
        }


@dataclass
class Topic:
    account: str
    region: str
    name: str
    partition: str
    published: List[Publication] = field(default_factory=list)
    # deduplication id -> (until when it counts, the publication it belongs to)
    deduplication: Dict[str, Tuple[float, Publication]] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:sns:{self.region}:{self.account}:{self.name}"

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(FIFO_SUFFIX)


class Topics:
    """All topics, by name, of which there are no two. Whoever uses it holds the world's lock."""

    def __init__(self) -> None:
        self._topics: Dict[str, Topic] = {}
        self._sequence = 0

    def reset(self) -> None:
        self._topics.clear()

    def create(self, topic: Topic) -> Topic:
        if topic.name in self._topics:
            raise ValueError(f"there is a topic {topic.name} already")
        self._topics[topic.name] = topic
        return topic

    def named(self, name: str) -> Topic:
        """For the control interface: ValueError if there is none."""
        if name not in self._topics:
            raise ValueError(f"there is no topic {name}: make it with POST topics")
        return self._topics[name]

    def find(self, arn: str) -> Optional[Topic]:
        topic = self._topics.get(arn.rpartition(":")[2])
        return topic if topic and topic.arn == arn else None

    def publish(self, topic: Topic, **fields) -> Publication:
        """The publication; of a duplicate in a FIFO topic, the one that came first."""
        now, duplicate_of = time.monotonic(), fields["deduplication_id"]
        if topic.is_fifo:
            until, earlier = topic.deduplication.get(duplicate_of, (0.0, None))
            if earlier and now < until:
                return earlier
        self._sequence += 1
        number = f"{10000000000000000000 + self._sequence * 1000}"
        publication = Publication(id=str(uuid.uuid4()), sequence_number=number, **fields)
        topic.published.append(publication)
        if topic.is_fifo:
            topic.deduplication[duplicate_of] = (now + DEDUPLICATION_SECONDS, publication)
        return publication


def topic_of_request(fields: Mapping, partition: str) -> Topic:
    """The topic that a request to the control interface describes."""
    name, fifo = fields["name"], bool(fields.get("fifo", False))
    if not isinstance(name, str) or name.endswith(FIFO_SUFFIX) != fifo:
        raise ValueError("the name of a FIFO topic, and of no other, ends in .fifo")
    if not NAME.fullmatch(name[: -len(FIFO_SUFFIX)] if fifo else name):
        raise ValueError("a topic's name has 1 to 256 letters, digits, hyphens and underscores")
    return Topic(fields["account"], fields["region"], name, partition)


def topic_arn(params: Mapping[str, str]) -> Tuple[str, str]:
    """(name, value) of the parameter that says where to publish. Either is good for a topic."""
    name = "TargetArn" if params.get("TargetArn") and not params.get("TopicArn") else "TopicArn"
    return name, params.get(name, "")
