"""Somebody who logs in to the console, as a browser does it."""
import re
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests


class Browser:
    """A session of the console, with the token that its forms need."""

    def __init__(self, there: dict, address: str) -> None:
        self._there, self._session = there, requests.Session()
        self._session.trust_env = False
        # What cookies there are, this says for each request.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # The proxy in front of the service says from where, and that it was encrypted on its way there.
        self._headers = {
            "Host": urlsplit(there["hub"]).netloc,
            "X-Forwarded-For": address,
            "X-Forwarded-Proto": "https",
            "Accept": "text/html",
        }
        begun = self._get("/login")
        login = self._cookie(begun)
        provider = self._session.get(begun.headers["Location"], allow_redirects=False)
        back = provider.headers["Location"].removeprefix(there["hub"])
        finished = self._get(back, login)
        self.cookie = self._cookie(finished, "__Host-rescind")
        page = self._get("/", self.cookie)
        [self.token] = set(re.findall(r'name="form_token" value="([^"]+)"', page.text))

    def _get(self, target: str, cookie: str = "") -> requests.Response:
        headers = {**self._headers, **({"Cookie": cookie} if cookie else {})}
        answer = self._session.get(self._there["url"] + target, headers=headers, allow_redirects=False)
        assert answer.status_code < 400, f"{target.partition('?')[0]}: {answer.status_code} {answer.text[:2000]}"
        return answer

    @staticmethod
    def _cookie(answer: requests.Response, name: str = "") -> str:
        found = answer.raw.headers.getlist("Set-Cookie")
        [pair] = [one.partition(";")[0] for one in found if one.startswith(f"{name}=" if name else "__Host-rescind-login=")]
        return pair
