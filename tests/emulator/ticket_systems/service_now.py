"""ServiceNow, the Table API, table incident."""
import re
import uuid
from typing import Any

from .refusal import Refusal, check, only

TABLE = "/api/now/table/incident"
QUERY = re.compile(r"correlation_id=(?P<id>[A-Za-z0-9-]+)\^ORDERBYsys_created_on")
CLOSE_CODES = ("Solution provided", "Resolved by request")
WRITABLE = {
    "short_description": 160, "description": 4000, "urgency": 1, "correlation_id": 100, "correlation_display": 100,
    "work_notes": 4000, "state": 1, "close_code": 100, "close_notes": 4000,
}  # fmt: skip


class ServiceNow:
    """An instance."""

    def __init__(self) -> None:
        self.records: list = []

    def answer(self, method: str, path: str, query: dict, body: Any) -> tuple:
        fields = query.pop("sysparm_fields", "").split(",")
        check(path == TABLE or path.startswith(TABLE + "/"), 400, "Invalid table")
        if path == TABLE and method == "POST":
            check(not query, 400, "parameters")
            return 201, {"result": _shown(self._create(body), fields)}
        if path == TABLE and method == "GET":
            check(set(query) == {"sysparm_query", "sysparm_limit"}, 400, "parameters")
            match = QUERY.fullmatch(query["sysparm_query"])
            check(match is not None, 400, "Invalid query")
            found = [one for one in self.records if one["correlation_id"] == match["id"]]
            return 200, {"result": [_shown(one, fields) for one in found[: int(query["sysparm_limit"])]]}
        record = next((one for one in self.records if path == f"{TABLE}/{one['sys_id']}"), None)
        check(record is not None, 404, "No Record found")
        check(not query, 400, "parameters")
        if method == "PATCH":
            self._change(record, body)
        elif method != "GET":
            raise Refusal(405, "Method not supported")
        return 200, {"result": _shown(record, fields)}

    def refused(self, refusal: Refusal) -> dict:
        return {"error": {"message": refusal.message, "detail": None}, "status": "failure"}

    def tickets(self) -> list:
        return self.records

    def delete(self) -> None:
        self.records.clear()

    def _create(self, body: Any) -> dict:
        only(body, {"short_description", "description", "urgency", "correlation_id", "correlation_display"})
        _texts(body)
        number = f"INC{10000 + len(self.records) + 1:07}"
        record = {**body, "sys_id": uuid.uuid4().hex, "number": number, "state": "1", "work_notes": []}
        self.records.append(record)
        return record

    def _change(self, record: dict, body: Any) -> None:
        check(isinstance(body, dict) and body and set(body) <= set(WRITABLE), 400, "unknown fields")
        _texts(body)
        if body.get("state") in ("6", "7"):
            # A data policy: what is resolved says how.
            check(body.get("close_code") in CLOSE_CODES and body.get("close_notes"), 403, "Data Policy Exception")
        if "work_notes" in body:
            check("[code]" not in body["work_notes"], 400, "HTML in a journal")
            record["work_notes"].append(body["work_notes"])
        record.update({name: value for name, value in body.items() if name != "work_notes"})


def _texts(body: dict) -> None:
    for name, value in body.items():
        check(isinstance(value, str) and 0 < len(value) <= WRITABLE[name], 400, f"{name} is too long or no text")


def _shown(record: dict, fields: list) -> dict:
    return {name: record[name] for name in fields}
