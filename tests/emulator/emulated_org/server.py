"""The HTTP server: threads, HTTP/1.1 keep-alive, loopback only."""
import json
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import urlsplit

from .control.router import PREFIX, Control
from .errors import NoAnswer
from .gateway import Gateway
from .protocol.answers import Answer
from .services.webhooks import WebhookReceiver
from .services.witnesses import WitnessReceiver
from .state.webhooks import PREFIX as WEBHOOKS
from .state.witnesses import PREFIX as WITNESSES
from .state.world import World

LOOPBACK = "127.0.0.1"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # A burst of clients must not meet a full backlog.
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.world = World()
        self.gateway = Gateway(self.world)
        self.control = Control(self.world)
        self.webhooks = WebhookReceiver(self.world.webhooks)
        self.witnesses = WitnessReceiver(self.world.witnesses)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    def server_bind(self) -> None:
        # Not HTTPServer's: it looks up the host's name, which can take seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address

    def handle_error(self, request, client_address) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one segment

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            return
        try:
            path = urlsplit(self.path).path
            if path.startswith(PREFIX):
                answer = self._control(body)
            elif path.startswith(WEBHOOKS):
                answer = self.server.webhooks.answer(
                    self.command, path, self.headers, body, self._client_is_gone
                )
            elif path.startswith(WITNESSES):
                answer = self.server.witnesses.answer(self.command, path, body, self._client_is_gone)
            else:
                answer = self.server.gateway.answer(
                    self.command, self.path, self.headers, body, self._client_is_gone
                )
        except NoAnswer:
            self.close_connection = True
            return
        self._write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _read_body(self):
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            self.close_connection = True
            self.send_error(411, "the emulator needs a Content-Length")
            return None
        length = int(self.headers.get("Content-Length") or 0)
        self.wfile.flush()  # a "100 Continue" that the client waits for
        return self.rfile.read(length)

    def _control(self, body: bytes) -> Answer:
        status, fields = self.server.control.answer(self.command, self.path, body)
        return Answer(status, {"Content-Type": "application/json"}, json.dumps(fields).encode())

    def _client_is_gone(self) -> bool:
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def date_time_string(self, timestamp=None) -> str:
        """The Date of an answer: the emulator's clock, as everything else that it says."""
        return super().date_time_string(self.server.world.clock.now().timestamp() if timestamp is None else timestamp)

    def log_message(self, format: str, *args) -> None:
        """Stdout carries one line only, and the call log has more than this would."""
