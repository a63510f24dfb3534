"""Pages of a list whose tokens say, out of the caller's sight, where the next one begins."""
import base64
from typing import List, Optional, Tuple


def page(items: List, size: int, token: Optional[str]) -> Tuple[List, Optional[str]]:
    """The items of a page, and the token of the next if there is one; ValueError if nobody answered `token`."""
    start = int(base64.b64decode(str(token), validate=True)) if token else 0
    end = start + size
    return items[start:end], token_of(end) if end < len(items) else None


def token_of(start: int) -> str:
    return base64.b64encode(b"%d" % start).decode()
