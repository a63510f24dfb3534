"""AWS Account Management: which regions an account can be used in."""
from typing import List

from ..enforcement import Principal
from ..errors import AwsError, NotEmulated
from ..protocol.answers import Answer, json_answer
from ..protocol.calls import Call
from ..state.world import World
from .paging import page

PAGE_LIMIT = 50
STATES = ("ENABLED", "ENABLING", "DISABLING", "DISABLED", "ENABLED_BY_DEFAULT")


class Account:
    def __init__(self, world: World) -> None:
        self._directory = world.directory

    def handle(self, call: Call, principal: Principal) -> Answer:
        body = call.json_body()
        if body.get("AccountId", principal.account) != principal.account:
            raise NotEmulated("account:ListRegions for another account")
        wanted = _wanted_states(body)
        regions = [
            {"RegionName": name, "RegionOptStatus": state}
            for name, state in sorted(self._directory.regions.items())
            if state in wanted
        ]
        try:
            listed, token = page(regions, _page_size(body), body.get("NextToken"))
        except ValueError:
            raise _validation_error("nextToken") from None
        return json_answer(call, {"Regions": listed, **({"NextToken": token} if token else {})})


def _wanted_states(body: dict) -> List[str]:
    wanted = body.get("RegionOptStatusContains") or list(STATES)
    if not isinstance(wanted, list) or not set(wanted) <= set(STATES):
        raise _validation_error("regionOptStatusContains")
    return wanted


def _page_size(body: dict) -> int:
    size = body.get("MaxResults", PAGE_LIMIT)
    if not isinstance(size, int) or not 1 <= size <= PAGE_LIMIT:
        raise _validation_error("maxResults")
    return size


def _validation_error(name: str) -> AwsError:
    return AwsError("ValidationException", f"The value of {name} is not valid.")
