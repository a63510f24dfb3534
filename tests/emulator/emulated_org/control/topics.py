"""The part of the control interface that makes topics and tells what was published to them."""
from typing import Callable, Mapping

from ..state.topics import topic_of_request
from ..state.world import World


class TopicControl:
    def __init__(self, world: World, account_of: Callable[[Mapping], str]) -> None:
        self._world = world
        self._account_of = account_of

    def create(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            self._account_of(fields)
            self._world.directory.require_region(fields["region"])
            topic = self._world.topics.create(topic_of_request(fields, self._world.directory.partition))
            return {"arn": topic.arn}

    def describe(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            topic = self._world.topics.named(query["name"])
            return {"messages": [publication.described() for publication in topic.published]}
