"""S3 is moto's, in the account of the bucket. What an answer says of a lock is kept."""
from ..enforcement import Principal
from ..moto_bridge import forward
from ..protocol.answers import Answer
from ..protocol.calls import Call
from ..state.world import World


class S3:
    def __init__(self, world: World) -> None:
        self._world = world

    def handle(self, call: Call, principal: Principal) -> Answer:
        owner = self._world.buckets.owner(call.params.get("Bucket", "")) or principal.account
        return forward(call, owner, kept=("content-type", "location", "etag", "x-amz-"))
