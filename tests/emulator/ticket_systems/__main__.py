"""``python -m ticket_systems``: serves until stdin ends.

Jira's site is ``/jira``, ServiceNow's instance ``/servicenow``. Basic authentication as ``hub@example.com`` and bearer
tokens are taken, each with the token ``right-token``. The first line on stdout is the address.

Without authentication: ``GET /tickets`` lists what each has, ``GET /requests`` what was asked for (method, path, status),
``POST /plan`` says how the next requests go: ``{"faults": [["POST", "/issue", "lost"], …]}``, each for the first request
that has this method and whose path ends so. ``lost`` is done and not answered; ``hang up`` is not done; a number is a
status. ``index_lag`` is the time in seconds after which Jira's search shows an issue, ``transitions`` those of its
workflow, and ``delete`` names a system that loses its tickets.
"""
import base64
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from .jira import Jira
from .refusal import Refusal, check
from .service_now import ServiceNow

TOKEN = "right-token"
BASIC = "Basic " + base64.b64encode(f"hub@example.com:{TOKEN}".encode()).decode()


class Systems(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.systems = {"jira": Jira(), "servicenow": ServiceNow()}
        self.faults: list = []
        self.requests: list = []

    def fault(self, method: str, path: str):
        for number, (of_method, end, what) in enumerate(self.faults):
            if method == of_method and path.endswith(end):
                del self.faults[number]
                return what
        return None

    def plan(self, plan: dict) -> None:
        self.faults.extend(plan.get("faults", []))
        jira = self.systems["jira"]
        jira.index_lag = plan.get("index_lag", jira.index_lag)
        jira.transitions = [tuple(one) for one in plan.get("transitions", jira.transitions)]
        if "delete" in plan:
            self.systems[plan["delete"]].delete()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Systems

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _serve(self) -> None:
        text = self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = urlsplit(self.path)
        with self.server.lock:
            if parts.path in ("/tickets", "/requests", "/plan"):
                return self._send(200, self._control(parts.path, text))
            name, _, path = parts.path.removeprefix("/").partition("/")
            system = self.server.systems.get(name)
            if system is None:
                return self._send(404, None)
            path = "/" + path
            fault = self.server.fault(self.command, path)
            if fault == "hang up":
                status, answer = None, None
            elif isinstance(fault, int):
                status, answer = fault, None
            else:
                status, answer = self._asked(system, path, parts.query, text)
            self.server.requests.append({"system": name, "method": self.command, "path": path, "status": fault or status})
        if fault in ("hang up", "lost"):
            self.close_connection = True
            return None
        return self._send(status, answer)

    def _control(self, path: str, text: bytes):
        if path == "/plan":
            self.server.plan(json.loads(text))
            return {}
        if path == "/requests":
            return self.server.requests
        return {name: system.tickets() for name, system in self.server.systems.items()}

    def _asked(self, system, path: str, query: str, text: bytes) -> tuple:
        try:
            given = self.headers.get("authorization")
            if given not in (BASIC, f"Bearer {TOKEN}"):
                # As talkative as a bad day.
                raise Refusal(401, f"not accepted: {given} {_decoded(given)}")
            check(self.headers.get("accept") == "application/json", 406, "accept")
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
            check(len(dict(pairs)) == len(pairs), 400, "a parameter twice")
            body = None
            if self.command != "GET":
                check(self.headers.get("content-type") == "application/json", 415, "content-type")
                body = json.loads(text)
            else:
                check(not text, 400, "a body")
            return system.answer(self.command, path, dict(pairs), body)
        except Refusal as refusal:
            return refusal.status, system.refused(refusal)
        except (KeyError, TypeError, ValueError) as error:
            return 400, system.refused(Refusal(400, f"{type(error).__name__} {error}"))

    def _send(self, status: int, answer) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _decoded(given) -> str:
    try:
        return base64.b64decode(given.partition(" ")[2]).decode()
    except (AttributeError, ValueError):
        return ""


def exit_with_stdin() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main() -> None:
    systems = Systems()
    threading.Thread(target=exit_with_stdin, daemon=True).start()
    print(f"http://127.0.0.1:{systems.server_address[1]}", flush=True)
    systems.serve_forever()


if __name__ == "__main__":
    main()
