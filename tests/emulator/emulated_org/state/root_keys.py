"""Long-term access keys of accounts' root users, which IAM does not list."""
import secrets
from typing import Dict, Optional

from .ids import new_id


class RootKeys:
    def __init__(self) -> None:
        self._accounts: Dict[str, str] = {}
        self._secrets: Dict[str, str] = {}

    def reset(self) -> None:
        self._accounts.clear()
        self._secrets.clear()

    def create(self, account: str) -> dict:
        key = new_id("AKIA", 20)
        self._accounts[key] = account
        self._secrets[key] = secrets.token_urlsafe(30)
        return {"access_key_id": key, "secret_access_key": self._secrets[key]}

    def account_of(self, access_key_id: str) -> Optional[str]:
        return self._accounts.get(access_key_id)

    def secret_of(self, access_key_id: str) -> Optional[str]:
        return self._secrets.get(access_key_id)
