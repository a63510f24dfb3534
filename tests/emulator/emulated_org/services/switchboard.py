"""Which service answers a call: one of ours, or moto for those that it emulates well enough."""
from ..enforcement import Enforcement, Principal
from ..moto_bridge import forward
from ..protocol.answers import Answer
from ..protocol.calls import Call
from ..state.world import World
from .account import Account
from .cloudtrail.lookup import CloudTrail
from .dynamodb import DynamoDb
from .ec2 import Ec2
from .eventbridge import EventBridge
from .guardduty.service import GuardDuty
from .iam.service import Iam
from .kms import Kms
from .organizations.service import Organizations
from .s3 import S3
from .security_hub import SecurityHub
from .sns import Sns
from .sqs import Sqs
from .sts import Sts

# Services whose calls may wait, and that have locks of their own.
WAITING = ("sqs",)


class Switchboard:
    def __init__(self, world: World, enforcement: Enforcement) -> None:
        self._services = {
            "account": Account(world),
            "cloudtrail": CloudTrail(world),
            "dynamodb": DynamoDb(world),
            "ec2": Ec2(world),
            "events": EventBridge(world),
            "guardduty": GuardDuty(world),
            "iam": Iam(world),
            "kms": Kms(world),
            "organizations": Organizations(world, enforcement),
            "s3": S3(world),
            "securityhub": SecurityHub(world),
            "sns": Sns(world),
            "sqs": Sqs(world),
            "sts": Sts(world, enforcement),
        }

    def may_wait(self, call: Call) -> bool:
        """Whether a call is served without the world's lock."""
        return call.service in WAITING

    def serve(self, call: Call, principal: Principal) -> Answer:
        """Answers a call that is already authorized."""
        service = self._services.get(call.service)
        return service.handle(call, principal) if service else forward(call, principal.account)
