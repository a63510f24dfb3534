"""Presigned requests: the signature in the query is checked, as STS does."""
import json
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .support import EmulatorTestCase

HEADERS = {"x-example": "of one hub"}


class Presigned(EmulatorTestCase):
    def url(self, credentials: dict, headers: dict = HEADERS) -> str:
        keys = Credentials(
            credentials["access_key_id"], credentials["secret_access_key"], credentials.get("session_token")
        )
        url = f"{self.emulator.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15"
        request = AWSRequest("GET", url, headers=headers)
        SigV4QueryAuth(keys, "sts", "eu-central-1", expires=60).add_auth(request)
        return request.url

    def get(self, url: str, headers: dict = HEADERS, accept: str = "application/json"):
        request = Request(url, headers={**headers, "Accept": accept})
        try:
            with build_opener(ProxyHandler({})).open(request) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def test_whoever_signed_is_named_in_json_and_in_xml(self):
        self.role(policy={"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
        url = self.url(self.session())
        status, body = self.get(url)
        identity = json.loads(body)["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
        arn = "arn:aws:sts::222222222222:assumed-role/AppRole/i-0abc1234def567890"
        self.assertEqual((status, identity["Arn"], identity["Account"]), (200, arn, "222222222222"))
        status, body = self.get(url, accept="*/*")
        self.assertEqual(status, 200)
        self.assertIn(f"<Arn>{arn}</Arn>", body)

    def test_users_and_root_users_too(self):
        user = self.emulator.user(account=self.shop["id"], name="alice", policy={"Statement": []})
        for credentials in (user["access_keys"][0], self.emulator.root_key(self.shop["id"])):
            self.assertEqual(self.get(self.url(credentials))[0], 200)

    def test_what_is_changed_is_not_signed(self):
        self.role()
        session = self.session()
        url = self.url(session)
        cases = [
            (url, {"x-example": "of another hub"}),
            (url, {}),
            (url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"), HEADERS),
            (url.replace("X-Amz-Signature=", "X-Amz-Signature=0"), HEADERS),
            (self.url({**session, "secret_access_key": "guessed"}), HEADERS),
        ]
        for changed, headers in cases:
            status, body = self.get(changed, headers)
            self.assertEqual(status, 403)
            self.assertIn("SignatureDoesNotMatch", body)

    def test_it_is_taken_for_fifteen_minutes_and_a_session_for_as_long_as_it_lasts(self):
        self.role()
        url = self.url(self.session())
        self.emulator.post("clock", {"advance_seconds": 14 * 60})
        self.assertEqual(self.get(url)[0], 200)
        self.emulator.post("clock", {"advance_seconds": 2 * 60})
        status, body = self.get(url)
        self.assertEqual(status, 403)
        self.assertIn("Signature expired", body)
        brief = self.session(duration=60)
        fresh = self.url(brief)
        self.emulator.post("clock", {"advance_seconds": 120})
        self.assertIn("ExpiredToken", self.get(fresh)[1])
