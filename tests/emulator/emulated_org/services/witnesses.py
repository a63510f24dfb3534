"""A witness that cosigns checkpoints (C2SP tlog-witness and tlog-cosignature), by code that is not rescind's."""
import base64
import hashlib
import time
from typing import Callable, List, Tuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..errors import NoAnswer
from ..protocol.answers import Answer
from ..protocol.notes import cosign, is_signed
from ..state.faults import hang
from ..state.witnesses import CLOSE, EMPTY, FORGE, HANG, LONG, PREFIX, STRANGER, Fault, Seen, Witness, Witnesses

SIZE = "text/x.tlog.size"


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, body: str = "", content_type: str = "text/plain") -> None:
        super().__init__(status)
        self.status, self.body, self.content_type = status, body, content_type


class WitnessReceiver:
    def __init__(self, witnesses: Witnesses) -> None:
        self._witnesses = witnesses

    def answer(self, method: str, path: str, body: bytes, client_is_gone: Callable[[], bool]) -> Answer:
        """Answers a request; raises NoAnswer if it gets none."""
        name, _, call = path[len(PREFIX) :].partition("/")
        fault, let_go = self._witnesses.next_fault(name)
        if fault and fault.what == HANG:
            hang(let_go, client_is_gone)
        with self._witnesses.lock:
            witness = self._witnesses.get(name)
            if witness is None or call != "add-checkpoint":
                return _answer(404, "")
            if method != "POST":
                return _answer(405, "")
            request: dict = {}
            witness.requests.append(request)
            answer = self._answer(name, witness, fault, body, request)
            request["status"] = answer.status if answer else fault.what
            if answer is None:
                raise NoAnswer
            return answer

    def _answer(self, name: str, witness: Witness, fault, body: bytes, request: dict):
        if fault and fault.what in (HANG, CLOSE):
            return None
        if fault and isinstance(fault.what, int):
            headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
            return _answer(fault.what, fault.body, fault.content_type, headers)
        try:
            text = add_checkpoint(witness, body.decode(), request)
        except Refused as refused:
            return _answer(refused.status, refused.body, refused.content_type)
        now = int(time.time()) + witness.clock
        line = cosign(name, witness.key, now, text)
        if fault:
            line = _faulty(fault, name, witness, now, text, line)
        return _answer(200, line)


def add_checkpoint(witness: Witness, body: str, request: dict) -> str:
    """The text of the checkpoint that may be cosigned."""
    head, empty, note = body.partition("\n\n")
    if not empty:
        raise Refused(400, "no empty line")
    old, *proof = head.split("\n")
    if not old.startswith("old ") or not _is_number(old[4:]) or len(proof) > 63:
        raise Refused(400, "no old size")
    old_size, hashes = int(old[4:]), [base64.b64decode(line, validate=True) for line in proof]
    if any(len(one) != 32 for one in hashes):
        raise Refused(400, "not hashes")
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    if not _is_number(size):
        raise Refused(400, "no size")
    size, root = int(size), base64.b64decode(root, validate=True)
    request.update(old=old_size, proof=len(hashes), size=size, origin=origin)
    keys = witness.logs.get(origin)
    if keys is None:
        raise Refused(404)
    if not any(is_signed(text, signatures, key) for key in keys):
        raise Refused(403)
    if old_size > size:
        raise Refused(400, "the old size is above the new one")
    seen = witness.seen.get(origin, Seen(0, hashlib.sha256(b"").digest()))
    if old_size != seen.size:
        raise Refused(409, f"{seen.size}\n", SIZE)
    if old_size == size and seen.root != root:
        raise Refused(409, f"{seen.size}\n", SIZE)
    if not is_consistent(seen, size, root, hashes):
        raise Refused(422)
    witness.seen[origin] = Seen(size, root)
    return text


def is_consistent(seen: Seen, size: int, root: bytes, proof: List[bytes]) -> bool:
    """As RFC 6962 has it in section 2.1.2, from the end of the proof inwards."""
    if seen.size == 0:
        return not proof
    rest = list(proof)
    try:
        before, now = _roots(seen.size, size, rest, seen.root)
    except IndexError:
        return False
    return not rest and (before, now) == (seen.root, root)


def _roots(old: int, size: int, rest: List[bytes], whole) -> Tuple[bytes, bytes]:
    if old == size:
        both = whole if whole is not None else rest.pop()
        return both, both
    left, beside = 1 << (size - 1).bit_length() - 1, rest.pop()
    if old <= left:
        before, now = _roots(old, left, rest, whole)
        return before, _node(now, beside)
    before, now = _roots(old - left, size - left, rest, None)
    return _node(beside, before), _node(beside, now)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _faulty(fault: Fault, name: str, witness: Witness, now: int, text: str, line: str) -> str:
    if fault.what == FORGE:  # the right name and id, over another tree
        return cosign(name, witness.key, now, text.replace("\n", "x\n", 1))
    if fault.what == STRANGER:  # a key that nobody configured, with the same name
        return cosign(name, Ed25519PrivateKey.generate(), now, text)
    if fault.what == LONG:
        return line * 2000
    assert fault.what == EMPTY
    return ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and str(int(text)) == text


def _answer(status: int, body: str, content_type: str = "text/plain", headers=()) -> Answer:
    return Answer(status, {"Content-Type": content_type, **dict(headers)}, body.encode())
