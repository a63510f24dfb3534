"""The control interface: plain JSON under ``/emulator/``, for tests and the demo.

It has no authentication: the server listens on the loopback interface only.
"""
import json
from typing import Callable, Mapping, Optional, Tuple
from urllib.parse import parse_qs, urlsplit

from ..errors import AwsError
from ..state.world import World
from .buckets import Buckets
from .buses import Buses
from .cloudtrail import CloudTrail
from .door import NotThere, Routes
from .emulator import Emulator
from .entities import Entities
from .faults import Faults
from .findings import Findings
from .instances import Instances
from .organization import Organization
from .queues import Queues
from .security_hub import SecurityHub
from .signing_keys import SigningKeys
from .tables import Tables
from .topics import Topics
from .webhooks import Webhooks
from .witnesses import Witnesses

PREFIX = "/emulator/"
DOORS = (
    Buckets,
    Buses,
    CloudTrail,
    Emulator,
    Entities,
    Faults,
    Findings,
    Instances,
    Organization,
    Queues,
    SecurityHub,
    SigningKeys,
    Tables,
    Topics,
    Webhooks,
    Witnesses,
)


class Control:
    def __init__(self, world: World) -> None:
        self._routes: Routes = {}
        for door in DOORS:
            self._routes.update(door(world).routes)

    def answer(self, method: str, url: str, body: bytes) -> Tuple[int, dict]:
        """(HTTP status, JSON object)."""
        parts = urlsplit(url)
        path = parts.path[len(PREFIX) :].rstrip("/")
        try:
            request = json.loads(body or b"{}")
            if not isinstance(request, dict):
                raise ValueError("the body is not a JSON object")
            if method == "GET":
                request = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            handler, named = self._handler(method, path)
            if handler is None:
                return 404, {"error": f"there is no {method} {PREFIX}{path}"}
            return 200, handler({**request, **named})
        except NotThere as error:
            return 404, {"error": str(error)}
        except KeyError as error:
            return 400, {"error": f"missing field: {error.args[0]}"}
        except (ValueError, TypeError, AttributeError, OverflowError, AwsError) as error:
            return 400, {"error": str(error)}

    def _handler(self, method: str, path: str) -> Tuple[Optional[Callable[[Mapping], dict]], Mapping[str, str]]:
        """What answers a path, and the name in the path if it has one."""
        if (method, path) in self._routes:
            return self._routes[method, path], {}
        parts = path.split("/")
        name = "".join(parts[1:2])
        parts[1:2] = ["*"]
        return self._routes.get((method, "/".join(parts))), {"name": name}
