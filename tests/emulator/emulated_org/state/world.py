"""Everything the emulator holds, wired together; one per process."""
import threading

from moto.core.base_backend import BackendDict
from moto.organizations.models import organizations_backends

from ..enforcement import Enforcement
from ..services.account import Account
from ..services.cloudtrail.lookup import CloudTrail
from ..services.ec2 import Ec2
from ..services.eventbridge import EventBridge
from ..services.guardduty.service import GuardDuty
from ..services.iam.service import Iam
from ..services.iam.simulator import Simulator
from ..services.organizations import Organizations
from ..services.security_hub import SecurityHub
from ..services.sns import Sns
from ..services.sqs import Sqs
from ..services.sts import Sts
from .buses import Buses
from .calls import CallLog
from .clock import Clock
from .directory import Directory
from .faults import Faults
from .instances import Instances
from .queues import Queues
from .sessions import SessionStore
from .switches import Switches
from .topics import Topics
from .trail import Trail
from .webhooks import Webhooks

# The IAM user whose access key the control interface hands out for an account.
OPERATOR = "operator"


class World:
    def __init__(self) -> None:
        # moto is not thread-safe: whoever reads or changes state holds this lock.
        self.lock = threading.RLock()
        self.clock = Clock()
        self.directory = Directory()
        self.sessions = SessionStore()
        self.switches = Switches()
        self.faults = Faults()
        self.calls = CallLog()
        self.enforcement = Enforcement(self.directory, self.sessions, OPERATOR)
        self.sts = Sts(self.directory, self.sessions, self.enforcement, self.clock)
        self.iam = Iam(self.directory, Simulator(self.directory, self.switches), self.switches)
        self.organizations = Organizations(self.directory, self.switches)
        self.guardduty = GuardDuty(self.directory, self.clock)
        self.account = Account(self.directory)
        self.instances = Instances()
        self.ec2 = Ec2(self.instances)
        self.trail = Trail(self.directory)
        self.cloudtrail = CloudTrail(self.trail, self.clock)
        self.queues = Queues()
        self.sqs = Sqs(self.directory, self.queues, self.clock)
        self.topics = Topics()
        self.sns = Sns(self.topics)
        self.buses = Buses()
        self.eventbridge = EventBridge(self.directory, self.buses, self.clock)
        self.security_hub = SecurityHub(self.directory)
        self.webhooks = Webhooks()

    def reset(self) -> None:
        self.faults.reset()
        self.queues.reset()
        self.webhooks.reset()
        with self.lock:
            BackendDict.reset()
            organizations_backends.master_accounts.clear()
            self.directory.reset()
            self.sessions.reset()
            self.switches.reset()
            self.clock.reset()
            self.calls.clear()
            self.iam.reset()
            self.guardduty.reset()
            self.instances.reset()
            self.cloudtrail.reset()
            self.topics.reset()
            self.buses.reset()
            self.security_hub.reset()
