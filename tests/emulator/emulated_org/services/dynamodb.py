"""DynamoDB is moto's. Only what BatchGetItem leaves undone can be chosen here."""
import json

from ..enforcement import Principal
from ..moto_bridge import forward
from ..protocol.answers import Answer, json_answer
from ..protocol.calls import Call


class DynamoDb:
    def handle(self, call: Call, principal: Principal) -> Answer:
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
