"""AWS Organizations, as its management account and those to whom it delegates see it."""
from ...enforcement import Enforcement, Principal
from ...errors import AwsError
from ...moto_bridge import forward
from ...protocol.answers import Answer
from ...protocol.calls import Call
from ...state.world import World
from .delegation import Delegation
from .pages import page_answer
from .policies import Policies


class Organizations:
    def __init__(self, world: World, enforcement: Enforcement) -> None:
        self._directory = world.directory
        self._switches = world.switches
        self._delegation = Delegation(world, enforcement)
        self._operations = {
            "ListAccounts": self._accounts,
            "ListOrganizationalUnitsForParent": self._organizational_units,
            "ListDelegatedAdministrators": self._delegated_administrators,
            "ListTagsForResource": self._tags,
            **Policies(world).operations,
            **self._delegation.operations,
        }

    def handle(self, call: Call, principal: Principal) -> Answer:
        self._delegation.require(call, principal)
        if call.operation in self._operations:
            return self._operations[call.operation](call)
        # moto only knows the organization in the account that owns it.
        return forward(call, self._directory.management_id)

    def _accounts(self, call: Call) -> Answer:
        accounts = [member.describe() for member in self._directory.organization.accounts]
        return page_answer(call, "Accounts", accounts, self._switches.empty_first_accounts_page)

    def _organizational_units(self, call: Call) -> Answer:
        organization = self._directory.organization
        parent = call.params.get("ParentId")
        if all(unit.id != parent for unit in organization.ou):
            raise AwsError("ParentNotFoundException", "You specified parent that doesn't exist.")
        children = [unit.describe()["OrganizationalUnit"] for unit in organization.ou if unit.parent_id == parent]
        return page_answer(call, "OrganizationalUnits", children)

    def _delegated_administrators(self, call: Call) -> Answer:
        admins = self._directory.organization.list_delegated_administrators(**call.json_body())
        return page_answer(call, "DelegatedAdministrators", admins["DelegatedAdministrators"])

    def _tags(self, call: Call) -> Answer:
        thing = self._directory.in_organization(call.params.get("ResourceId", ""))
        if thing is None:
            raise AwsError("TargetNotFoundException", "You specified a target that doesn't exist.")
        return page_answer(call, "Tags", [{"Key": key, "Value": value} for key, value in thing.tags.items()])
