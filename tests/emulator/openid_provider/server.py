"""The provider on a port of the loopback interface."""
import json
import threading
from contextlib import contextmanager
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Iterator, List, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit

from . import pages
from .provider import Ask, Provider, Redirect
from .authorization import Client, NotForClient, OAuthError

FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 64 * 1024


@contextmanager
def serving(console: str, port: int = 0) -> Iterator[str]:
    """Serves the client at this address, such as `http://127.0.0.1:7434`, until the block ends; the issuer."""
    server = Server(console, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield server.provider.issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, console: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.console = console
        self.host = f"127.0.0.1:{self.server_address[1]}"
        client = Client("rescind", f"{console}/login/callback", f"{console}/logged-out")
        self.provider = Provider(f"http://{self.host}", client)
        self.lock = threading.Lock()
        # A browser sends cookies to every port of a host: the name says of which.
        self.cookie = f"demo-login-{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        text = self._form()
        if text is None:
            return
        # A page of somebody else whose name leads to this address names another host.
        if self.headers.get("host") != self.server.host:
            return self._page(421, pages.refused("The request names another host."))
        pairs = parse_qsl(parts.query if self.command == "GET" else text, keep_blank_values=True)
        with self.server.lock:
            try:
                self._route(parts.path, pairs)
            except NotForClient as error:
                self._page(400, pages.refused(str(error)))

    def _route(self, path: str, pairs: List[Tuple[str, str]]) -> None:
        provider, browser = self.server.provider, self._browser()
        first = dict(pairs)
        both, get, post = ("GET", "POST"), ("GET",), ("POST",)
        waiting, person = first.get("waiting", ""), first.get("person", "")
        routes = {
            "/": (get, lambda: self._page(200, pages.home(self.server.console))),
            "/.well-known/openid-configuration": (get, lambda: self._json(200, provider.configuration())),
            "/jwks": (get, lambda: self._json(200, provider.keys())),
            "/authorize": (both, lambda: self._go(provider.authorize(pairs, browser))),
            "/token": (post, lambda: self._token(pairs)),
            "/logout": (both, lambda: self._go(provider.end_session(pairs, browser))),
            "/choose": (post, lambda: self._go(provider.choose(waiting, person, browser))),
            "/log-out": (post, lambda: self._go(provider.confirm_logout(waiting, browser))),
        }
        methods, answer = routes.get(path, (both, lambda: self._page(404, pages.refused("There is no such page."))))
        if self.command not in methods:
            return self._send(405, b"", {"Allow": ", ".join(methods)})
        return answer()

    def _token(self, pairs: List[Tuple[str, str]]) -> None:
        try:
            if self.headers.get("authorization"):
                raise OAuthError("invalid_client", "the client is public: it has no secret")
            self._json(200, self.server.provider.token(pairs))
        except OAuthError as error:
            status = 401 if error.code == "invalid_client" else 400
            headers = {"WWW-Authenticate": "Basic"} if status == 401 else {}
            self._json(status, {"error": error.code, "error_description": error.description}, headers)

    def _go(self, to) -> None:
        cookie = self._cookie(to.browser)
        if isinstance(to, Redirect):
            # 303: what was a form is none for the client.
            return self._send(303, b"", {"Location": to.address, **cookie})
        assert isinstance(to, Ask)
        page = pages.confirm_logout if to.is_logout else pages.choice
        return self._page(200, page(to.waiting), cookie)

    def _browser(self) -> Optional[str]:
        try:
            cookie = SimpleCookie(self.headers.get("cookie", "")).get(self.server.cookie)
        except CookieError:
            return None
        return cookie.value if cookie else None

    def _cookie(self, browser: Optional[str]) -> dict:
        # Lax: a browser that the console sends here is the same one.
        return {"Set-Cookie": f"{self.server.cookie}={browser}; Path=/; HttpOnly; SameSite=Lax"} if browser else {}

    def _form(self) -> Optional[str]:
        """The body of a form; empty without one. None when it was refused."""
        length = self.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > LONGEST_FORM or self.headers.get("transfer-encoding"):
            self.close_connection = True
            self._send(413, b"")
            return None
        text = self.rfile.read(int(length))
        if self.command == "POST" and self.headers.get_content_type() != FORM:
            self._send(415, b"")
            return None
        return text.decode("utf-8", "replace")

    def _json(self, status: int, value: object, headers: Optional[dict] = None) -> None:
        kind = {"Content-Type": "application/json"}
        self._send(status, json.dumps(value).encode(), {**kind, **(headers or {})})

    def _page(self, status: int, text: str, headers: Optional[dict] = None) -> None:
        policy = (
            f"default-src 'none'; style-src '{pages.STYLE_HASH}'; img-src data:; base-uri 'none'; "
            # The answer to a form leads to the console.
            f"frame-ancestors 'none'; form-action 'self' {self.server.console}"
        )
        kind = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
        self._send(status, text.encode(), {**kind, **(headers or {})})

    def _send(self, status: int, body: bytes, headers: Optional[dict] = None) -> None:
        self.send_response(status)
        always = {
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in {**always, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
