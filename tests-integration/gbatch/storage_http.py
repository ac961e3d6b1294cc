"""Requests and answers, whether each came by itself or in a batch; and the multipart of both."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .storage_errors import bad_request

__all__ = ["Answer", "Request", "join_multipart", "json_answer", "split_head", "split_multipart"]

_JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    """Path and query, quoted."""
    headers: Mapping[str, str]
    """Names are in lower case."""
    body: bytes = b""
    base: str = ""
    """Scheme and host, as the client named them."""

    @cached_property
    def path(self) -> str:
        """The path, still quoted."""
        return urlsplit(self.target).path

    @cached_property
    def queries(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @cached_property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in self.queries.items()}

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    def number(self, name: str) -> int | None:
        """Return a number of the query."""
        text = self.query.get(name)
        if text is None:
            return None
        if not text.isdecimal():
            raise bad_request(f"Invalid value for {name}: {text}")
        return int(text)

    def json(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            raise bad_request("Parse Error") from None
        if not isinstance(found, dict):
            raise bad_request("Parse Error")
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = _JSON


def json_answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(value).encode(), headers or {})


def split_multipart(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Return headers and bytes of each part. The bytes may be anything, so no mail parser is asked."""
    found = re.search(r"""boundary=["']?([^"';]+)""", content_type)
    if not found:
        raise bad_request("Missing multipart boundary.")
    mark = re.escape(found[1].encode())
    parts = re.split(rb"(?:^|\r?\n)--" + mark + rb"(?:--)?[ \t]*(?:\r?\n|$)", body)
    return [split_head(part) for part in parts[1:-1]]


def split_head(text: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers before the first empty line, and what is behind it."""
    head, *rest = re.split(rb"(?:^|\r?\n)\r?\n", text, maxsplit=1)
    pairs = (line.partition(":") for line in head.decode("latin-1").splitlines())
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return headers, rest[0] if rest else b""


def join_multipart(parts: Sequence[bytes], boundary: str) -> bytes:
    mark = b"--" + boundary.encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
