"""All queues: sending, receiving with long polling, deleting, dead letters.

Visibility timeouts run on the machine's own clock, not on the emulator's: a
receiver waits in real time, so its messages come back in real time too.
"""
import dataclasses
import threading
import time
import uuid
from typing import Callable, Dict, List, Optional

from ..errors import AwsError, NoAnswer
from .messages import Message, Queue, bad_handle, no_such_queue
from .named import Named

# How often a waiting receiver looks whether its client is still there.
POLL_SECONDS = 0.1


class Queues:
    """All queues, by name: the emulator does not allow two of one name."""

    def __init__(self) -> None:
        # The queues' own lock: a receiver that waits must not stop other calls.
        self._changed = threading.Condition()
        self._queues: Named[Queue] = Named("queue", "queues")
        self._sequence = 0

    def reset(self) -> None:
        with self._changed:
            for queue in self._queues:
                queue.is_gone = True
            self._queues.clear()
            self._changed.notify_all()

    def create(self, queue: Queue) -> Queue:
        with self._changed:
            return self._queues.add(queue.name, queue)

    def named(self, name: str) -> Queue:
        """For the control interface: ValueError if there is none."""
        with self._changed:
            return self._queues.named(name)

    def find(self, account: str, region: str, name: str) -> Queue:
        with self._changed:
            queue = self._queues.find(name)
        if queue is None or (queue.account, queue.region) != (account, region):
            raise no_such_queue()
        return queue

    def counts(self, queue: Queue) -> Dict[str, int]:
        with self._changed:
            return queue.counts()

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
            earlier = queue.deduplication.earlier(deduplication_id) if queue.fifo else None
            if earlier:
                return earlier
            self._sequence += 1
            message = Message(
                id=str(uuid.uuid4()),
                body=body,
                sent_ms=now_ms,
                sender_id=sender_id,
                visible_at=time.monotonic() + delay_seconds,
                sequence_number=f"{18850000000000000000 + self._sequence * 256}",
                group=group,
                deduplication_id=deduplication_id,
            )
            queue.messages[message.id] = message
            queue.sent += 1
            if queue.fifo:
                queue.deduplication.remember(deduplication_id, message)
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

        Raises NoAnswer when nobody waits any more: a message must not be
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
                    raise NoAnswer
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
                raise bad_handle(handle, "The receipt handle has expired.")
            if not outdated:
                del queue.messages[message.id]
                queue.deleted += 1
                self._changed.notify_all()

    def change_visibility(self, queue: Queue, handle: str, seconds: int) -> None:
        with self._changed:
            message, now = queue.message_of(handle), time.monotonic()
            if message is None or message.handle != handle:
                raise bad_handle(handle, "Message does not exist or is not available for visibility timeout change.")
            if not message.is_in_flight(now):
                raise AwsError("MessageNotInflight", "The specified message isn't in flight.")
            message.visible_at = now + seconds
            self._changed.notify_all()
