"""Everything the emulator holds; one per process."""
import threading

from moto.core.base_backend import BackendDict
from moto.organizations.models import organizations_backends

from .buckets import Buckets
from .buses import Buses
from .calls import CallLog
from .clock import Clock
from .detectors import Detectors
from .directory import Directory
from .faults import Faults
from .imports import ImportedFindings
from .instances import Instances
from .queues import Queues
from .root_keys import RootKeys
from .sessions import SessionStore
from .signing_keys import SigningKeys
from .spread import Spread
from .switches import Switches
from .tables import Tables
from .topics import Topics
from .trail import Trail
from .webhooks import Webhooks
from .witnesses import Witnesses


class World:
    def __init__(self) -> None:
        # moto is not thread-safe: whoever reads or changes state holds this lock.
        self.lock = threading.RLock()
        self.clock = Clock()
        self.directory = Directory()
        self.sessions = SessionStore(self.directory)
        self.root_keys = RootKeys()
        self.switches = Switches()
        self.spread = Spread(self.directory, self.clock, self.switches)
        self.faults = Faults()
        self.calls = CallLog()
        self.trail = Trail()
        self.detectors = Detectors()
        self.imports = ImportedFindings()
        self.instances = Instances()
        self.queues = Queues()
        self.signing_keys = SigningKeys()
        self.tables = Tables()
        self.buckets = Buckets()
        self.topics = Topics()
        self.buses = Buses()
        self.webhooks = Webhooks()
        self.witnesses = Witnesses()

    def reset(self) -> None:
        self.faults.reset()
        self.queues.reset()
        self.webhooks.reset()
        self.witnesses.reset()
        with self.lock:
            BackendDict.reset()
            organizations_backends.master_accounts.clear()
            self.directory.reset()
            self.sessions.reset()
            self.root_keys.reset()
            self.switches.reset()
            self.spread.reset()
            self.clock.reset()
            self.calls.clear()
            self.trail.reset()
            self.detectors.reset()
            self.imports.reset()
            self.instances.reset()
            self.signing_keys.reset()
            self.tables.reset()
            self.buckets.reset()
            self.topics.reset()
            self.buses.reset()
