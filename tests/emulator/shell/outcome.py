"""Runs a command against the emulator, and says what came of it."""
import base64
from datetime import datetime
from functools import lru_cache
from typing import Dict, Mapping, Optional, Tuple

import jmespath
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, UnknownServiceError
from botocore.model import ServiceModel
from emulated_org.client import Emulator, boto3_session

from .command import Command, read_command
from .line import Misspelled

# The exit statuses of the AWS CLI, version 2.
WORKED, MISSPELLED, NOT_CONFIGURED, REFUSED, FAILED = 0, 252, 253, 254, 255
# Services that the CLI calls without being told a region.
GLOBAL = ("iam", "organizations")
MAIN_REGION = "us-east-1"


class Shell:
    """`credentials` are by profile; those of ``default`` are for commands without one."""

    def __init__(self, endpoint: str, credentials: Mapping[str, Mapping], region: Optional[str] = None) -> None:
        self._emulator = Emulator(endpoint)
        self._credentials = credentials
        self._region = region
        self._sessions: Dict[Tuple[str, str], object] = {}

    def run(self, line: str) -> dict:
        """One command's ``command``, ``status`` and ``answer`` or ``error``."""
        try:
            command = read_command(line, service_model)
            return {"command": line, "status": WORKED, "answer": self._answer(command)}
        except Misspelled as error:
            return _failed(line, MISSPELLED, "", str(error))
        except _NotConfigured as error:
            return _failed(line, NOT_CONFIGURED, "", str(error))
        except ClientError as error:
            answered = error.response["Error"]
            return _failed(line, REFUSED, answered.get("Code", ""), answered.get("Message", ""))
        except BotoCoreError as error:
            return _failed(line, FAILED, "", str(error))

    def _answer(self, command: Command) -> object:
        client = self._emulator.client(self._session(command), command.service)
        try:
            method = xform_name(command.operation)
            # As the CLI, all pages, unless the command says which.
            if client.can_paginate(method) and self._wants_all(client.get_paginator(method), command):
                answer = client.get_paginator(method).paginate(**command.parameters).build_full_result()
            else:
                answer = getattr(client, method)(**command.parameters)
        finally:
            client.close()
        answer.pop("ResponseMetadata", None)
        plain = _plain(answer)
        query = command.options.get("query")
        try:
            return jmespath.search(query, plain) if query else plain
        except jmespath.exceptions.JMESPathError as error:
            raise Misspelled(f"--query: {error}") from None

    def _wants_all(self, paginator, command: Command) -> bool:
        config = paginator._pagination_cfg
        tokens = config["input_token"] if isinstance(config["input_token"], list) else [config["input_token"]]
        paging = {*tokens, config.get("limit_key")}
        return "no-paginate" not in command.options and not paging & set(command.parameters)

    def _session(self, command: Command):
        profile = command.options.get("profile", "default")
        if profile not in self._credentials:
            raise _NotConfigured(f"the profile {profile} is not there")
        region = command.options.get("region") or self._region
        if not region and command.service in GLOBAL:
            region = MAIN_REGION
        if not region:
            raise _NotConfigured("a region is not stated: --region")
        if (profile, region) not in self._sessions:
            self._sessions[profile, region] = boto3_session(self._credentials[profile], region)
        return self._sessions[profile, region]


class _NotConfigured(Exception):
    pass


def check(line: str) -> dict:
    """One command's ``command`` and ``status``, and ``error`` if the CLI would not take it. It is not run."""
    try:
        read_command(line, service_model)
    except Misspelled as error:
        return _failed(line, MISSPELLED, "", str(error))
    return {"command": line, "status": WORKED}


@lru_cache(maxsize=None)
def service_model(service: str) -> Optional[ServiceModel]:
    from botocore.session import get_session

    try:
        return get_session().get_service_model(service)
    except UnknownServiceError:
        return None


def _failed(line: str, status: int, code: str, message: str) -> dict:
    return {"command": line, "status": status, "error": {"code": code, "message": message}}


def _plain(value: object) -> object:
    """As JSON has it."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return value.read().decode("utf-8", "replace")
    return value
