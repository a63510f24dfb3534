"""The adversary: what it does in each round, and what it prints."""
import random
from datetime import datetime, timezone
from typing import Callable, Dict, List, Mapping, Optional, Sequence

from botocore.exceptions import BotoCoreError, ClientError
from emulated_org.client import Emulator

from .credentials import WORKS, Purse, Refused, code_of
from .entity import Entity
from .offspring import Offspring

VICTIM = "victim"
SKILLS = ("iam", "none")
KINDS = ("session", "user")
PROBE = "iam:ListUsers"


class Adversary:
    """One stolen credential and what comes of it.

    `tick` is one round; nothing happens between rounds, and nothing waits. `log` gets each line as a dict.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: Mapping[str, str],
        account: str,
        region: str,
        seed: int = 0,
        skill: str = "iam",
        kind: str = "session",
        chain: Sequence[str] = (),
        probes: Sequence[str] = (PROBE,),
        log: Callable[[dict], None] = lambda line: None,
    ) -> None:
        if skill not in SKILLS or kind not in KINDS:
            raise ValueError(f"skill is one of {', '.join(SKILLS)} and kind one of {', '.join(KINDS)}")
        if (kind == "session") != bool(credentials.get("session_token")):
            raise ValueError("a session has a session token, and a user's key has none")
        self._chance = random.Random(seed)
        self._purse = Purse(Emulator(endpoint), region, self._chance)
        self._purse.hold(VICTIM, credentials, account)
        self._key_id, self._account = credentials["access_key_id"], account
        self._skill, self._kind = skill, kind
        self._chain, self._probes = list(chain), list(probes)
        self._suffix = f"{self._chance.getrandbits(32):08x}"
        self._log = log
        self._moves: Optional[Dict[str, Callable[[], None]]] = None
        self._entity_arn: Optional[str] = None
        self._refused: Dict[str, str] = {}
        self._rounds = self._removals = 0
        self._first_denied: Optional[str] = None
        self._working: Dict[str, str] = {}

    def tick(self, emulator_time: Optional[str] = None) -> dict:
        """One round: all moves in an order of chance, then a harmless call with each credential."""
        self._rounds += 1
        self._refused = {}
        if self._skill == "iam":
            self._move()
        self._working = self._purse.probe(self._probes)
        wall = _now()
        if self._first_denied is None and self._working[VICTIM] != WORKS:
            self._first_denied = wall
        line = {"event": "tick", "n": self._rounds, "wall": wall, "credentials": self._working, "refused": self._refused}
        if emulator_time:
            line["emulator"] = emulator_time
        self._log(line)
        return line

    def summary(self) -> dict:
        line = {
            "event": "summary",
            "first_denied": self._first_denied,
            "working": self._working,
            "removed": self._removals,
        }
        self._log(line)
        return line

    def close(self) -> None:
        self._purse.close()

    def _move(self) -> None:
        self._attempt("who it is", self._find_out)
        moves = list((self._moves or {}).items())
        self._chance.shuffle(moves)
        for name, move in moves:
            self._attempt(name, move)

    def _attempt(self, name: str, move: Callable[[], None]) -> None:
        """Whatever goes wrong, the next move is made."""
        try:
            move()
        except (ClientError, BotoCoreError, Refused) as error:
            self._failed(name, code_of(error))

    def _find_out(self) -> None:
        """Who the victim is. AWS answers that whatever the policies say."""
        if self._moves is not None:
            return
        arn = self._purse[VICTIM].call("sts:GetCallerIdentity")["Arn"]
        partition, rest = arn.split(":")[1], arn.split(":", 5)[5].split("/")
        is_role = rest[0] == "assumed-role"
        kind, name = ("role", rest[1]) if is_role else ("user", rest[-1])
        entity = Entity(self._purse, self._account, partition, kind, name, self._removed, self._failed)
        offspring = Offspring(self._purse, self._account, partition, self._suffix, self._made)
        self._entity_arn = f"arn:{partition}:iam::{self._account}:role/{name}" if is_role else arn
        self._moves = {
            "inline policies": entity.take_off_inline_policies,
            "managed policies": entity.take_off_managed_policies,
            "boundary": entity.take_off_boundary,
            "own policy": entity.keep_rights,
            "new role": lambda: offspring.make_role(self._selves(arn)),
            "new user": offspring.make_user,
            "session of new role": offspring.assume_made_role,
            **self._chained(offspring),
        }
        if is_role:
            self._moves["own session"] = lambda: offspring.assume("juggled", self._entity_arn)
            self._attempt("path of the role", lambda: self._learn_path(entity))
        elif self._kind == "user":
            self._moves["own session"] = offspring.session_of_user
            self._moves["own key"] = lambda: entity.keep_key(self._key_id)
        # Before anything is changed: what is there is kept.
        self._attempt("first look", entity.look)

    def _chained(self, offspring: Offspring) -> Dict[str, Callable[[], None]]:
        def move(arn: str) -> Callable[[], None]:
            return lambda: offspring.assume(f"chained:{arn}", arn)

        return {f"session of {arn}": move(arn) for arn in self._chain}

    def _learn_path(self, entity: Entity) -> None:
        self._entity_arn = entity.described()["Arn"]

    def _selves(self, arn: str) -> List[str]:
        return sorted({arn, self._entity_arn})

    def _removed(self, what: str, name: str) -> None:
        self._removals += 1
        self._log({"event": "removed", "what": what, "name": name, "wall": _now()})

    def _made(self, what: str, name: str) -> None:
        self._log({"event": "made", "what": what, "name": name, "wall": _now()})

    def _failed(self, what: str, code: str) -> None:
        self._refused[what] = code


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
