"""Sends what nobody should send to every route of the API, the console, the login and the probes, and judges each answer.

The routes are read from the source, so that none is forgotten. What is sent is the same each time. The rules:

- What is well formed HTTP is answered, and never with 500. 503 and 502 come with a code of docs/api.md.
- A refusal of the API is a problem, with a code that docs/api.md or docs/programs.md has.
- No answer has a secret or a proof in it, and no page has the markup that was sent.
- Each answer has the headers that keep browsers from harm.
"""
import json
import random
import re
import socket
import string
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import known
from browser import Browser
from program import Addresses, Program

ROOT = Path(__file__).resolve().parent.parent.parent
THREADS, REQUESTS = 4, 600
TIMEOUT = 30
# Markup that must never be in a page as it was sent.
MARK = "<fz\"'>"
METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"]
HEADERS = [
    "Cookie", "Authorization", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
    "Idempotency-Key", "Last-Event-ID", "If-None-Match", "If-Modified-Since", "Range", "Origin", "Referer",
    "Sec-Fetch-Site", "Sec-Fetch-Mode", "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Expect",
    "Upgrade", "X-Rescind-Nonce", "X-Rescind-Hub", "X-Rescind-Request", "X-Rescind-Form", "X-HTTP-Method-Override",
]
# Headers that say who asks: one more of them mostly says that it is nobody.
TAKEN = {
    "program": ("Authorization", "X-Rescind-Nonce", "X-Rescind-Hub", "X-Rescind-Request"),
    "browser": ("Authorization", "Cookie", "Sec-Fetch-Site", "X-Rescind-Form"),
    "nobody": (),
}
SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
PROBES = ("/healthz", "/readyz", "/metrics", "/status")
# What nonsense seldom does: it finishes no login, and names no format of a report.
NEVER = {"/login/callback", "/v1/report"}
# What the HTTP library answers by itself, before anything of rescind's is asked: what it cannot read.
UNREADABLE = {400, 414, 431}
# Size of a header that may be too long, in bytes.
LONG = 30 * 1024


def routes() -> dict:
    """The paths of all routes, with their parameters in braces, and the methods of each."""
    found = {}
    for file in (ROOT / "src/web").rglob("*.rs"):
        for path, methods in re.findall(r'\.(?:api_)?route\(\s*"(/[^"]*)",\s*(.*)', file.read_text()):
            names = re.findall(r"\b(get|post)(?:_with)?\(", methods)
            found[path] = [name.upper() for name in names] or ["GET"]
    assert len(found) > 50 and {"/", "/v1/status", "/login", "/healthz"} <= found.keys(), sorted(found)
    assert found["/revoke"] == ["GET", "POST"] and found["/logout"] == ["POST"], found
    return dict(sorted(found.items()))


@dataclass
class Sent:
    """A request, and whether HTTP allows it."""

    raw: bytes
    method: str
    path: str
    is_well_formed: bool = True

    def __str__(self) -> str:
        return f"{self.raw[:600]!r}{'…' if len(self.raw) > 600 else ''}"


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes
    is_whole: bool = True

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "")


@dataclass
class Found:
    """What was seen: how many answers of each status, and what is wrong."""

    statuses: dict = field(default_factory=dict)
    reached: set = field(default_factory=set)
    # What is well formed by our own judgement, and the HTTP library cannot read.
    unread: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def saw(self, route: str, answer: Answer) -> None:
        with self.lock:
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            if answer.status < 400:
                self.reached.add(route)

    def refused_by_library(self, sent: Sent) -> None:
        with self.lock:
            is_long = len(sent.raw.partition(b"\r\n\r\n")[0]) > LONG
            self.unread += [str(sent)] if sent.is_well_formed and not is_long else []

    def complain(self, why: str, sent: Sent, answer=None) -> None:
        with self.lock:
            said = f"\n    answer: {answer.status} {answer.headers} {answer.body[:600]!r}" if answer else ""
            self.wrong.append(f"{why}\n    sent: {sent}{said}")


class Writer:
    """Makes requests, the same ones for the same seed."""

    def __init__(self, there: dict, seed: int, browser: Browser) -> None:
        self.browser = browser
        self.random = random.Random(seed)
        self.there = there
        self.addresses = Addresses(100 + 20 * seed)
        self.operator = Program(there, "operator")
        self.ids = [*there["remediations"].values(), *there["findings"].values(), *there["incidents"],
                    *there["doors"], *map(str, there["alerts"])]

    def text(self) -> str:
        """Something that a field may hold, or should not."""
        pick = self.random
        return pick.choice([
            lambda: "",
            lambda: pick.choice(self.ids),
            lambda: pick.choice(self.ids)[: pick.randrange(12)],
            lambda: MARK + pick.choice(["<script>alert(1)</script>", "javascript:alert(1)", "\x00", "é", "\u202e"]),
            lambda: pick.choice(["-1", "0", "9223372036854775808", "1e999", "NaN", "true", "null", "[]", "{}", "1" * 400]),
            lambda: pick.choice(["' OR 1=1 --", "%_", "../../etc/passwd", "//evil.example", "/\\evil.example", "\r\nX-A: b"]),
            lambda: "".join(chr(pick.choice([pick.randrange(32, 127), pick.randrange(0x80, 0xD800), 0x1F600])) for _ in range(pick.randrange(40))),
            lambda: pick.choice(string.ascii_letters) * pick.choice([256, 1001, 5000]),
            lambda: "2026-11-30T12:00:00Z", lambda: "json", lambda: "222222222222",
        ])()

    def value(self):
        """Something that a member of a JSON body may be, or should not."""
        pick = self.random
        return pick.choice([
            self.text, self.text, self.text, lambda: None, lambda: pick.choice([True, 1, -1, 1e308, 2**70]),
            lambda: [self.text() for _ in range(pick.randrange(4))], lambda: {self.text(): self.text()},
        ])()

    def part(self, route: str) -> str:
        """A part of a path, as it is sent: mostly an id of what the route is about."""
        pick, there = self.random, self.there
        own = {
            "remediations": list(there["remediations"].values()),
            "incidents": there["incidents"],
            "findings": list(there["findings"].values()),
            "alerts": list(map(str, there["alerts"])),
        }
        for kind, ids in own.items():
            if f"/{kind}/" in route and pick.random() < 0.6:
                return pick.choice(ids)
        if "/entries/" in route and pick.random() < 0.6:
            return str(pick.randrange(1, 200))
        raw = bytes(pick.randrange(256) for _ in range(pick.randrange(1, 12)))
        return pick.choice([
            lambda: pick.choice(self.ids), lambda: quote(self.text(), safe=""),
            lambda: quote(raw, safe=""), lambda: pick.choice(["%00", "%2f", "..", "%2e%2e", "%ff%fe", "%zz", "%", ";a=b"]),
            lambda: quote(MARK, safe=""),
        ])()

    def target(self, route: str) -> str:
        pick = self.random
        path = re.sub(r"\{\*?\w+\}", lambda _: self.part(route), route)
        if pick.random() < 0.05:
            path += pick.choice(["/", "//", "/..", "/%2e%2e/status", "x", "?", "#a"])
        path = path.split("#")[0]
        if pick.random() < 0.35:
            names = ["state", "proof", "account", "incident", "text", "limit", "cursor", "since", "format", "from", "to",
                     "entries", "after", "code", "error", "iss", "plan", "page", "q", "id", "ok", "sent", self.text()]
            pairs = [f"{quote(pick.choice(names), safe='')}={quote(self.text(), safe='')}" for _ in range(pick.randrange(1, 4))]
            path += ("&" if "?" in path else "?") + "&".join(pairs)
        return path

    def body(self, is_api: bool) -> tuple:
        """A type of content and a body: mostly those that the route takes."""
        pick = self.random
        names = ["account", "principal", "session", "key", "since", "address", "doors", "force", "attached", "answer",
                 "token", "form", "kind", "door", "remediation"]
        members = {pick.choice(names): self.value() for _ in range(pick.choice([0, 0, 1, 2, 4]))}
        members.update({"reason": "fuzz"} if pick.random() < 0.8 else {"reason": self.value()})
        if pick.random() < 0.3:
            members.update({"account": "222222222222", "principal": "role/shop-web", "answer": "reject"})
        whole = json.dumps(members).encode()
        form = "&".join(f"{quote(str(name))}={quote(str(value), safe='')}" for name, value in members.items()).encode()
        garbage = bytes(pick.randrange(256) for _ in range(60))
        own, right = ("application/json", whole) if is_api else ("application/x-www-form-urlencoded", form)
        if pick.random() < 0.6:
            return own, right
        return pick.choice([
            (own, right[: pick.randrange(len(right) + 1)]), (own, garbage), (own, b""),
            ("application/json", b"[" * 20000), ("application/json; charset=utf-16", whole),
            ("application/json", json.dumps({"reason": "r" * 270_000}).encode()),
            ("application/x-www-form-urlencoded", b"reason=" + b"r" * 270_000),
            ("multipart/form-data; boundary=x", b"--x\r\n\r\n"), ("text/plain", whole), ("", whole),
        ])

    def header_value(self) -> bytes:
        """Bytes that HTTP allows in a value."""
        pick = self.random
        value = pick.choice([
            lambda: self.text().encode(), lambda: bytes(pick.choice([9, *range(32, 127), *range(128, 256)]) for _ in range(30)),
            lambda: b"a" * 6000, lambda: b"__Host-rescind=" + quote(self.text()).encode() + b"; rescind=x; rescind-login=y",
            lambda: b"Rescind-AWS " + quote(self.text()).encode(), lambda: b"Rescind-AWS aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbS8",
            lambda: b"198.18.99.99, unknown, [::1]:x", lambda: b"text/html", lambda: b"cross-site", lambda: b"null", lambda: b"*",
        ])()
        return bytes(byte for byte in value if byte == 9 or 32 <= byte != 127).strip()

    def request(self, route: str, methods: list) -> Sent:
        pick = self.random
        method = pick.choice(methods if pick.random() < 0.85 else METHODS)
        target = self.target(route)
        who = pick.choices(["program", "browser", "nobody"], [45, 35, 20])[0]
        kind, body = self.body(route.startswith("/v1")) if method not in ("GET", "HEAD") or pick.random() < 0.1 else ("", b"")
        host = self.there["hub"].split("://")[1] if pick.random() < 0.95 else pick.choice(["evil.example", "", "[", "a" * 300, "127.0.0.1:1"])
        headers = [("Host", host.encode()), ("Connection", b"close")]
        # Whoever logs out is logged in no more.
        is_logged_in = who == "browser" and route != "/logout"
        if is_logged_in and kind.startswith("application/x-www-form-urlencoded") and pick.random() < 0.9:
            body += f"&form_token={self.browser.token}&confirmed=yes".encode()
        wanted = pick.sample(HEADERS, pick.choice([0, 0, 1, 2, 4]))
        for name in wanted:
            if not (name in TAKEN[who] and pick.random() < 0.9):
                headers.append((name, self.header_value()))
        if "Expect" in wanted:
            headers = [(name, value) for name, value in headers if name != "Expect"]
        if is_logged_in:
            headers.append(("Cookie", self.browser.cookie.encode()))
            headers += [] if "Sec-Fetch-Site" in wanted else [("Sec-Fetch-Site", b"same-origin")]
            headers += [("X-Rescind-Form", self.browser.token.encode())] if kind.startswith("application/json") else []
        if who == "program":
            headers += [(name, value.encode()) for name, value in self.operator.headers(method, target, body).items()]
        if pick.random() < 0.9:
            headers.append(("X-Forwarded-For", self.addresses.next().encode()))
        if kind and "Content-Type" not in wanted:
            headers.append(("Content-Type", kind.encode()))
        return self.framed(method, target, headers, body)

    def framed(self, method: str, target: str, headers: list, body: bytes) -> Sent:
        """The bytes, now and then cut or framed wrongly: then HTTP asks for no answer."""
        pick, is_well_formed, sent = self.random, True, body
        how = pick.random()
        if how < 0.02 and body:
            headers.append(("Content-Length", str(len(body) + 7).encode()))
            is_well_formed = False
        elif how < 0.04:
            headers.append(("Content-Length", pick.choice([b"-1", b"x", b"99999999999999999999", b"1, 2"])))
            is_well_formed = False
        elif how < 0.06:
            headers += [("Transfer-Encoding", b"chunked"), ("Content-Length", str(len(body)).encode())]
            is_well_formed = False
        elif how < 0.08:
            headers.append(("Transfer-Encoding", b"chunked"))
            sent = pick.choice([b"zz\r\n\r\n", b"ffffffffffffffffff\r\n", b"5\r\nab", b"-1\r\n"])
            is_well_formed = False
        elif how < 0.15 and body:
            headers.append(("Transfer-Encoding", b"chunked"))
            half = len(body) // 2
            pieces = [piece for piece in (body[:half], body[half:]) if piece]
            sent = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        elif body or method not in ("GET", "HEAD"):
            headers.append(("Content-Length", str(len(body)).encode()))
        version, how = "HTTP/1.1", pick.random()
        if how < 0.02:
            headers.append(("Host", b"evil.example"))
        elif how < 0.04:
            headers = [(name, value) for name, value in headers if name != "Host"]
            version = pick.choice(["HTTP/1.0", "HTTP/1.1"])
            # HTTP/1.0 has no chunks.
            is_chunked = b"chunked" in [value for _, value in headers]
            is_well_formed = is_well_formed and not (is_chunked and version == "HTTP/1.0")
        elif how < 0.06:
            target = f"http://evil.example{target}"
        lines = [f"{method} {target} {version}".encode("latin-1")]
        lines += [name.encode() + b": " + value for name, value in headers]
        path = target.removeprefix("http://evil.example").partition("?")[0]
        return Sent(b"\r\n".join(lines) + b"\r\n\r\n" + sent, method, path, is_well_formed)


def ask(address: tuple, sent: Sent):
    """The answer; none when the connection is closed without one."""
    raw = b""
    with socket.create_connection(address, timeout=TIMEOUT) as connection:
        try:
            connection.sendall(sent.raw)
            if not sent.is_well_formed:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            # It was answered before all of it was sent.
            pass
        while True:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                break
            raw += piece
            head, split, _ = raw.partition(b"\r\n\r\n")
            if not piece or split and b"text/event-stream" in head.lower():
                break
    if not raw:
        return None
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    is_whole = sent.method == "HEAD" or "content-length" not in headers or len(body) >= int(headers["content-length"])
    return Answer(int(first.split(" ")[1]), headers, body, is_whole)


class Judge:
    """What is wrong with an answer."""

    def __init__(self, there: dict, found: Found) -> None:
        self.found, self.there = found, there
        self.codes = known.codes()
        self.secrets = [secret.encode() for secret in known.secrets(there)]

    def judge(self, route: str, sent: Sent, answer) -> None:
        if answer is None:
            if sent.is_well_formed:
                self.found.complain("closed without an answer", sent)
            return
        self.found.saw(route, answer)
        complain = lambda why: self.found.complain(why, sent, answer)  # noqa: E731
        if any(secret in answer.body or secret in str(answer.headers).encode() for secret in self.secrets):
            complain("a secret is in the answer")
        if "text/html" in answer.kind and MARK[:3].encode() in answer.body:
            complain("the page has markup that was sent")
        is_of_library = answer.status in UNREADABLE and not answer.body and not answer.kind
        if is_of_library:
            self.found.refused_by_library(sent)
            return
        if not answer.is_whole:
            complain("the answer is cut")
        is_api = sent.path.startswith("/v1")
        is_probe = sent.path in PROBES
        problem = {}
        if answer.kind.startswith("application/problem+json") and sent.method != "HEAD":
            problem = json.loads(answer.body)
            if problem["status"] != answer.status or problem["code"] not in self.codes:
                complain("no documented problem")
        elif is_api and answer.status >= 400 and sent.method != "HEAD":
            complain("a refusal of the API that is no problem")
        if answer.status >= 500:
            is_known = is_probe or (answer.status, problem.get("code")) in [(503, "unavailable"), (502, "provider_unavailable")]
            if not is_known and not (answer.status == 502 and sent.path.startswith("/login")):
                complain("a server error")
        if not is_probe:
            for name, value in SAFE.items():
                if answer.headers.get(name) != value:
                    complain(f"without {name}: {value}")
            policy = answer.headers.get("content-security-policy", "")
            if "default-src 'none'" not in policy or "unsafe" in policy:
                complain("without a content security policy")
        location = answer.headers.get("location", "")
        own = (self.there["hub"] + "/", self.there["issuer"] + "/")
        if location.startswith(("//", "/\\", "http")) and not location.startswith(own):
            complain("it leads elsewhere")


def run(there: dict) -> Found:
    """Sends all of it."""
    parts = urlsplit(there["url"])
    found, all_routes = Found(), routes()
    paths = list(all_routes)
    judge, browser = Judge(there, found), Browser(there, "198.18.90.1")

    def work(seed: int) -> None:
        writer = Writer(there, seed, browser)
        for number in range(REQUESTS):
            route = paths[number % len(paths)]
            sent = writer.request(route, all_routes[route])
            try:
                judge.judge(route, sent, ask((parts.hostname, parts.port), sent))
            except Exception as error:  # noqa: BLE001
                found.complain(f"{type(error).__name__}: {error}", sent)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
