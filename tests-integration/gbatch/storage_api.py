"""The JSON API of Cloud Storage over the objects: what each request does, and who may do it."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from .storage_control import Control
from .storage_errors import ApiError, bad_request, condition_not_met, injected
from .storage_folder import Range
from .storage_http import Answer, Request, join_multipart, json_answer, split_head, split_multipart
from .storage_objects import Conditions, Object, Objects
from .storage_resources import (
    bucket_resource,
    hashes,
    object_resource,
    page_resource,
    parse_fields,
    settable,
)
from .storage_uploads import Uploads

__all__ = ["Api"]

_MOST = 1000
"""Objects and prefixes on one page."""
_MOST_PARTS = 100
"""Requests of one batch."""
_MOST_SOURCES = 32
"""Objects that are composed at once."""
_EMPTY = Answer(204)

Names: TypeAlias = dict[str, str]
Handler: TypeAlias = Callable[[Request, Names], Answer]


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    kind: str
    """What it is counted as."""
    permission: str
    handle: Handler


class Api:
    """Answers requests, each by itself or many in a batch."""

    def __init__(self, objects: Objects, control: Control) -> None:
        self._objects = objects
        self._control = control
        self._uploads = Uploads(objects)
        self._routes = self._make_routes()

    def answer(self, request: Request) -> Answer:
        try:
            if request.path.startswith("/batch"):
                return self._batch(request)
            return self._answer_one(request)
        except ApiError as error:
            return _refusal(request, error)

    def _make_routes(self) -> list[_Route]:
        bucket = "/storage/v1/b/(?P<bucket>[^/]+)"
        one = bucket + "/o/(?P<name>[^/]+)"
        other = "/(?:copyTo|rewriteTo)/b/(?P<to_bucket>[^/]+)/o/(?P<to_name>[^/]+)"
        table: list[tuple[str, str, str, str, Handler]] = [
            ("GET", bucket + "/o", "list", "objects.list", self._list),
            ("GET", one, "get", "objects.get", self._get),
            ("GET", "/download" + one, "get", "objects.get", self._get),
            (
                "POST|PUT|DELETE",
                "/upload" + bucket + "/o",
                "upload",
                "objects.create",
                self._upload,
            ),
            ("DELETE", one, "delete", "objects.delete", self._delete),
            ("PATCH|PUT", one, "patch", "objects.update", self._patch),
            ("POST", one + other, "copy", "objects.create", self._copy),
            ("POST", one + "/compose", "compose", "objects.create", self._compose),
            ("GET", bucket + "/iam/testPermissions", "permissions", "", self._permissions),
            ("GET", bucket, "bucket", "buckets.get", self._get_bucket),
            ("DELETE", bucket, "bucket", "buckets.delete", self._delete_bucket),
            ("GET", "/storage/v1/b", "bucket", "buckets.list", self._list_buckets),
            ("POST", "/storage/v1/b", "bucket", "buckets.create", self._create_bucket),
        ]
        return [
            _Route(method, re.compile(path), kind, permission and f"storage.{permission}", handle)
            for method, path, kind, permission, handle in table
        ]

    def _answer_one(self, request: Request, within: str = "") -> Answer:
        for route in self._routes:
            if request.method in route.method.split("|") and (
                found := route.path.fullmatch(request.path)
            ):
                names = {key: unquote(text) for key, text in found.groupdict().items()}
                self._control.count(within + _kind(route, request))
                self._control.check(request, names.get("bucket", ""), route.permission)
                return route.handle(request, names)
        raise ApiError(404, "notFound", f"The emulator has no {request.method} {request.path}")

    def _batch(self, request: Request) -> Answer:
        parts = split_multipart(request.header("Content-Type"), request.body)
        self._control.count("batch")
        self._control.count("batch parts", len(parts))
        if len(parts) > _MOST_PARTS:
            raise bad_request(f"The batch request has more than {_MOST_PARTS} calls.")
        boundary = "batch_of_answers"
        body = join_multipart([self._part(request, *part) for part in parts], boundary)
        return Answer(body=body, kind=f"multipart/mixed; boundary={boundary}")

    def _part(self, request: Request, head: Mapping[str, str], content: bytes) -> bytes:
        line, _, rest = content.lstrip().partition(b"\n")
        method, url, *_ = line.decode().split()
        headers, body = split_head(rest)
        target = urlsplit(url)._replace(scheme="", netloc="").geturl()
        whole = {**request.headers, **headers}
        one = Request(method, target, whole, body.strip(), request.base)
        return _written_part(self._answer_part(one), head.get("content-id", ""))

    def _answer_part(self, part: Request) -> Answer:
        """Answer a part. Only a status can be injected here: it has no connection of its own."""
        fault = self._control.fault(part)
        try:
            if fault and fault.kind == "status":
                raise injected(fault.status)
            return self._answer_one(part, "batch ")
        except ApiError as error:
            return _refusal(part, error)

    def _list(self, request: Request, names: Names) -> Answer:
        query = request.query
        start = max(query.get("startOffset", ""), _start(query.get("pageToken", "")))
        wanted = Range(query.get("prefix", ""), start, query.get("endOffset", ""))
        limit = min(request.number("maxResults") or _MOST, _MOST)
        page = self._objects.page(names["bucket"], wanted, query.get("delimiter", ""), limit)
        fields = parse_fields(query.get("fields", ""))
        token = _token(page.next_start) if page.next_start else ""
        return json_answer(page_resource(page, request.base, token, fields))

    def _get(self, request: Request, names: Names) -> Answer:
        found = self._found(request, names, reading=True)
        if request.query.get("alt") == "media":
            return _content(request, found, self._objects.read(found))
        return _resource(request, found)

    def _found(self, request: Request, names: Names, *, reading: bool = False) -> Object:
        generation = request.number("generation")
        found = self._objects.get(names["bucket"], names["name"], generation)
        Conditions.of(request.query).check(found, reading=reading)
        return found

    def _upload(self, request: Request, names: Names) -> Answer:
        return self._uploads.upload(request, names["bucket"])

    def _delete(self, request: Request, names: Names) -> Answer:
        self._found(request, names)
        conditions = Conditions.of(request.query)
        self._objects.delete(names["bucket"], names["name"], conditions)
        return _EMPTY

    def _patch(self, request: Request, names: Names) -> Answer:
        said = request.json()
        change = _merged if request.method == "PATCH" else _replaced
        found = self._objects.patch(
            names["bucket"],
            names["name"],
            lambda properties: change(properties, said),
            Conditions.of(request.query),
        )
        return _resource(request, found)

    def _copy(self, request: Request, names: Names) -> Answer:
        source = self._objects.get(
            names["bucket"], names["name"], request.number("sourceGeneration")
        )
        Conditions.of(request.query, "Source").check(source)
        copy = self._objects.write(
            names["to_bucket"],
            names["to_name"],
            self._objects.read(source),
            settable(request.json().items()) or source.properties,
            Conditions.of(request.query),
        )
        if "/copyTo/" in request.path:
            return _resource(request, copy)
        answer = {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": str(copy.size),
            "objectSize": str(copy.size),
            "done": True,
            "resource": object_resource(copy, request.base),
        }
        return json_answer(answer)

    def _compose(self, request: Request, names: Names) -> Answer:
        said = request.json()
        sources = said.get("sourceObjects", [])
        if not 1 <= len(sources) <= _MOST_SOURCES:
            raise bad_request(f"The number of source components must be 1 to {_MOST_SOURCES}.")
        found = [self._component(names["bucket"], source) for source in sources]
        properties = settable(said.get("destination", {}).items())
        properties["componentCount"] = sum(o.properties.get("componentCount", 1) for o in found)
        content = b"".join(self._objects.read(o) for o in found)
        written = self._objects.write(
            names["bucket"], names["name"], content, properties, Conditions.of(request.query)
        )
        return _resource(request, written)

    def _component(self, bucket: str, source: Mapping[str, Any]) -> Object:
        generation = source.get("generation")
        found = self._objects.get(bucket, source["name"], int(generation) if generation else None)
        wanted = source.get("objectPreconditions", {}).get("ifGenerationMatch")
        if wanted is not None and int(wanted) != found.generation:
            raise condition_not_met()
        return found

    def _permissions(self, request: Request, names: Names) -> Answer:
        bucket = names["bucket"]
        self._objects.need_bucket(bucket)
        asked = request.queries.get("permissions", [])
        held = [p for p in asked if self._control.has(bucket, p)]
        answer = {"kind": "storage#testIamPermissionsResponse"}
        return json_answer({**answer, "permissions": held} if held else answer)

    def _get_bucket(self, request: Request, names: Names) -> Answer:
        self._objects.need_bucket(names["bucket"])
        return json_answer(self._bucket_resource(request, names["bucket"]))

    def _bucket_resource(self, request: Request, bucket: str) -> dict[str, Any]:
        created = os.stat(self._objects.folder.bucket(bucket)).st_ctime
        return bucket_resource(bucket, request.base, created)

    def _delete_bucket(self, request: Request, names: Names) -> Answer:
        bucket = names["bucket"]
        if self._objects.page(bucket, Range(), "", 1).objects:
            raise ApiError(409, "conflict", "The bucket you tried to delete is not empty.")
        self._objects.folder.remove_bucket(bucket)
        return _EMPTY

    def _list_buckets(self, request: Request, names: Names) -> Answer:
        prefix = request.query.get("prefix", "")
        buckets = [b for b in self._objects.folder.buckets() if b.startswith(prefix)]
        items = [self._bucket_resource(request, bucket) for bucket in buckets]
        return json_answer({"kind": "storage#buckets", "items": items})

    def _create_bucket(self, request: Request, names: Names) -> Answer:
        bucket = request.json().get("name", "")
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", bucket):
            raise bad_request(f"Invalid bucket name: '{bucket}'")
        try:
            os.mkdir(self._objects.folder.bucket(bucket))
        except FileExistsError:
            message = (
                "Your previous request to create the named bucket succeeded and you already own it."
            )
            raise ApiError(409, "conflict", message) from None
        return json_answer(self._bucket_resource(request, bucket))


def _kind(route: _Route, request: Request) -> str:
    media = route.kind == "get" and request.query.get("alt") == "media"
    return "download" if media else route.kind


def _resource(request: Request, found: Object) -> Answer:
    fields = parse_fields(request.query.get("fields", ""))
    return json_answer(object_resource(found, request.base, fields))


def _content(request: Request, found: Object, content: bytes) -> Answer:
    """Return the content, or the range of it that is asked for."""
    headers = {
        "X-Goog-Hash": hashes(found),
        "X-Goog-Generation": str(found.generation),
        "X-Goog-Metageneration": str(found.metageneration),
        "X-Goog-Stored-Content-Length": str(len(content)),
        "X-Goog-Stored-Content-Encoding": "identity",
        "ETag": f"C{found.generation:x}/{found.metageneration}",
    }
    kind = found.properties.get("contentType", "application/octet-stream")
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.header("Range"))
    if not asked or asked[0] == "bytes=-":
        return Answer(200, content, headers, kind)
    piece = _piece(asked[1], asked[2], len(content))
    if not piece:
        headers["Content-Range"] = f"bytes */{len(content)}"
        return Answer(416, b"Requested range not satisfiable", headers, "text/html; charset=UTF-8")
    headers["Content-Range"] = f"bytes {piece.start}-{piece.stop - 1}/{len(content)}"
    return Answer(206, content[piece.start : piece.stop], headers, kind)


def _piece(first: str, last: str, size: int) -> range:
    if not first:
        return range(max(size - int(last), 0), size)
    return range(int(first), min(int(last) + 1, size) if last else size)


def _refusal(request: Request, error: ApiError) -> Answer:
    if error.status == HTTPStatus.NOT_MODIFIED:
        return Answer(error.status)
    if request.query.get("alt") == "media":
        return Answer(error.status, error.message.encode(), kind="text/html; charset=UTF-8")
    return Answer(error.status, error.body())


def _written_part(answer: Answer, content_id: str) -> bytes:
    phrase = HTTPStatus(answer.status).phrase
    name = "response-" + content_id.strip("<>")
    head = (
        f"Content-Type: application/http\r\nContent-ID: <{name}>\r\n\r\n"
        f"HTTP/1.1 {answer.status} {phrase}\r\nContent-Type: {answer.kind}\r\n"
        f"Content-Length: {len(answer.body)}\r\n\r\n"
    )
    return head.encode() + answer.body + b"\r\n"


def _merged(properties: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Return properties after a PATCH, in which null removes."""
    metadata = said.get("metadata", {})
    if metadata is not None:
        both = {**properties.get("metadata", {}), **metadata}
        metadata = {name: value for name, value in both.items() if value is not None}
    merged = {**properties, **said, "metadata": metadata or None}
    count = properties.get("componentCount")
    return {**settable(merged.items()), **({"componentCount": count} if count else {})}


def _replaced(properties: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    count = properties.get("componentCount")
    return {**settable(said.items()), **({"componentCount": count} if count else {})}


def _token(start: str) -> str:
    return base64.urlsafe_b64encode(start.encode()).decode()


def _start(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except ValueError:
        raise bad_request("Invalid page token.") from None
