"""SNS topics: made by name, and what was published to them."""
import re
from typing import Mapping

from ..state.topics import FIFO_SUFFIX, Topic
from .door import Door, Routes

NAME = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)


class Topics(Door):
    @property
    def routes(self) -> Routes:
        return {("POST", "topics"): self._create, ("GET", "topics"): self._describe}

    def _create(self, request: Mapping) -> dict:
        with self._world.lock:
            account, region = self._place(request)
            topic = Topic(account, region, _name(request), self._directory.partition)
            return {"arn": self._world.topics.create(topic).arn}

    def _describe(self, request: Mapping) -> dict:
        with self._world.lock:
            topic = self._world.topics.named(request["name"])
            return {"messages": [publication.described() for publication in topic.published]}


def _name(request: Mapping) -> str:
    name, fifo = request["name"], bool(request.get("fifo", False))
    if not isinstance(name, str) or name.endswith(FIFO_SUFFIX) != fifo:
        raise ValueError("the name of a FIFO topic, and of no other, ends in .fifo")
    if not NAME.fullmatch(name[: -len(FIFO_SUFFIX)] if fifo else name):
        raise ValueError("a topic's name has 1 to 256 letters, digits, hyphens and underscores")
    return name
