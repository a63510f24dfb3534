"""The provider of `make demo-up`, over HTTP, as a client and a browser ask it."""
import base64
import hashlib
import http.client
import json
import unittest
from typing import Mapping, NamedTuple, Optional
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from openid_provider.authorization import Client, OAuthError
from openid_provider.pages import PLAINLY
from openid_provider.provider import CODE_SECONDS, Ask, Provider, Redirect
from openid_provider.server import serving

CONSOLE = "http://127.0.0.1:7434"
CALLBACK, LOGGED_OUT = f"{CONSOLE}/login/callback", f"{CONSOLE}/logged-out"
VERIFIER = "a-verifier-of-a-test-that-has-its-43-letters-and-more"


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


LOGIN = {
    "client_id": "rescind",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile",
    "state": "a state",
    "nonce": "a nonce",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> dict:
        return json.loads(self.text)

    @property
    def back(self) -> dict:
        """What the browser brings back to the client."""
        return dict(parse_qsl(urlsplit(self.headers["location"]).query))

    @property
    def waiting(self) -> str:
        return self.text.partition('name="waiting" value="')[2].partition('"')[0]


class OpenIdProvider(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        provider = serving(CONSOLE)
        cls.issuer = provider.__enter__()
        cls.addClassCleanup(provider.__exit__, None, None, None)

    def setUp(self) -> None:
        self.cookie: Optional[str] = None

    def ask(self, method: str, path: str, form: Optional[Mapping] = None, **headers: str) -> Answer:
        """In a browser with one cookie, that follows nothing by itself."""
        connection = http.client.HTTPConnection(urlsplit(self.issuer).netloc, timeout=10)
        self.addCleanup(connection.close)
        body = None if form is None else urlencode(form)
        if body is not None:
            headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        if self.cookie:
            headers["Cookie"] = self.cookie
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        given = answer.getheader("set-cookie")
        if given:
            self.assertIn("HttpOnly", given)
            self.cookie = given.partition(";")[0]
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read().decode())

    def authorize(self, **changed: Optional[str]) -> Answer:
        asked = {name: value for name, value in {**LOGIN, **changed}.items() if value is not None}
        return self.ask("GET", f"/authorize?{urlencode(asked)}")

    def exchange(self, code: str, **changed: Optional[str]) -> Answer:
        form = {
            "grant_type": "authorization_code",
            "client_id": "rescind",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **changed,
        }
        return self.ask("POST", "/token", {name: value for name, value in form.items() if value is not None})

    def claims(self, token: str) -> dict:
        """The claims, once the signature is verified with the published key."""
        signed, _, signature = token.rpartition(".")
        header, payload = (json.loads(decoded(part)) for part in signed.split("."))
        self.assertEqual("RS256", header["alg"])
        [key] = [key for key in self.ask("GET", "/jwks").json["keys"] if key["kid"] == header["kid"]]
        n, e = (int.from_bytes(decoded(key[name]), "big") for name in ("n", "e"))
        public = rsa.RSAPublicNumbers(e, n).public_key()
        public.verify(decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        with self.assertRaises(InvalidSignature):
            public.verify(decoded(signature), signed.encode() + b"x", padding.PKCS1v15(), hashes.SHA256())
        return payload

    def logged_in(self, **changed: Optional[str]) -> dict:
        answer = self.authorize(**changed)
        self.assertEqual(303, answer.status, answer.text)
        return self.claims(self.exchange(answer.back["code"]).json["id_token"])

    def test_the_configuration_names_what_is_there(self):
        answer = self.ask("GET", "/.well-known/openid-configuration")
        self.assertEqual(self.issuer, answer.json["issuer"])
        self.assertEqual("127.0.0.1", urlsplit(self.issuer).hostname)
        self.assertEqual(["S256"], answer.json["code_challenge_methods_supported"])
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"):
            self.assertTrue(answer.json[name].startswith(self.issuer + "/"))
            self.assertNotEqual(404, self.ask("GET", urlsplit(answer.json[name]).path).status, name)

    def test_whoever_comes_is_the_approver_and_types_nothing(self):
        answer = self.authorize()
        self.assertTrue(answer.headers["location"].startswith(f"{CALLBACK}?"))
        self.assertEqual(("a state", self.issuer), (answer.back["state"], answer.back["iss"]))
        tokens = self.exchange(answer.back["code"])
        self.assertEqual("no-store", tokens.headers["cache-control"])
        self.assertEqual("Bearer", tokens.json["token_type"])
        claims = self.claims(tokens.json["id_token"])
        self.assertEqual(self.issuer, claims["iss"])
        self.assertEqual(("anna", "Anna", ["approvers"]), (claims["sub"], claims["name"], claims["groups"]))
        self.assertEqual(("rescind", "a nonce"), (claims["aud"], claims["nonce"]))
        self.assertLess(claims["iat"], claims["exp"])
        self.assertLessEqual(claims["auth_time"], claims["iat"])
        left = hashlib.sha256(tokens.json["access_token"].encode()).digest()[:16]
        self.assertEqual(base64.urlsafe_b64encode(left).rstrip(b"=").decode(), claims["at_hash"])

    def test_what_is_not_asked_for_is_not_in_the_token(self):
        claims = self.logged_in(scope="openid", nonce=None)
        self.assertFalse({"name", "groups", "nonce"} & set(claims))

    def test_a_code_is_good_once(self):
        code = self.authorize().back["code"]
        self.assertEqual(200, self.exchange(code).status)
        again = self.exchange(code)
        self.assertEqual((400, "invalid_grant"), (again.status, again.json["error"]))

    def test_a_code_without_its_verifier_is_refused_and_gone(self):
        for verifier in ("x" * 43, None, "short", challenge_of(VERIFIER)):
            code = self.authorize().back["code"]
            wrong = self.exchange(code, code_verifier=verifier)
            self.assertEqual((400, "invalid_grant"), (wrong.status, wrong.json["error"]), verifier)
            self.assertEqual("invalid_grant", self.exchange(code).json["error"], "nobody may guess twice")
        short = "a-word"
        code = self.authorize(code_challenge=challenge_of(short)).back["code"]
        self.assertEqual("invalid_grant", self.exchange(code, code_verifier=short).json["error"], "too easily guessed")

    def test_a_code_is_for_the_address_that_it_was_sent_to(self):
        for address in (f"{CONSOLE}/", None):
            wrong = self.exchange(self.authorize().back["code"], redirect_uri=address)
            self.assertEqual((400, "invalid_grant"), (wrong.status, wrong.json["error"]))

    def test_the_token_endpoint_knows_one_public_client(self):
        code = self.authorize().back["code"]
        for changed in ({"client_id": "other"}, {"client_id": None}, {"client_secret": "x"}):
            wrong = self.exchange(code, **changed)
            self.assertEqual((401, "invalid_client"), (wrong.status, wrong.json["error"]), changed)
        self.assertEqual("unsupported_grant_type", self.exchange(code, grant_type="password").json["error"])
        self.assertEqual("invalid_grant", self.exchange("made-up").json["error"])
        secret = self.ask("POST", "/token", {}, Authorization="Basic eDp5")
        self.assertEqual((401, "it has no secret"), (secret.status, secret.json["error_description"][-16:]))
        self.assertEqual(405, self.ask("GET", "/token").status)
        self.assertEqual(415, self.ask("POST", "/token", {}, **{"Content-Type": "application/json"}).status)

    def test_a_browser_is_sent_nowhere_but_to_the_client(self):
        for changed in (
            {"redirect_uri": "http://evil.example/"},
            {"redirect_uri": f"{CALLBACK}/"},
            {"redirect_uri": None},
            {"client_id": "other"},
        ):
            answer = self.authorize(**changed)
            self.assertEqual(400, answer.status, changed)
            self.assertNotIn("location", answer.headers)
        twice = urlencode([*LOGIN.items(), ("redirect_uri", "http://evil.example/")])
        self.assertEqual(400, self.ask("GET", f"/authorize?{twice}").status)

    def test_other_mistakes_go_back_to_the_client(self):
        for code, changed in (
            ("unsupported_response_type", {"response_type": "token"}),
            ("invalid_scope", {"scope": "profile"}),
            ("invalid_request", {"code_challenge": None}),
            ("invalid_request", {"code_challenge_method": "plain"}),
            ("invalid_request", {"prompt": "none login"}),
            ("invalid_request", {"max_age": "soon"}),
            ("request_not_supported", {"request": "a.b.c"}),
            ("login_required", {"prompt": "none"}),
        ):
            back = self.authorize(**changed).back
            self.assertEqual((code, "a state", self.issuer), (back["error"], back["state"], back["iss"]), changed)
            self.assertNotIn("code", back)

    def test_after_a_logout_a_page_asks_who_one_is(self):
        answer = self.authorize()
        token = self.exchange(answer.back["code"]).json["id_token"]
        out = self.ask("GET", "/logout?" + urlencode({"id_token_hint": token, "post_logout_redirect_uri": LOGGED_OUT}))
        self.assertEqual((303, LOGGED_OUT), (out.status, out.headers["location"]))
        page = self.authorize()
        self.assertEqual(200, page.status)
        self.assertIn(PLAINLY, page.text)
        self.assertEqual(3, page.text.count('<button name="person"'))
        chosen = self.ask("POST", "/choose", {"waiting": page.waiting, "person": "olga"})
        claims = self.claims(self.exchange(chosen.back["code"]).json["id_token"])
        self.assertEqual(("olga", ["operators"], "a nonce"), (claims["sub"], claims["groups"], claims["nonce"]))
        # Olga stays Olga, until somebody wants to choose again.
        self.assertEqual("olga", self.logged_in(prompt="none")["sub"])
        self.assertEqual(200, self.authorize(prompt="select_account").status)
        self.assertEqual(400, self.ask("POST", "/choose", {"waiting": page.waiting, "person": "vera"}).status)

    def test_a_page_is_for_the_browser_that_has_it(self):
        page = self.authorize(prompt="login")
        mine, self.cookie = self.cookie, None
        wrong = self.ask("POST", "/choose", {"waiting": page.waiting, "person": "olga"})
        self.assertEqual(400, wrong.status)
        self.cookie = mine
        self.assertEqual(303, self.ask("POST", "/choose", {"waiting": page.waiting, "person": "olga"}).status)
        self.cookie = mine
        self.assertEqual(400, self.ask("POST", "/choose", {"waiting": page.waiting, "person": "olga"}).status, "once")

    def test_nobody_is_logged_out_by_a_link(self):
        self.logged_in()
        page = self.ask("GET", "/logout")
        self.assertEqual(200, page.status)
        self.assertEqual("anna", self.logged_in(prompt="none")["sub"])
        self.assertEqual(303, self.ask("POST", "/log-out", {"waiting": page.waiting}).status)
        self.assertEqual("login_required", self.authorize(prompt="none").back["error"])

    def test_a_logout_leads_nowhere_but_to_the_client(self):
        hint = self.exchange(self.authorize().back["code"]).json["id_token"]
        for to in ("http://evil.example/", f"{LOGGED_OUT}/../evil"):
            asked = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": to})
            answer = self.ask("GET", f"/logout?{asked}")
            self.assertEqual(400, answer.status)
            self.assertNotIn("location", answer.headers)
        asked = urlencode({"id_token_hint": hint + "x", "post_logout_redirect_uri": LOGGED_OUT})
        self.assertEqual(400, self.ask("GET", f"/logout?{asked}").status, "nobody signed this")
        asked = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": LOGGED_OUT, "state": "a&b"})
        self.assertEqual({"state": "a&b"}, self.ask("GET", f"/logout?{asked}").back)

    def test_another_name_of_this_machine_is_refused(self):
        self.assertEqual(421, self.ask("GET", "/", Host="evil.example").status)

    def test_a_code_and_a_session_grow_old(self):
        now = [1000.0]
        provider = Provider("http://127.0.0.1:1", Client("rescind", CALLBACK, LOGGED_OUT), lambda: now[0])
        begun = provider.authorize(list(LOGIN.items()), None)
        self.assertIsInstance(begun, Redirect)
        code = dict(parse_qsl(urlsplit(begun.address).query))["code"]
        now[0] += CODE_SECONDS + 1
        form = {"grant_type": "authorization_code", "client_id": "rescind", "code": code, "redirect_uri": CALLBACK}
        with self.assertRaises(OAuthError) as refused:
            provider.token(list({**form, "code_verifier": VERIFIER}.items()))
        self.assertEqual("invalid_grant", refused.exception.code)
        young = {**LOGIN, "max_age": str(CODE_SECONDS + 1)}
        self.assertIsInstance(provider.authorize(list(young.items()), begun.browser), Redirect)
        self.assertIsInstance(provider.authorize(list({**LOGIN, "max_age": "1"}.items()), begun.browser), Ask)


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


if __name__ == "__main__":
    unittest.main()
