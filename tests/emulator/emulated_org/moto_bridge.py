"""Hands a call to moto, in this process, for everything not emulated here.

moto's own server would load every backend and needs Flask. Here a backend is
imported on its first call, so that starting the emulator stays quick.
"""
import io
import json
import re
from importlib import import_module
from typing import Dict, Mapping, Tuple
from urllib.parse import urlsplit
from xml.sax.saxutils import unescape

from werkzeug.exceptions import HTTPException

from .errors import AwsError, NotEmulated
from .protocol.answers import Answer, content_type
from .protocol.calls import JSON, PROTOCOLS, REST_JSON, Call

try:
    from moto.core.request import Request as MotoRequest
except ImportError:  # moto for Python 3.9 takes plain werkzeug requests
    from werkzeug.wrappers import Request as MotoRequest

# moto's packages that are not called as the service is.
PACKAGES = {"lambda": "awslambda"}
XML_CODE = re.compile(r"<Code>(.*?)</Code>", re.DOTALL)
XML_MESSAGE = re.compile(r"<Message>(.*?)</Message>", re.DOTALL)
XML_REQUEST_ID = re.compile(r"(<(?:RequestId|RequestID|requestId)>)[^<]*(</)")


def forward(call: Call, account: str, kept: Tuple[str, ...] = ("content-type", "location", "etag")) -> Answer:
    """moto's answer to `call`, made in `account`, with the headers that begin with one of `kept`. Errors are raised as AwsError,
    because moto's own error documents are not all in the shape the SDKs expect."""
    dispatch = _dispatcher(call.service, urlsplit(call.url).path)
    request = _request(call, account)
    try:
        status, headers, body = dispatch(request, request.url, dict(request.headers))
    except HTTPException as error:
        status, headers, body = error.code or 400, {}, error.description or ""
    except NotImplementedError:
        raise NotEmulated(f"{call.service}:{call.operation}") from None
    text = body.decode() if isinstance(body, bytes) else str(body)
    status = int(headers.get("status", status))
    if status >= 400:
        raise _error(call, status, text, headers)
    text = XML_REQUEST_ID.sub(rf"\g<1>{call.request_id}\g<2>", text)
    named = {name: str(value) for name, value in headers.items() if name.lower().startswith(kept)}
    if "content-type" not in {name.lower() for name in named}:
        named["Content-Type"] = content_type(call.service)
    return Answer(status, named, text.encode())


def is_loaded(service: str) -> bool:
    return service in _routes


_routes: Dict[str, list] = {}


def _dispatcher(service: str, path: str):
    if service not in _routes:
        urls = import_module(f"moto.{PACKAGES.get(service, service)}.urls")
        _routes[service] = [
            (re.compile(pattern.replace("{0}", "", 1)), handler) for pattern, handler in urls.url_paths.items()
        ]
    for pattern, handler in _routes[service]:
        if pattern.match(path):
            return handler
    raise NotEmulated(f"{service} {path}")


def _request(call: Call, account: str) -> MotoRequest:
    parts = urlsplit(call.url)
    environ = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "RAW_URI": call.url,
        "REQUEST_URI": call.url,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(call.body),
        "wsgi.errors": io.StringIO(),
    }
    for name, value in call.headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(len(call.body))
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
    return MotoRequest(environ)


def _error(call: Call, status: int, text: str, headers: Mapping[str, str]) -> AwsError:
    if PROTOCOLS[call.service] in (JSON, REST_JSON):
        fields = json.loads(text or "{}")
        stated = {name.lower(): value for name, value in headers.items()}.get("x-amzn-errortype")
        code = (stated or fields.get("__type") or "UnknownError").rpartition("#")[2]
        return AwsError(code, fields.get("message") or fields.get("Message") or "", status)
    code, message = XML_CODE.search(text), XML_MESSAGE.search(text)
    if not code:
        return AwsError("InternalFailure", text[:500], 500)
    return AwsError(unescape(code.group(1)), unescape(message.group(1)) if message else "", status)
