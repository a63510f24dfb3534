"""Long-term access keys of accounts' root users, which IAM does not list."""
import secrets
from typing import Dict, Optional

from .ids import new_id


class RootKeys:
    def __init__(self) -> None:
        self._accounts: Dict[str, str] = {}

    def reset(self) -> None:
        self._accounts.clear()

    def create(self, account: str) -> dict:
        key = new_id("AKIA", 20)
        self._accounts[key] = account
        return {"access_key_id": key, "secret_access_key": secrets.token_urlsafe(30)}

    def account_of(self, access_key_id: str) -> Optional[str]:
        return self._accounts.get(access_key_id)
