"""DynamoDB is moto's. What BatchGetItem leaves undone can be chosen here, and a table can be in several regions."""
import json
from dataclasses import replace

from ..enforcement import Principal
from ..moto_bridge import forward
from ..protocol.answers import Answer, json_answer
from ..protocol.calls import Call
from ..state.world import World


class DynamoDb:
    def __init__(self, world: World) -> None:
        self._tables = world.tables

    def handle(self, call: Call, principal: Principal) -> Answer:
        name = next(iter(_tables(call)), "")
        if not self._tables.is_made(name):
            return forward(call, principal.account)
        region = call.region
        call = _at_home(call, self._tables.home(name, region))
        if call.operation == "DescribeTable":
            fields = json.loads(forward(call, principal.account).body)
            fields["Table"].update(self._tables.described(name, region))
            return json_answer(call, fields)
        if call.operation == "BatchGetItem" and call.failing_entries:
            return self._in_part(call, principal)
        return forward(call, principal.account)

    def _in_part(self, call: Call, principal: Principal) -> Answer:
        """The first keys of each table stay unprocessed, as on a busy table."""
        asked = call.json_body().get("RequestItems", {})
        undone = {table: {**about, "Keys": about["Keys"][: call.failing_entries]} for table, about in asked.items()}
        rest = {table: {**about, "Keys": about["Keys"][call.failing_entries :]} for table, about in asked.items()}
        rest = {table: about for table, about in rest.items() if about["Keys"]}
        fields = {"Responses": {table: [] for table in asked}, "UnprocessedKeys": {}}
        if rest:
            call.body = json.dumps({**call.json_body(), "RequestItems": rest}).encode()
            fields = json.loads(forward(call, principal.account).body)
        for table, about in undone.items():
            keys = fields.setdefault("UnprocessedKeys", {}).setdefault(table, {**about, "Keys": []})
            keys["Keys"] = about["Keys"] + keys["Keys"]
        return json_answer(call, fields)


def _tables(call: Call) -> list:
    """The names of the tables that a call is about."""
    named = call.json_body()
    return [named["TableName"]] if "TableName" in named else list(named.get("RequestItems", {}))


def _at_home(call: Call, home: str) -> Call:
    """The call as it is made in the region where moto has the table. moto reads that from the signature."""
    signed, there = f"/{call.region}/dynamodb/", f"/{home}/dynamodb/"
    return replace(call, headers={name: value.replace(signed, there) for name, value in call.headers.items()})
