"""What the parts of the control interface have in common."""
from typing import Callable, Dict, Mapping, Tuple

from ..state.detectors import Detector
from ..state.world import World

# (method, path) -> what answers it, from the fields of the body or, of GET, of the query. A part of the
# path that is ``*`` becomes the field ``name``.
Routes = Dict[Tuple[str, str], Callable[[Mapping], dict]]


class NotThere(Exception):
    """Answered with 404; every other mistake is a ValueError or a missing field, answered with 400."""


class Door:
    """One part of the control interface. Each of its methods takes a request and answers a JSON object."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._directory = world.directory

    @property
    def routes(self) -> Routes:
        raise NotImplementedError

    def _account(self, request: Mapping) -> str:
        account = request["account"]
        if account not in self._directory.account_ids:
            raise ValueError(f"there is no account {account}")
        return account

    def _place(self, request: Mapping) -> Tuple[str, str]:
        """The account and the region that a request names."""
        account, region = self._account(request), request["region"]
        self._directory.require_region(region)
        return account, region

    def _detector(self, request: Mapping) -> Detector:
        account, region = self._account(request), request["region"]
        detector = self._world.detectors.find(account, region)
        if detector is None:
            raise ValueError(f"account {account} has no detector in {region}")
        return detector
