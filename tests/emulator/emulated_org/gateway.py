"""The way of a call: faults, authentication, authorization, the service, the log."""
import traceback
import uuid
from typing import Callable, List, Mapping, Optional

from .enforcement import Principal
from .errors import AwsError
from .moto_bridge import forward
from .protocol.calls import Answer, Call, read_call, render_error
from .state.calls import logged
from .state.directory import account_of
from .state.faults import AFTER, BEFORE, ClientGone, Fault, hang
from .state.world import World

# The status of what the emulator cannot do: AWS never said it, so that it leaves no event.
NOT_SERVED = 501


class Disconnect(Exception):
    """The connection is to be closed without an answer."""


class Gateway:
    def __init__(self, world: World) -> None:
        self._world = world

    def answer(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, client_is_gone: Callable[[], bool]
    ) -> Answer:
        """Answers one request; raises Disconnect or ClientGone if it gets no answer."""
        request_id = str(uuid.uuid4())
        try:
            call = read_call(method, url, headers, body)
        except AwsError as error:
            return render_error("", error, request_id)
        call.request_id = request_id
        entry = self._enter(call)
        subject = {
            "service": (call.service,),
            "operation": (call.operation,),
            "region": (call.region,),
            "account": (entry["account"], entry["target_account"]),
        }
        fault = self._world.faults.take(subject, BEFORE)
        if fault:
            answer = self._apply(fault, call, client_is_gone)
            if answer:
                self._complete(entry, answer)
                return answer
        answer = self._execute(call, entry, client_is_gone)
        self._complete(entry, answer)
        fault = self._world.faults.take(subject, AFTER)
        if fault:
            answer = self._apply(fault, call, client_is_gone) or answer
        return answer

    def _enter(self, call: Call) -> dict:
        """Enters the call into the log, with what can be told before it is authenticated."""
        with self._world.lock:
            account = self._world.enforcement.account_of_key(call.access_key_id)
        target = account_of(call.params.get("RoleArn", "")) if call.operation == "AssumeRole" else ""
        return self._world.calls.arrived(
            service=call.service,
            operation=call.operation,
            account=account,
            target_account=target or account,
            principal=None,
            access_key_id=call.access_key_id,
            region=call.region,
            params=logged(call),
            request_id=call.request_id,
        )

    def _complete(self, entry: dict, answer: Answer) -> None:
        self._world.calls.completed(entry, status=answer.status, error_code=answer.error_code)

    def _apply(self, fault: Fault, call: Call, client_is_gone: Callable[[], bool]) -> Optional[Answer]:
        """The answer a fault replaces the real one with, if it does."""
        if "hang" in fault.action:
            hang(fault, client_is_gone)
            return None
        if "disconnect" in fault.action:
            raise Disconnect
        if "partial" in fault.action:
            call.failing_entries = fault.action["partial"]
            return None
        error = fault.action["error"]
        injected = AwsError(error["code"], error.get("message", "injected by a fault"), error["status"])
        return render_error(call.service, injected, call.request_id)

    def _execute(self, call: Call, entry: dict, client_is_gone: Callable[[], bool]) -> Answer:
        """Serves the call. Whoever made it, once known, leaves an event in the trail."""
        world = self._world
        known: List[Principal] = []
        answer = self._decide(call, entry, client_is_gone, known)
        if known and answer.status != NOT_SERVED:
            world.trail.record(call, known[0], answer, world.clock.now())
        return answer

    def _decide(self, call: Call, entry: dict, client_is_gone: Callable[[], bool], known: List[Principal]) -> Answer:
        world = self._world
        try:
            with world.lock:
                principal = self._authenticate(call, entry)
                known.append(principal)
                world.enforcement.authorize(principal, call, world.clock.now())
                if call.service != "sqs":
                    answer = self._serve(call, principal)
            if call.service == "sqs":
                # Without the lock: a receiver that waits must not stop all other calls.
                answer = world.sqs.handle(call, principal, client_is_gone)
        except ClientGone:
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
        principal = world.enforcement.authenticate(call, world.clock.now())
        world.calls.completed(entry, principal=principal.arn)
        return principal

    def _serve(self, call: Call, principal: Principal) -> Answer:
        services = {
            "sts": self._world.sts,
            "iam": self._world.iam,
            "organizations": self._world.organizations,
            "guardduty": self._world.guardduty,
            "account": self._world.account,
            "cloudtrail": self._world.cloudtrail,
            "sns": self._world.sns,
            "events": self._world.eventbridge,
            "securityhub": self._world.security_hub,
        }
        if call.service in services:
            return services[call.service].handle(call, principal)
        if call.service == "ec2":
            return self._world.ec2.handle(call, principal.account)
        return forward(call, principal.account)
