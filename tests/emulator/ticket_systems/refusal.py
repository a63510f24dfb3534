"""What is not as the documentation says is refused."""
from typing import Any


class Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def check(holds: bool, status: int, message: str) -> None:
    if not holds:
        raise Refusal(status, message)


def only(value: Any, names: set) -> None:
    """It is an object with exactly these members."""
    check(isinstance(value, dict) and set(value) == names, 400, f"expected an object with {', '.join(sorted(names))}")
