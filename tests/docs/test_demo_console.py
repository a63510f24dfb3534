"""What `make demo-up` prints leads to the console, where one is logged in and can have the theft revoked.

A browser without scripts: it follows redirects, keeps cookies, and sends forms. The thief's own call is the oracle.
"""
import json
import os
import re
import subprocess
import unittest
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Dict, List, Mapping, Optional
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

from demo_up import DemoUp

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "target" / "demo-console"
THIEFS_CALL = """
import json, sys, boto3, botocore.exceptions
try:
    boto3.client("s3").list_buckets()
    print(json.dumps("allowed"))
except botocore.exceptions.ClientError as error:
    print(json.dumps(str(error)))
"""


class Page(HTMLParser):
    """The texts, links and forms of a page."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.address = address
        self.texts: List[str] = []
        self.links: List[str] = []
        self.forms: List[Dict] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes) -> None:
        named = dict(attributes)
        if tag == "a" and named.get("href"):
            self.links.append(named["href"])
        if tag == "meta" and named.get("http-equiv") == "refresh":
            self.links.append(named["content"].partition("url=")[2])
        if tag == "form":
            self.forms.append({"action": named.get("action", self.address), "fields": {}, "buttons": []})
        if tag == "input" and self.forms and named.get("name"):
            self.forms[-1]["fields"][named["name"]] = named.get("value", "")
        if tag == "button" and self.forms:
            self.forms[-1]["buttons"].append((named.get("name"), named.get("value")))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))

    def form(self, action: str) -> Dict:
        return next(form for form in self.forms if re.search(action, form["action"]))


class Browser:
    def __init__(self) -> None:
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def open(self, address: str, form: Optional[Mapping[str, str]] = None) -> Page:
        body = None if form is None else urlencode(form).encode()
        headers = {"Accept": "text/html"}
        if body:
            headers["Sec-Fetch-Site"] = "same-origin"
        with self._opener.open(Request(address, body, headers), timeout=30) as answer:
            return Page(answer.url, answer.read().decode())

    def follow(self, page: Page, link: str) -> Page:
        return self.open(urljoin(page.address, next(one for one in page.links if re.search(link, one))))

    def press(self, page: Page, action: str, button: Optional[str] = None, **filled: str) -> Page:
        """Sends a form, by the button with this value."""
        form = page.form(action)
        pressed = {name: value for name, value in form["buttons"] if name and value == button}
        return self.open(urljoin(page.address, form["action"]), {**form["fields"], **filled, **pressed})


class DemoConsole(unittest.TestCase):
    def setUp(self) -> None:
        OUT.parent.mkdir(exist_ok=True)
        self.demo = DemoUp(OUT)
        self.addCleanup(self.demo.stop)
        [self.address] = {line.strip() for line in self.demo.lines if re.fullmatch(r" +http://127\.0\.0\.1:\d+/", line)}

    def thief(self) -> str:
        """What AWS answers to a call with the stolen session: `allowed`, or the error."""
        script = '. "$0" && thief "$1" -c "$2"'
        python = os.environ["RESCIND_EMULATOR_PYTHON"]
        asked = ["bash", "-c", script, str(OUT / "env.sh"), python, THIEFS_CALL]
        return json.loads(subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout)

    def test_its_console_answers_the_theft(self):
        self.assertEqual([], [line for line in self.demo.lines if len(line) > 80])
        self.assertEqual("allowed", self.thief())
        anna = Browser()
        now = anna.open(self.address)
        self.assertEqual(self.address, now.address, "a login, and nothing to type")
        self.assertRegex(now.text, r"\bAnna approver\b")
        held = anna.follow(now, r"^/remediations/r-[0-9a-f]+$")
        self.assertIn("shop-web", held.text)
        self.assertEqual("allowed", self.thief(), "looking changes nothing")
        asked = anna.press(held, "/answer", "approve", reason="seen at the instance")
        self.assertEqual("allowed", self.thief(), "nothing is confirmed yet")
        done = anna.press(asked, "/answer", reason="seen at the instance")
        self.assertIn("approved by Anna: seen at the instance", anna.open(done.address).text)
        # The thief in the demo's terminal tries again and again.
        while "DENIED" not in self.demo.next_line():
            pass
        self.assertIn("explicit deny", self.thief())

        out = anna.press(held, "^/logout$")
        out = anna.follow(out, r"^http://127\.0\.0\.1:\d+/logout\?")
        self.assertEqual(urljoin(self.address, "/logged-out"), out.address)
        choice = anna.follow(out, "^/login$")
        self.assertIn("no passwords", choice.text)
        self.assertRegex(anna.press(choice, "^/choose$", "vera").text, r"\bVera viewer\b")

    def test_its_viewer_answers_nothing(self):
        vera = Browser()
        now = vera.open(self.address)
        out = vera.follow(vera.press(now, "^/logout$"), r"/logout\?")
        now = vera.press(vera.follow(out, "^/login$"), "^/choose$", "vera")
        held = vera.follow(now, r"^/remediations/r-[0-9a-f]+$")
        self.assertEqual([], [form for form in held.forms if "/answer" in form["action"]])
        form = {**held.form("^/logout$")["fields"], "kind": "approve", "reason": "a test", "confirmed": "yes"}
        with self.assertRaises(HTTPError) as refused:
            vera.open(f"{held.address}/answer", form)
        self.assertEqual(403, refused.exception.code)
        self.assertEqual("allowed", self.thief())


if __name__ == "__main__":
    unittest.main()
