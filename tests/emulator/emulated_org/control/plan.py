"""A request to build an organization, checked before anything is built."""
import re
from typing import List, Mapping

from ..state.directory import DISABLED, MAIN_REGIONS, partition_of

MANAGEMENT_ID = "999999999999"
STATES = {
    # State: the older Status that goes with it
    "ACTIVE": "ACTIVE",
    "PENDING_ACTIVATION": "PENDING_ACTIVATION",
    "PENDING_CLOSURE": "PENDING_CLOSURE",
    "SUSPENDED": "SUSPENDED",
    "CLOSED": "SUSPENDED",
}


class Plan:
    def __init__(self, request: Mapping) -> None:
        self.partition = request.get("partition", "aws")
        if self.partition not in MAIN_REGIONS:
            raise ValueError(f"partition is one of {sorted(MAIN_REGIONS)}")
        self.regions = request.get("regions") or [MAIN_REGIONS[self.partition]]
        self.region_states = {
            **dict.fromkeys(request.get("enabled_regions") or [], "ENABLED"),
            **dict.fromkeys(self.regions, "ENABLED_BY_DEFAULT"),
        }
        for region in request.get("disabled_regions") or []:
            if region in self.region_states:
                raise ValueError(f"region {region} cannot be disabled and in use")
            self.region_states[region] = DISABLED
        for region in self.region_states:
            if partition_of(region) != self.partition:
                raise ValueError(f"region {region} is not in partition {self.partition}")
        self.member_role = request.get("member_role", "RescindRemediation")
        self.member_role_path = request.get("member_role_path", "/")
        if not (self.member_role_path.startswith("/") and self.member_role_path.endswith("/")):
            raise ValueError("member_role_path begins and ends with a slash")
        self.external_id = request.get("external_id") or ""
        self.source_identity = request.get("source_identity", "rescind")
        self.member_policy = request["member_policy"]
        self.more_member_policies = request.get("more_member_policies") or {}
        # By path and name: `rescind/Quarantine`.
        self.member_managed_policies = request.get("member_managed_policies") or {}
        self.member_trust = request.get("member_trust")
        self.hub_policy = request.get("hub_policy")
        self.delegation_policy = request.get("delegation_policy")
        self.ous = request.get("ous") or []
        for number, path in enumerate(self.ous):
            parent = path.rpartition("/")[0]
            if parent and parent not in self.ous[:number]:
                raise ValueError(f"the organizational unit {parent} has to come before {path}")
        management = request.get("management") or {}
        self.management_id = management.get("id", MANAGEMENT_ID)
        self._management_has_role = bool(management.get("member_role", False))
        self.accounts = self._accounts(request["accounts"])
        admins = [account["id"] for account in self.accounts if account.get("delegated_admin")]
        if len(admins) != 1:
            raise ValueError("exactly one account has delegated_admin")
        self.admin_id = admins[0]

    def _accounts(self, accounts: List[Mapping]) -> List[dict]:
        taken = {self.management_id} | {account["id"] for account in accounts if "id" in account}
        complete = []
        for number, account in enumerate(accounts, 1):
            if (account.get("ou") or None) not in [None] + self.ous:
                raise ValueError(f"account {account['name']}: there is no organizational unit {account['ou']}")
            if account.get("state", "ACTIVE") not in STATES:
                raise ValueError(f"account {account['name']}: state is one of {sorted(STATES)}")
            id = account.get("id") or _free_id(number, taken)
            taken.add(id)
            complete.append({**account, "id": id})
        _check_unique("name", [account["name"] for account in complete])
        ids = [self.management_id] + [account["id"] for account in complete]
        _check_unique("id", ids)
        for id in ids:
            if not re.fullmatch(r"\d{12}", id):
                raise ValueError(f"an account id has twelve digits, unlike {id}")
        return complete

    def member_role_accounts(self):
        """(name, id, whether the account gets the member role); None names the management account."""
        yield None, self.management_id, self._management_has_role
        for account in self.accounts:
            yield account["name"], account["id"], account.get("member_role", True)


def _free_id(number: int, taken: set) -> str:
    candidate = 100000000000 + number
    while str(candidate) in taken:
        candidate += 1000
    return str(candidate)


def _check_unique(what: str, values: List[str]) -> None:
    repeated = {value for value in values if values.count(value) > 1}
    if repeated:
        raise ValueError(f"account {what} used twice: {sorted(repeated)}")
