"""Uploads: in one piece, with metadata beside it, or piece by piece and resumed."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .storage_errors import ApiError, bad_request
from .storage_http import Answer, Request, json_answer, split_multipart
from .storage_objects import Conditions, Object, Objects, digests
from .storage_resources import object_resource, parse_fields, settable

__all__ = ["Uploads"]

_UNIT = 256 * 1024
"""What has come of a piece that breaks off is kept in multiples of it."""
_INCOMPLETE = 308
_CANCELLED = 499


@dataclass
class _Session:
    """A resumable upload."""

    bucket: str
    name: str
    properties: dict[str, Any]
    conditions: Conditions
    content: bytearray = field(default_factory=bytearray)
    done: Object | None = None

    def add(self, start: int, piece: bytes) -> None:
        """Take a piece. What has come before is left out: a piece may be sent again."""
        if start > len(self.content):
            raise ApiError(503, "backendError", "A piece is missing before this one.")
        self.content += piece[len(self.content) - start :]

    def progress(self) -> Answer:
        held = {"Range": f"bytes=0-{len(self.content) - 1}"} if self.content else {}
        return Answer(_INCOMPLETE, headers=held)


class Uploads:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def upload(self, request: Request, bucket: str) -> Answer:
        match request.query.get("uploadType"):
            case "media":
                properties = {"contentType": request.header("Content-Type") or None}
                return self._write(request, bucket, request.body, properties)
            case "multipart":
                properties, content = _two_parts(request)
                return self._write(request, bucket, content, properties)
            case "resumable" if request.method == "POST" and "upload_id" not in request.query:
                return self._begin(request, bucket)
            case "resumable":
                return self._resume(request)
        raise bad_request("Unknown uploadType.")

    def _write(
        self, request: Request, bucket: str, content: bytes, properties: dict[str, Any]
    ) -> Answer:
        name = properties.get("name") or request.query.get("name")
        if not name:
            raise ApiError(400, "required", "Required object name.")
        conditions = Conditions.of(request.query)
        return _answer(request, self._store(bucket, name, content, properties, conditions))

    def _store(
        self,
        bucket: str,
        name: str,
        content: bytes,
        properties: Mapping[str, Any],
        conditions: Conditions,
    ) -> Object:
        _check_digests(content, properties.get("md5Hash"), properties.get("crc32c"))
        return self._objects.write(bucket, name, content, settable(properties.items()), conditions)

    def _begin(self, request: Request, bucket: str) -> Answer:
        self._objects.need_bucket(bucket)
        properties = request.json()
        if kind := request.header("X-Upload-Content-Type"):
            properties.setdefault("contentType", kind)
        name = properties.get("name") or request.query.get("name", "")
        conditions = Conditions.of(request.query)
        conditions.check(self._objects.find(bucket, name))
        key = uuid.uuid4().hex
        self._sessions[key] = _Session(bucket, name, properties, conditions)
        where = f"{request.base}{request.path}?uploadType=resumable&upload_id={key}"
        return Answer(headers={"Location": where, "X-GUploader-UploadID": key})

    def _resume(self, request: Request) -> Answer:
        key = request.query.get("upload_id", "")
        session = self._sessions.get(key)
        if session is None:
            raise ApiError(410, "uploadNotFound", "Upload session not found.")
        if request.method == "DELETE":
            del self._sessions[key]
            return Answer(_CANCELLED)
        with self._lock:
            if session.done is None and not self._take(request, session):
                return session.progress()
            assert session.done is not None
            return _answer(request, session.done)

    def _take(self, request: Request, session: _Session) -> bool:
        """Take a piece, or only look how far it is. Returns whether the object is whole now."""
        start, end, total = _content_range(request)
        if start is not None:
            broken = end is not None and len(request.body) < end + 1 - start
            kept = len(request.body) // _UNIT * _UNIT if broken else len(request.body)
            session.add(start, request.body[:kept])
            if broken:
                return False
        if total is None or len(session.content) < total:
            return False
        self._finish(request, session)
        return True

    def _finish(self, request: Request, session: _Session) -> None:
        content = bytes(session.content)
        claimed = dict(
            pair.strip().split("=", 1) for pair in request.header("X-Goog-Hash").split(",") if pair
        )
        _check_digests(content, claimed.get("md5"), claimed.get("crc32c"))
        session.done = self._store(
            session.bucket, session.name, content, session.properties, session.conditions
        )
        session.content = bytearray()


def _content_range(request: Request) -> tuple[int | None, int | None, int | None]:
    """Return first and last byte of the piece, if it is one, and the size of all, if it is known."""
    text = request.header("Content-Range")
    if not text:
        return 0, None, len(request.body)
    found = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", text)
    if not found:
        raise bad_request(f"Failed to parse Content-Range header: {text}")
    start, end, total = (None if n in (None, "*") else int(n) for n in found.groups())
    return start, end, total


def _two_parts(request: Request) -> tuple[dict[str, Any], bytes]:
    parts = split_multipart(request.header("Content-Type"), request.body)
    if len(parts) != 2:
        raise bad_request("Multipart upload must have two parts.")
    (_, said), (headers, content) = parts
    properties = Request("POST", "/", {}, said).json()
    if kind := headers.get("content-type"):
        properties.setdefault("contentType", kind)
    return properties, content


def _check_digests(content: bytes, md5: str | None, crc32c: str | None) -> None:
    """Refuse what was damaged on its way."""
    if not (md5 or crc32c):
        return
    for name, said, found in zip(("MD5", "CRC32C"), (md5, crc32c), digests(content), strict=True):
        if said and said != found:
            raise bad_request(
                f'Provided {name} "{said}" doesn\'t match calculated {name} "{found}".'
            )


def _answer(request: Request, written: Object) -> Answer:
    fields = parse_fields(request.query.get("fields", ""))
    return json_answer(object_resource(written, request.base, fields))
