"""Changes that count for decisions some time after they were made, as on AWS.

What decisions need is asked for here. The switches `iam_spread_seconds` and `scp_spread_seconds` say after how many
seconds of the emulator's clock an API call's change counts. Until then a decision gets what stood before it. Several
changes of one thing count one after another, each at its own time.

Reads and the policy simulator do not ask here, and neither does the control interface: they know all at once.
"""
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Callable, Dict, Iterator, List, Optional, Tuple

from ..policy.documents import Policy
from ..protocol.calls import Call
from .clock import Clock
from .directory import Directory
from .standing import KeyStanding, Standing, standing_of
from .switches import Switches

# The switches with the delays, which also name the two kinds of change.
IAM, SCP = "iam_spread_seconds", "scp_spread_seconds"
KINDS = {"iam": IAM, "organizations": SCP}


class Spread:
    def __init__(self, directory: Directory, clock: Clock, switches: Switches) -> None:
        self._directory = directory
        self._clock = clock
        self._switches = switches
        self.reset()

    def reset(self) -> None:
        # Kind of change -> id of what changed -> (when a change counts, what stood before it), oldest first.
        self._late: Dict[str, Dict[str, List[Tuple[datetime, object]]]] = {IAM: {}, SCP: {}}

    def role(self, account: str, role_id: str) -> Optional[Standing]:
        return self._in_force(IAM, role_id, lambda: self._now(self._directory.role_by_id(account, role_id), "role"))

    def user(self, account: str, user_id: str) -> Optional[Standing]:
        return self._in_force(IAM, user_id, lambda: self._now(self._directory.user_by_id(account, user_id), "user"))

    def key(self, access_key_id: str) -> Optional[KeyStanding]:
        return self._in_force(IAM, access_key_id, lambda: self._key_now(access_key_id))

    def role_by_arn(self, arn: str) -> Optional[Standing]:
        for id in list(self._late[IAM]):
            # A deleted role is there for as long as its deletion does not count.
            standing = self._in_force(IAM, id, lambda: None)
            if isinstance(standing, Standing) and standing.kind == "role" and standing.arn == arn:
                return standing
        role = self._directory.role_by_arn(arn)
        return self.role(role.account_id, role.id) if role else None

    def service_control_policies(self, account: str) -> List[List[Policy]]:
        """The SCPs in force, one list per level; each level has to allow an action."""
        levels = self._in_force(SCP, account, lambda: self._directory.service_control_documents(account))
        return [[Policy.parse(document, id) for id, document in level] for level in levels]

    @contextmanager
    def delaying(self, call: Call, account: str) -> Iterator[None]:
        """Keeps what stood before the call, which is served meanwhile, for as long as its change does not count."""
        kind = KINDS.get(call.service)
        seconds = getattr(self._switches, kind) if kind and not call.is_read else 0
        if not seconds:
            yield
            return
        before = self._views(kind, call, account)
        try:
            yield
        finally:
            after = self._views(kind, call, account)
            until = self._clock.now() + timedelta(seconds=seconds)
            for id in [*before, *(id for id in after if id not in before)]:
                if before.get(id) != after.get(id):
                    self._late[kind].setdefault(id, []).append((until, before.get(id)))

    def _in_force(self, kind: str, id: str, current: Callable):
        late = self._late[kind]
        if not getattr(self._switches, kind):
            # Without a delay all counts at once, also what was still to come.
            late.clear()
            return current()
        entries, now = late.get(id, []), self._clock.now()
        while entries and entries[0][0] <= now:
            entries.pop(0)
        if entries:
            return entries[0][1]
        late.pop(id, None)
        return current()

    def _views(self, kind: str, call: Call, account: str) -> Dict[str, object]:
        """What a call can change, by id, as decisions know it."""
        if kind == SCP:
            accounts = self._directory.account_ids
            return {account: self._directory.service_control_documents(account) for account in accounts}
        roles, users = self._may_change(call, account)
        views: Dict[str, object] = {role.id: standing_of(self._directory, role, "role") for role in roles}
        for user in users:
            views[user.id] = standing_of(self._directory, user, "user")
            for key in user.access_keys:
                views[key.access_key_id] = _key_standing(account, user, key)
        return views

    def _may_change(self, call: Call, account: str) -> Tuple[list, list]:
        """The role or user that a call names. Managed policies change all that have them, a new name hides the old."""
        directory, params = self._directory, call.params
        if "RoleName" in params:
            return list(filter(None, [directory.role(account, params["RoleName"])])), []
        if "UserName" in params and "NewUserName" not in params:
            return [], list(filter(None, [directory.user(account, params["UserName"])]))
        iam = directory.iam(account)
        return list(iam.get_roles()), list(iam.users.values())

    def _now(self, entity, kind: str) -> Optional[Standing]:
        return standing_of(self._directory, entity, kind) if entity is not None else None

    def _key_now(self, access_key_id: str) -> Optional[KeyStanding]:
        account, key = self._directory.access_key(access_key_id)
        user = self._directory.user(account, key.user_name) if key else None
        return _key_standing(account, user, key) if user else None


def _key_standing(account: str, user, key) -> KeyStanding:
    return KeyStanding(account, user.id, key.status == "Active")
