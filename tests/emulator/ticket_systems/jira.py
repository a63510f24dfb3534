"""Jira Cloud, REST API version 3: issues, comments, transitions and the search by JQL."""
import re
import time
from typing import Any, Optional

from .refusal import Refusal, check, only

JQL = re.compile(r'project = "(?P<project>[A-Z]+)" AND labels = "(?P<label>[A-Za-z0-9-]+)" ORDER BY created ASC')
# The id of a transition, its name, the status that it leads to and that status's category.
TRANSITIONS = [
    ("11", "Start", "In Progress", "indeterminate"),
    ("21", "Back", "To Do", "new"),
    ("31", "Finish", "Erledigt", "done"),
]


class Jira:
    """A site with one project, SEC."""

    def __init__(self) -> None:
        self.issues: list = []
        # Seconds after which the search shows an issue.
        self.index_lag = 0.0
        self.transitions = list(TRANSITIONS)

    def answer(self, method: str, path: str, query: dict, body: Any) -> tuple:
        if (method, path) == ("GET", "/rest/api/3/search/jql"):
            return 200, self._search(query)
        if (method, path) == ("POST", "/rest/api/3/issue"):
            return 201, self._create(body)
        match = re.fullmatch(r"/rest/api/3/issue/([^/]+)(/comment|/transitions)?", path)
        check(match is not None, 404, "no such resource")
        issue = self._issue(match[1])
        if (method, match[2]) == ("GET", None):
            check(query == {"fields": "status"}, 400, "fields")
            return 200, {**_named(issue), "fields": {"status": _status(issue["status"], issue["category"])}}
        if (method, match[2]) == ("POST", "/comment"):
            only(body, {"body"})
            issue["comments"].append(_text(body["body"]))
            return 201, {"id": str(len(issue["comments"])), "body": body["body"]}
        if (method, match[2]) == ("GET", "/transitions"):
            return 200, {"transitions": [_transition(*one) for one in self.transitions if one[2] != issue["status"]]}
        if (method, match[2]) == ("POST", "/transitions"):
            only(body, {"transition"})
            only(body["transition"], {"id"})
            possible = [one for one in self.transitions if one[0] == body["transition"]["id"] and one[2] != issue["status"]]
            check(len(possible) == 1, 400, "the transition is not possible")
            issue["status"], issue["category"] = possible[0][2], possible[0][3]
            return 204, None
        raise Refusal(405, "method not allowed")

    def refused(self, refusal: Refusal) -> dict:
        return {"errorMessages": [refusal.message], "errors": {}}

    def tickets(self) -> list:
        names = ("key", "summary", "description", "labels", "status", "category", "comments")
        return [{name: issue[name] for name in names} for issue in self.issues if not issue["deleted"]]

    def delete(self) -> None:
        for issue in self.issues:
            issue["deleted"] = True

    def _search(self, query: dict) -> dict:
        check(set(query) <= {"jql", "fields", "maxResults"}, 400, "unknown parameters")
        match = JQL.fullmatch(query["jql"])
        check(match is not None, 400, "the query cannot be parsed")
        seen_before = time.monotonic() - self.index_lag
        found = [one for one in self.issues if match["label"] in one["labels"] and one["project"] == match["project"]]
        found = [one for one in found if one["at"] <= seen_before and not one["deleted"]]
        fields = query.get("fields", "id").split(",")
        # Without fields there is the id alone.
        named = [_named(one) if fields != ["id"] else {"id": one["id"]} for one in found]
        return {"issues": named[: int(query.get("maxResults", 50))], "isLast": True}

    def _create(self, body: Any) -> dict:
        only(body, {"fields"})
        fields = body["fields"]
        only(fields, {"project", "issuetype", "summary", "description", "labels"})
        check(fields["project"] == {"key": "SEC"}, 400, "valid project is required")
        check(fields["issuetype"] in ({"name": "Task"}, {"name": "Security incident"}), 400, "valid issue type is required")
        summary = fields["summary"]
        check(isinstance(summary, str) and 0 < len(summary) <= 255 and "\n" not in summary, 400, "summary")
        labels = fields["labels"]
        check(all(isinstance(one, str) and one and " " not in one for one in labels), 400, "labels")
        number = len(self.issues) + 1
        issue = {
            "id": str(10000 + number), "key": f"SEC-{number}", "project": "SEC", "summary": summary,
            "description": _text(fields["description"]), "labels": labels, "status": "To Do", "category": "new",
            "comments": [], "at": time.monotonic(), "deleted": False,
        }
        self.issues.append(issue)
        return _named(issue)

    def _issue(self, handle: str) -> dict:
        found: Optional[dict] = next((one for one in self.issues if handle in (one["id"], one["key"])), None)
        check(found is not None and not found["deleted"], 404, "Issue does not exist or you do not have permission to see it.")
        return found


def _named(issue: dict) -> dict:
    return {"id": issue["id"], "key": issue["key"], "self": f"https://jira.example/rest/api/3/issue/{issue['id']}"}


def _status(name: str, category: str) -> dict:
    return {"name": name, "statusCategory": {"key": category}}


def _transition(number: str, name: str, to: str, category: str) -> dict:
    return {"id": number, "name": name, "to": _status(to, category)}


def _text(document: Any) -> str:
    """The text of a document in the Atlassian Document Format, a line for each paragraph."""
    only(document, {"type", "version", "content"})
    check((document["type"], document["version"]) == ("doc", 1), 400, "not a document")
    lines = []
    for paragraph in document["content"]:
        only(paragraph, {"type", "content"})
        check(paragraph["type"] == "paragraph", 400, "not a paragraph")
        line = ""
        for node in paragraph["content"]:
            check(node["type"] == "text" and isinstance(node["text"], str) and node["text"] != "", 400, "not a text")
            check(set(node) <= {"type", "text", "marks"}, 400, "unknown members")
            for mark in node.get("marks", []):
                check(mark == {"type": "link", "attrs": {"href": node["text"]}}, 400, "not a link")
                line += "link:"
            line += node["text"]
        lines.append(line)
    text = "\n".join(lines)
    check(0 < len(text) <= 32767, 400, "CONTENT_LIMIT_EXCEEDED")
    return text
