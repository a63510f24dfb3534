"""What schemathesis is given about the running service: who asks, from where, and the ids of what there is.

It loads this by SCHEMATHESIS_HOOKS. What is asked and answered is written to a file, a line for each, for the runner.
"""
import itertools
import json
import os
from pathlib import Path

import schemathesis

import known
from program import Addresses, Program

THERE = json.loads(Path(os.environ["RESCIND_API_SCENE"]).read_text())
CALLER = os.environ["RESCIND_API_CALLER"]
CALLS = Path(os.environ["RESCIND_API_CALLS"]).open("a", buffering=1)
ADDRESSES = Addresses(int(os.environ["RESCIND_API_NETWORK"]))
KEYS = itertools.count(1)

if CALLER != known.ANONYMOUS:
    schemathesis.auth.set_from_requests(Program(THERE, CALLER))


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Ids that there are, as examples: each phase of schemathesis begins with these."""
    for path, item in raw_schema["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    values = known.values(THERE, operation["operationId"], parameter["name"])
                    parameter["examples"] = {str(value): {"value": value} for value in values}
            body = known.body(THERE, operation["operationId"])
            if body is not None:
                operation["requestBody"]["content"]["application/json"]["example"] = body


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Most of what is generated would name nothing: two of three times it is replaced by an id that there is."""
    operation = context.operation.definition.raw["operationId"]
    for name, value in (path_parameters or {}).items():
        there = known.values(THERE, operation, name)
        number = sum(str(value).encode("utf-8", "surrogatepass"))
        # What is not of the type of the ids was made so on purpose.
        if there and type(value) is type(there[0]) and number % 3:
            path_parameters[name] = there[number % len(there)]
    return path_parameters


@schemathesis.hook
def map_query(context, query):
    """Events after a number that there is come at once."""
    after = (query or {}).get("after")
    if context.operation.definition.raw["operationId"] == "events" and type(after) is int:
        query["after"] = after % 9
    return query


@schemathesis.hook
def filter_headers(context, headers):
    """What HTTP does not allow in a header is refused by the HTTP library, without a document: tests/api/fuzz.py."""
    return all(32 <= ord(one) != 127 or one == "\t" for value in (headers or {}).values() for one in str(value))


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers["X-Forwarded-For"] = ADDRESSES.next()
    # The same key with another request is refused: each request has its own. What a replay answers, tests/it asks.
    key = case.headers.get("Idempotency-Key")
    if key and len(key) <= 255:
        own = f"{CALLER}{next(KEYS)}"
        case.headers["Idempotency-Key"] = key[: max(0, 255 - len(own))] + own


@schemathesis.hook
def after_call(context, case, response):
    line = {
        "operation": case.operation.definition.raw["operationId"],
        "method": case.method,
        "path": case.formatted_path,
        "status": response.status_code,
        "code": code(response),
    }
    CALLS.write(json.dumps(line) + "\n")


def code(response):
    """The code of a problem."""
    try:
        return response.json().get("code") if response.status_code >= 400 else None
    except (ValueError, AttributeError):
        return None


@schemathesis.deserializer("application/x-ndjson")
def lines(context, response):
    return [json.loads(line) for line in response.text.splitlines()]


@schemathesis.check
def keeps_its_secrets(context, response, case):
    """No answer has a secret in it, nor the proof of who asked."""
    for secret in known.secrets(THERE):
        assert secret not in response.text and secret not in str(response.headers), "a secret is in the answer"


@schemathesis.check
def says_nothing_of_other_accounts(context, response, case):
    """Whoever may see one account gets nothing of another one, but what they sent themselves."""
    shop = THERE["accounts"]["shop"]
    if CALLER == "viewer" and shop not in response.request.url and shop not in str(case.body):
        assert shop not in response.text, "it says something of an account that is not theirs"


@schemathesis.check
def refuses_with_a_documented_code(context, response, case):
    if response.status_code >= 400:
        assert response.json()["code"] in known.codes(), "docs/api.md does not have this code"
