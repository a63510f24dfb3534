"""The way of a call: faults, authentication, authorization, the service, the log."""
import time
import traceback
import uuid
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from .enforcement import Enforcement, Principal
from .errors import AwsError, NoAnswer
from .protocol.answers import Answer
from .protocol.calls import Call, read_call
from .protocol.refusals import render_error
from .services.cloudtrail.record import record
from .services.questions import questions_of
from .services.switchboard import Switchboard
from .state.directory import account_of
from .state.faults import AFTER, BEFORE, Fault, hang
from .state.world import World

# The status of what the emulator cannot do: AWS never said it, so that it leaves no event.
NOT_SERVED = 501

# What the log keeps of calls that carry texts, which may be long and confidential.
KEPT_PARAMETERS: Dict[Tuple[str, str], Tuple[str, ...]] = {
    ("sns", "Publish"): ("TopicArn", "TargetArn", "MessageStructure", "MessageGroupId", "MessageDeduplicationId"),
    ("events", "PutEvents"): (),
    ("dynamodb", "PutItem"): ("TableName", "ConditionExpression"),
    ("lambda", "CreateFunction"): ("FunctionName", "Handler", "Role", "Runtime"),
    ("lambda", "PublishLayerVersion"): ("LayerName",),
    ("lambda", "UpdateFunctionCode"): ("FunctionName",),
}


class Gateway:
    def __init__(self, world: World) -> None:
        self._world = world
        self._enforcement = Enforcement(world)
        self._services = Switchboard(world, self._enforcement)

    def answer(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, client_is_gone: Callable[[], bool]
    ) -> Answer:
        """Answers one request; raises NoAnswer if it gets none."""
        request_id = str(uuid.uuid4())
        try:
            call = read_call(method, url, headers, body)
        except AwsError as error:
            return render_error("", error, request_id)
        call.request_id, call.client_is_gone = request_id, client_is_gone
        entry = self._enter(call)
        subject = {
            "service": (call.service,),
            "operation": (call.operation,),
            "region": (call.region,),
            "account": (entry["account"], entry["target_account"]),
            "access_key_id": (call.access_key_id,),
        }
        time.sleep(self._world.faults.delay(subject, BEFORE))
        fault = self._world.faults.take(subject, BEFORE)
        if fault:
            answer = self._apply(fault, call)
            if answer:
                self._complete(entry, answer)
                return answer
        answer = self._execute(call, entry)
        self._complete(entry, answer)
        time.sleep(self._world.faults.delay(subject, AFTER))
        fault = self._world.faults.take(subject, AFTER)
        if fault:
            answer = self._apply(fault, call) or answer
        return answer

    def _enter(self, call: Call) -> dict:
        """Enters the call into the log, with what is known before it is authenticated."""
        with self._world.lock:
            account = self._enforcement.account_of_key(call.access_key_id)
        target = account_of(call.params.get("RoleArn", "")) if call.operation == "AssumeRole" else ""
        return self._world.calls.arrived(
            at=self._world.clock.stamp(),
            service=call.service,
            operation=call.operation,
            account=account,
            target_account=target or account,
            principal=None,
            access_key_id=call.access_key_id,
            region=call.region,
            params=_logged(call),
            write=not call.is_read,
            request_id=call.request_id,
        )

    def _complete(self, entry: dict, answer: Answer) -> None:
        self._world.calls.completed(entry, status=answer.status, error_code=answer.error_code)

    def _apply(self, fault: Fault, call: Call) -> Optional[Answer]:
        """The answer a fault replaces the real one with, if it does."""
        if "hang" in fault.action:
            hang(fault.released, call.client_is_gone)
            return None
        if "disconnect" in fault.action:
            raise NoAnswer
        if "partial" in fault.action:
            call.failing_entries = fault.action["partial"]
            return None
        error = fault.action["error"]
        injected = AwsError(error["code"], error.get("message", "injected by a fault"), error["status"])
        return render_error(call.service, injected, call.request_id)

    def _execute(self, call: Call, entry: dict) -> Answer:
        """Serves the call. Whoever made it, once known, leaves an event in the trail."""
        world = self._world
        known: List[Principal] = []
        answer = self._decide(call, entry, known)
        if known and answer.status != NOT_SERVED:
            record(world, call, known[0], answer)
        return answer

    def _decide(self, call: Call, entry: dict, known: List[Principal]) -> Answer:
        world = self._world
        try:
            with world.lock:
                principal = self._authenticate(call, entry)
                known.append(principal)
                questions = questions_of(call, principal.account, world.directory)
                self._enforcement.authorize(principal, call, questions, world.clock.now())
                if not self._services.may_wait(call):
                    with world.spread.delaying(call, principal.account):
                        answer = self._services.serve(call, principal)
            if self._services.may_wait(call):
                # Without the lock: a receiver that waits must not stop all other calls.
                answer = self._services.serve(call, principal)
        except NoAnswer:
            raise
        except AwsError as error:
            return render_error(call.service, error, call.request_id)
        except Exception as error:
            # A defect in the emulator must not pass for something AWS said.
            traceback.print_exc()
            return render_error(call.service, AwsError("EmulatorDefect", repr(error), NOT_SERVED), call.request_id)
        answer.headers.setdefault("x-amzn-RequestId", call.request_id)
        return answer

    def _authenticate(self, call: Call, entry: dict) -> Principal:
        world = self._world
        world.directory.require_region(call.region)
        now = world.clock.now()
        principal = self._enforcement.authenticate(call, now)
        if call.presigned:
            call.presigned.verify(self._enforcement.secret_of(call.access_key_id), now)
        world.calls.completed(entry, principal=principal.arn)
        return principal


def _logged(call: Call) -> Dict[str, str]:
    """A call's parameters, of texts only how long they are."""
    kept = KEPT_PARAMETERS.get((call.service, call.operation))
    if kept is None:
        return call.params
    return {name: value if name in kept else _size(value) for name, value in call.params.items()}


def _size(text: str) -> str:
    return f"({len(text.encode())} bytes)"
