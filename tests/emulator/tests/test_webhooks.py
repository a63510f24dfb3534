"""Webhooks: what whoever posts to them sees, and what is listed of it."""
import http.client
import socket
import threading
from urllib.parse import urlsplit

from emulated_org.client import EmulatorError

from .support import EmulatorTestCase


class WebhookTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connection = self.connect()

    def connect(self, timeout: float = 20) -> http.client.HTTPConnection:
        netloc = urlsplit(self.emulator.endpoint).netloc
        connection = http.client.HTTPConnection(netloc, timeout=timeout)
        self.addCleanup(connection.close)
        return connection

    def post(self, body: str = "text", name: str = "chat", method: str = "POST", **headers) -> http.client.HTTPResponse:
        self.connection.request(method, f"/webhook/{name}", body.encode(), headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer

    def posted(self, name: str = "chat") -> list:
        return [(request["body"], request["status"]) for request in self.emulator.posted(name)]


class Webhooks(WebhookTestCase):
    def test_what_is_posted_is_listed_with_its_headers(self):
        url = self.emulator.webhook("chat")
        self.assertEqual(url, f"{self.emulator.endpoint}/webhook/chat")
        headers = {"X-Signature": "v1=abc", "Content-Type": "application/json"}
        self.assertEqual(self.post('{"text": "é"}', **headers).status, 200)
        (request,) = self.emulator.posted("chat")
        self.assertEqual((request["body"], request["status"]), ('{"text": "é"}', 200))
        self.assertEqual(request["headers"]["x-signature"], "v1=abc")
        self.assertEqual(request["headers"]["content-type"], "application/json")
        self.assertEqual(self.emulator.calls(), [])

    def test_a_webhook_need_not_be_announced(self):
        self.assertEqual(self.emulator.posted("other"), [])
        self.assertEqual(self.post(name="other").status, 200)
        self.assertEqual(self.posted("other"), [("text", 200)])
        self.assertEqual(self.posted("chat"), [])

    def test_answers_come_in_the_planned_order_and_then_200(self):
        self.emulator.webhook("chat", 500, {"status": 429, "retry_after": 1}, {"status": 204}, 302)
        answers = [self.post(str(number)) for number in range(5)]
        self.assertEqual([answer.status for answer in answers], [500, 429, 204, 302, 200])
        self.assertEqual([answer.getheader("Retry-After") for answer in answers], [None, "1", None, None, None])
        self.assertEqual(self.posted(), [("0", 500), ("1", 429), ("2", 204), ("3", 302), ("4", 200)])

    def test_a_new_plan_replaces_the_old_one_but_forgets_no_request(self):
        self.emulator.webhook("chat", 500, 500)
        self.post("0")
        self.emulator.webhook("chat", {"status": 503, "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"})
        self.assertEqual(self.post("1").getheader("Retry-After"), "Wed, 21 Oct 2026 07:28:00 GMT")
        self.assertEqual(self.post("2").status, 200)
        self.assertEqual(self.posted(), [("0", 500), ("1", 503), ("2", 200)])
        self.emulator.reset()
        self.assertEqual(self.posted(), [])


class WithoutAnAnswer(WebhookTestCase):
    def test_close_ends_the_connection(self):
        self.emulator.webhook("chat", "close")
        with self.assertRaises(http.client.RemoteDisconnected):
            self.post()
        self.assertEqual(self.posted(), [("text", "close")])
        self.assertEqual(self.post().status, 200)

    def test_hang_gives_no_answer_and_holds_up_nobody_else(self):
        self.emulator.webhook("chat", "hang")
        self.connection = self.connect(timeout=0.3)
        with self.assertRaises(socket.timeout):
            self.post("held")
        self.connection = self.connect()
        self.assertEqual(self.post("next").status, 200)
        self.assertEqual(self.posted(), [("held", "hang"), ("next", 200)])

    def test_a_reset_ends_the_wait(self):
        self.emulator.webhook("chat", "hang")
        ended = []

        def post() -> None:
            with self.assertRaises(http.client.RemoteDisconnected):
                self.post()
            ended.append(True)

        thread = threading.Thread(target=post)
        thread.start()
        while not self.emulator.posted("chat"):
            pass
        self.emulator.reset()
        thread.join(timeout=10)
        self.assertEqual(ended, [True])


class Refusals(WebhookTestCase):
    def test_other_requests(self):
        self.assertEqual(self.post(method="GET").status, 405)
        self.assertEqual(self.post(name="a/b").status, 404)
        self.assertEqual(self.posted(), [])

    def test_bad_input_of_the_control_interface(self):
        for answers, message in (
            ([99], "an answer is"),
            ([True], "an answer is"),
            (["later"], "an answer is"),
            ([{"retry_after": 1}], "an answer is"),
            ([{"status": 429, "after": 1}], "an answer is"),
            ([{"status": 429, "retry_after": []}], "retry_after"),
            ("hang", "list"),
        ):
            with self.subTest(answers=answers), self.assertRaisesRegex(EmulatorError, message):
                self.emulator.post("webhooks", {"name": "chat", "answers": answers})
        with self.assertRaisesRegex(EmulatorError, "letters"):
            self.emulator.webhook("a/b")
