"""AWS Organizations, as its management and delegated administrator accounts see it."""
from typing import Dict

from ..enforcement import Principal
from ..errors import AccessDenied, AwsError
from ..moto_bridge import forward
from ..protocol.answers import Answer, json_answer
from ..protocol.calls import Call
from ..state.world import World
from .paging import page, token_of

PAGE_LIMIT = 20


class Organizations:
    def __init__(self, world: World) -> None:
        self._directory = world.directory
        self._switches = world.switches

    def handle(self, call: Call, principal: Principal) -> Answer:
        self._require_access(call, principal)
        pages = {
            "ListAccounts": self._accounts,
            "ListOrganizationalUnitsForParent": self._organizational_units,
            "ListDelegatedAdministrators": self._delegated_administrators,
            "ListTagsForResource": self._tags,
        }
        if call.operation in pages:
            return self._page(call, *pages[call.operation](call.json_body()))
        # moto only knows the organization in the account that owns it.
        return forward(call, self._directory.management_id)

    def _require_access(self, call: Call, principal: Principal) -> None:
        directory = self._directory
        if principal.account == directory.management_id or call.operation == "DescribeOrganization":
            return
        is_read = call.operation.startswith(("List", "Describe"))
        if is_read and directory.is_delegated_administrator(principal.account):
            return
        raise AccessDenied("You don't have permissions to access this resource.")

    def _accounts(self, body: Dict):
        return "Accounts", [member.describe() for member in self._directory.organization.accounts]

    def _organizational_units(self, body: Dict):
        organization = self._directory.organization
        parent = body.get("ParentId")
        if all(unit.id != parent for unit in organization.ou):
            raise AwsError("ParentNotFoundException", "You specified parent that doesn't exist.")
        children = [unit for unit in organization.ou if unit.parent_id == parent]
        return "OrganizationalUnits", [unit.describe()["OrganizationalUnit"] for unit in children]

    def _delegated_administrators(self, body: Dict):
        admins = self._directory.organization.list_delegated_administrators(**body)
        return "DelegatedAdministrators", admins["DelegatedAdministrators"]

    def _tags(self, body: Dict):
        organization = self._directory.organization
        things = list(organization.accounts) + list(organization.ou)
        thing = next((thing for thing in things if thing.id == body.get("ResourceId")), None)
        if thing is None:
            raise AwsError("TargetNotFoundException", "You specified a target that doesn't exist.")
        return "Tags", [{"Key": key, "Value": value} for key, value in thing.tags.items()]

    def _page(self, call: Call, name: str, items: list) -> Answer:
        """One page. AWS may answer fewer items than asked for, even none, and go on."""
        body = call.json_body()
        size = min(int(body.get("MaxResults") or PAGE_LIMIT), PAGE_LIMIT)
        token = body.get("NextToken")
        if name == "Accounts" and not token and self._switches.empty_first_accounts_page:
            return json_answer(call, {name: [], "NextToken": token_of(0)})
        try:
            listed, next_token = page(items, size, token)
        except ValueError:
            raise AwsError("InvalidInputException", "You specified an invalid value: NextToken") from None
        return json_answer(call, {name: listed, **({"NextToken": next_token} if next_token else {})})
