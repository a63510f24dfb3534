"""The control interface: plain JSON under ``/emulator/``, for tests and the demo.

It has no authentication: the server listens on the loopback interface only.
"""
import json
import secrets
from typing import Mapping, Tuple
from urllib.parse import parse_qs, urlsplit

from ..errors import AwsError
from ..state.clock import milliseconds, parse_time
from ..state.faults import Fault
from ..state.world import World
from .buses import BusControl
from .findings import FindingControl
from .instances import InstanceControl
from .organization import Scene, account_trust, service_trust, session_answer
from .queues import QueueControl
from .security_hub import SecurityHubControl
from .topics import TopicControl
from .users import UserControl
from .webhooks import WebhookControl

PREFIX = "/emulator/"
SIX_HOURS = 21600


class Control:
    def __init__(self, world: World) -> None:
        self._world = world
        self._scene = Scene(world)
        self._queues = QueueControl(world, self._account, self._detector)
        self._findings = FindingControl(world, self._queues, self._detector)
        self._instances = InstanceControl(world, self._account)
        self._users = UserControl(world, self._account)
        self._topics = TopicControl(world, self._account)
        self._buses = BusControl(world, self._account)
        self._security_hub = SecurityHubControl(world, self._account)
        self._webhooks = WebhookControl(world)
        self._routes = {
            ("GET", "health"): self._health,
            ("POST", "organization"): self._organization,
            ("POST", "roles"): self._roles,
            ("POST", "users"): self._users.create,
            ("POST", "instances"): self._instances.create,
            ("POST", "sessions"): self._sessions,
            ("POST", "findings"): self._findings.inject,
            ("POST", "findings/exfiltration"): self._findings.exfiltration,
            ("POST", "findings/attack-sequence"): self._findings.attack_sequence,
            ("POST", "detectors"): self._set_detector,
            ("POST", "queues"): self._queues.create,
            ("GET", "queues"): self._queues.describe,
            ("POST", "messages"): self._queues.send,
            ("POST", "events"): self._queues.send_events,
            ("POST", "topics"): self._topics.create,
            ("GET", "topics"): self._topics.describe,
            ("POST", "buses"): self._buses.create,
            ("GET", "buses"): self._buses.describe,
            ("POST", "security-hub"): self._security_hub.enable,
            ("GET", "security-hub"): self._security_hub.describe,
            ("POST", "webhooks"): self._webhooks.plan,
            ("GET", "webhooks"): self._webhooks.describe,
            ("GET", "calls"): self._list_calls,
            ("DELETE", "calls"): self._clear_calls,
            ("POST", "faults"): self._arm_fault,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._advance_clock,
            ("POST", "cloudtrail"): self._set_trail,
            ("GET", "switches"): self._show_switches,
            ("POST", "switches"): self._set_switches,
            ("POST", "reset"): self._reset,
        }

    def answer(self, method: str, url: str, body: bytes) -> Tuple[int, dict]:
        """(HTTP status, JSON object)."""
        parts = urlsplit(url)
        path = parts.path[len(PREFIX) :].rstrip("/")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            fields = json.loads(body or b"{}")
            if not isinstance(fields, dict):
                raise ValueError("the body is not a JSON object")
            if path.startswith("faults/"):
                return self._fault(method, path, query)
            handler = self._routes.get((method, path))
            if handler is None:
                return 404, {"error": f"there is no {method} {PREFIX}{path}"}
            return 200, handler(fields, query)
        except KeyError as error:
            return 400, {"error": f"missing field: {error.args[0]}"}
        except (ValueError, TypeError, AttributeError, AwsError) as error:
            return 400, {"error": str(error)}

    def _health(self, fields: Mapping, query: Mapping) -> dict:
        return {"ok": True}

    def _organization(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            return self._scene.build(fields)

    def _roles(self, fields: Mapping, query: Mapping) -> dict:
        partition = self._world.directory.partition
        with self._world.lock:
            account = self._account(fields)
            instance_profile = fields.get("instance_profile", True)
            default = service_trust("ec2.amazonaws.com") if instance_profile else account_trust(partition, account)
            role = self._scene.create_role(
                account,
                fields["name"],
                fields.get("policy"),
                fields.get("trust") or default,
                path=fields.get("path", "/"),
                policy_name=fields.get("policy_name", "permissions"),
                instance_profile=instance_profile,
                max_session_duration=fields.get("max_session_duration", 3600),
            )
            return {"arn": role.arn, "role_id": role.id}

    def _sessions(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            account, issued_at = self._account(fields), fields.get("issued_at")
            moment = parse_time(issued_at) if issued_at else self._world.clock.now()
            duration = int(fields.get("duration", SIX_HOURS))
            if "user" in fields:
                session = self._scene.issue_user_session(account, fields["user"], moment, duration)
            else:
                name = fields.get("session_name") or "i-" + secrets.token_hex(8) + "0"
                session = self._scene.issue_session(account, fields["role"], name, moment, duration)
            return session_answer(session)

    def _list_calls(self, fields: Mapping, query: Mapping) -> dict:
        return {"calls": self._world.calls.since(int(query.get("since", 0)))}

    def _clear_calls(self, fields: Mapping, query: Mapping) -> dict:
        self._world.calls.clear()
        return {}

    def _arm_fault(self, fields: Mapping, query: Mapping) -> dict:
        fault = Fault.parse(fields)
        self._world.faults.arm(fault)
        return {"name": fault.name}

    def _fault(self, method: str, path: str, query: Mapping) -> Tuple[int, dict]:
        name, _, rest = path[len("faults/") :].partition("/")
        fault = self._world.faults.get(name)
        if fault is None:
            return 404, {"error": f"there is no fault {name}"}
        if (method, rest) == ("GET", "reached"):
            return 200, {"reached": fault.reached.wait(float(query.get("timeout", 20)))}
        if (method, rest) == ("DELETE", ""):
            self._world.faults.remove(name)
            return 200, {}
        return 404, {"error": f"there is no {method} {PREFIX}{path}"}

    def _clock(self, fields: Mapping, query: Mapping) -> dict:
        return {"now": self._now(), "offset_seconds": self._world.clock.offset_seconds}

    def _advance_clock(self, fields: Mapping, query: Mapping) -> dict:
        self._world.clock.advance(float(fields["advance_seconds"]))
        return self._clock(fields, query)

    def _set_trail(self, fields: Mapping, query: Mapping) -> dict:
        delay = float(fields["delay_seconds"])
        if not delay >= 0:
            raise ValueError("delay_seconds is not negative")
        self._world.cloudtrail.delay_seconds = delay
        return {"delay_seconds": delay}

    def _set_detector(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            detector = self._detector(fields)
            detector.status = fields.get("status", detector.status)
            detector.frequency = fields.get("frequency", detector.frequency)
            detector.unusual_members.update(fields.get("members") or {})
            return {"id": detector.id}

    def _show_switches(self, fields: Mapping, query: Mapping) -> dict:
        return self._world.switches.as_dict()

    def _set_switches(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            self._world.switches.update(dict(fields))
            return self._world.switches.as_dict()

    def _reset(self, fields: Mapping, query: Mapping) -> dict:
        self._world.reset()
        return {}

    def _now(self) -> str:
        return milliseconds(self._world.clock.now())

    def _account(self, fields: Mapping) -> str:
        account = fields["account"]
        if account not in self._world.directory.account_ids:
            raise ValueError(f"there is no account {account}")
        return account

    def _detector(self, fields: Mapping):
        account, region = self._account(fields), fields["region"]
        detector = self._world.guardduty.detector(account, region)
        if detector is None:
            raise ValueError(f"account {account} has no detector in {region}")
        return detector
