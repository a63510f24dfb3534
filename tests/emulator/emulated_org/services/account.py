"""AWS Account Management: which regions an account can be used in."""
import base64
import binascii
from typing import List

from ..enforcement import Principal
from ..errors import AwsError, NotEmulated
from ..protocol.calls import Answer, Call, json_answer
from ..state.directory import Directory

PAGE_LIMIT = 50
STATES = ("ENABLED", "ENABLING", "DISABLING", "DISABLED", "ENABLED_BY_DEFAULT")


class Account:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

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
        size, start = _page_size(body), _start(body)
        answer = {"Regions": regions[start : start + size]}
        if start + size < len(regions):
            answer["NextToken"] = base64.b64encode(b"%d" % (start + size)).decode()
        return json_answer(answer)


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


def _start(body: dict) -> int:
    try:
        return int(base64.b64decode(body.get("NextToken") or base64.b64encode(b"0"), validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise _validation_error("nextToken") from None


def _validation_error(name: str) -> AwsError:
    return AwsError("ValidationException", f"The value of {name} is not valid.")
