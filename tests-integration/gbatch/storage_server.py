"""The emulator of Cloud Storage as a process: ROOT is the folder of the buckets, whose folders are
what tasks mount. It prints its port and ends with its standard input.

    python -m gbatch.storage_server ROOT [--cert PEM --key PEM]
"""

from __future__ import annotations

import argparse
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET, socket
from typing import ClassVar

from .storage_api import Api
from .storage_control import CONTROL, Control, Fault
from .storage_errors import injected
from .storage_folder import Folder
from .storage_http import Answer, Request
from .storage_objects import Objects

_NO_BODY = (204, 304)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one write
    api: ClassVar[Api]
    control: ClassVar[Control]
    scheme: ClassVar[str] = "http"

    def _serve(self) -> None:
        request = self._request()
        if self.path.startswith(CONTROL):
            self._send(self.control.answer(request))
        elif fault := self._fault(request):
            self._meet(fault, request)
        else:
            self._send(self.api.answer(request))

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Have http.server find `do_GET` and all the others."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._serve

    def _request(self) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        base = f"{self.scheme}://{headers.get('host', '')}"
        return Request(self.command, self.path, headers, self._body(headers), base)

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            return b"".join(iter(self._chunk, b""))
        length = int(headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the client is gone; what it sent of a piece is kept
            self.close_connection = True
        return body

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _fault(self, request: Request) -> Fault | None:
        return self.control.fault(request)

    def _meet(self, fault: Fault, request: Request) -> None:
        match fault.kind:
            case "status":
                self._send(Answer(fault.status, injected(fault.status).body()))
            case "delay":
                time.sleep(fault.seconds)
                self._send(self.api.answer(request))
            case "reset":
                self._reset()
            case "lost":
                self.api.answer(request)
                self.close_connection = True
            case "cut":
                answer = self.api.answer(request)
                self._send(answer, answer.body[: len(answer.body) // 2])
                self.close_connection = True

    def _reset(self) -> None:
        """End the connection as a crashed peer does."""
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _send(self, answer: Answer, body: bytes | None = None) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in _NO_BODY:
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body if body is None else body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[_Handler], context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._context = context

    def get_request(self) -> tuple[socket, object]:
        connection, address = super().get_request()
        if self._context is None:
            return connection, address
        # The handshake is left to the connection's own thread.
        wrapped = self._context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        return wrapped, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # as it came


def _context(cert: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    options = parser.parse_args()
    objects = Objects(Folder(options.root))
    control = Control(objects)
    made = {"api": Api(objects, control), "control": control}
    made["scheme"] = "https" if options.cert else "http"
    handler = type("Handler", (_Handler,), made)
    server = _Server(handler, _context(options.cert, options.key) if options.cert else None)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
