"""Pages of twenty. AWS may answer fewer items than asked for, even none, and go on."""
from ...errors import AwsError
from ...protocol.answers import Answer, json_answer
from ...protocol.calls import Call
from ..paging import page, token_of

PAGE_LIMIT = 20


def page_answer(call: Call, name: str, items: list, begins_empty: bool = False) -> Answer:
    body = call.json_body()
    size = min(int(body.get("MaxResults") or PAGE_LIMIT), PAGE_LIMIT)
    token = body.get("NextToken")
    if begins_empty and not token:
        return json_answer(call, {name: [], "NextToken": token_of(0)})
    try:
        listed, next_token = page(items, size, token)
    except ValueError:
        raise AwsError("InvalidInputException", "You specified an invalid value: NextToken") from None
    return json_answer(call, {name: listed, **({"NextToken": next_token} if next_token else {})})
