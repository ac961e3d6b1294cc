"""HTTP: the service as JSON, and the control of it below /emulator/."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Coroutine
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from google.protobuf import json_format

from .batch_control import Control
from .batch_errors import ApiError, invalid, missing
from .batch_grpc import BATCH, OPERATIONS
from .batch_service import Service

__all__ = ["serve_http"]

_PLACE = r"projects/[^/]+/locations/[^/]+"
_JOB = rf"{_PLACE}/jobs/[^/:]+"
_ROUTES = [
    (verb, re.compile(rf"/v1/{pattern}"), method)
    for verb, pattern, method in (
        ("POST", rf"(?P<parent>{_PLACE})/jobs", "CreateJob"),
        ("GET", rf"(?P<parent>{_PLACE})/jobs", "ListJobs"),
        ("GET", rf"(?P<name>{_JOB})", "GetJob"),
        ("DELETE", rf"(?P<name>{_JOB})", "DeleteJob"),
        ("POST", rf"(?P<name>{_JOB}):cancel", "CancelJob"),
        ("GET", rf"(?P<parent>{_JOB}/taskGroups/[^/]+)/tasks", "ListTasks"),
        ("GET", rf"(?P<name>{_JOB}/taskGroups/[^/]+/tasks/\d+)", "GetTask"),
        ("GET", rf"(?P<name>{_PLACE}/operations/[^/]+)", "GetOperation"),
        ("DELETE", rf"(?P<name>{_PLACE}/operations/[^/]+)", "DeleteOperation"),
        ("POST", rf"(?P<name>{_PLACE}/operations/[^/]+):cancel", "CancelOperation"),
        ("GET", rf"(?P<name>{_PLACE})/operations", "ListOperations"),
    )
]


def serve_http(service: Service, control: Control, loop: asyncio.AbstractEventLoop) -> int:
    """Serve by threads of their own, and return the port."""

    class Handler(_Handler):
        emulated, controlled, home = service, control, loop

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    emulated: Service
    controlled: Control
    home: asyncio.AbstractEventLoop

    def log_message(self, *_: Any) -> None:
        """Say nothing: the log is for what goes wrong."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        url = urlsplit(self.path)
        if url.path.startswith("/emulator/"):
            code, answer = self._control(url.path.removeprefix("/emulator/"), body)
        else:
            code, answer = self._serve(unquote(url.path), dict(parse_qsl(url.query)), body)
        content = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json; charset=UTF-8")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _on_loop(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self.home).result()

    def _control(self, verb: str, body: bytes) -> tuple[int, Any]:
        try:
            method = getattr(self.controlled, verb if verb[:1] != "_" else "")
            return 200, self._on_loop(method(**json.loads(body or b"{}")))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            return 400, f"{type(error).__name__}: {error}"

    def _serve(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        try:
            method, request = self._request(path, query, body)
            authorization = self.headers.get("authorization", "")
            answer = self._on_loop(self.emulated.call(method, request, authorization))
        except ApiError as error:
            return error.http_code, error.as_json()
        as_numbers = "enum-encoding=int" in query.get("$alt", "")
        return 200, json_format.MessageToDict(answer, use_integers_for_enums=as_numbers)

    def _request(self, path: str, query: dict[str, str], body: bytes) -> tuple[str, Any]:
        for verb, pattern, method in _ROUTES:
            found = pattern.fullmatch(path)
            if found and verb == self.command:
                return method, _parsed(method, found.groupdict(), query, body)
        raise missing(path)


def _parsed(method: str, place: dict[str, str], query: dict[str, str], body: bytes) -> Any:
    request = (BATCH | OPERATIONS)[method]()
    names = {field.json_name: field.name for field in request.DESCRIPTOR.fields}
    asked: dict[str, Any] = {name: query[name] for name in names if name in query} | place
    content = json.loads(body or b"{}")
    try:
        json_format.ParseDict(
            asked | ({"job": content} if method == "CreateJob" else content), request
        )
    except json_format.ParseError as error:
        raise invalid("job", f"Invalid JSON payload received. {error}") from None
    return request
