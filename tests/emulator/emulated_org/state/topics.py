"""SNS topics: what was published to them. Nothing is delivered to anybody."""
import uuid
from dataclasses import dataclass, field
from typing import Dict, List, Optional

from .deduplication import Deduplication
from .named import Named

FIFO_SUFFIX = ".fifo"


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
    deduplication: Deduplication[Publication] = field(default_factory=Deduplication)

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:sns:{self.region}:{self.account}:{self.name}"

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(FIFO_SUFFIX)


class Topics:
    """All topics, by name, of which there are no two. Whoever uses it holds the world's lock."""

    def __init__(self) -> None:
        self._topics: Named[Topic] = Named("topic", "topics")
        self._sequence = 0

    def reset(self) -> None:
        self._topics.clear()

    def create(self, topic: Topic) -> Topic:
        return self._topics.add(topic.name, topic)

    def named(self, name: str) -> Topic:
        return self._topics.named(name)

    def find(self, arn: str) -> Optional[Topic]:
        topic = self._topics.find(arn.rpartition(":")[2])
        return topic if topic and topic.arn == arn else None

    def publish(self, topic: Topic, **fields) -> Publication:
        """The publication; of a duplicate in a FIFO topic, the one that came first."""
        deduplication_id = fields["deduplication_id"]
        earlier = topic.deduplication.earlier(deduplication_id) if topic.is_fifo else None
        if earlier:
            return earlier
        self._sequence += 1
        number = f"{10000000000000000000 + self._sequence * 1000}"
        publication = Publication(id=str(uuid.uuid4()), sequence_number=number, **fields)
        topic.published.append(publication)
        if topic.is_fifo:
            topic.deduplication.remember(deduplication_id, publication)
        return publication
