"""Objects and buckets as JSON, and the part of it that `fields` asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias
from urllib.parse import quote

from .storage_objects import Object, Page

__all__ = [
    "Fields",
    "bucket_resource",
    "hashes",
    "object_resource",
    "page_resource",
    "parse_fields",
    "settable",
]

_SETTABLE = frozenset(
    "contentType metadata cacheControl contentDisposition contentEncoding contentLanguage "
    "customTime storageClass temporaryHold eventBasedHold".split()
)
"""What clients may say about an object."""

Fields: TypeAlias = dict[str, Any] | None
"""The wanted names, each with those wanted below it; None wants all."""


def parse_fields(text: str) -> Fields:
    """Read what `fields` asks for: `items(name,size),nextPageToken`, `items/name`, `*`."""
    if not text:
        return None
    wanted, rest = _parse(text)
    return None if rest or "*" in wanted else wanted


def _parse(text: str) -> tuple[dict[str, Any], str]:
    """Return the wanted names, and what is left behind the bracket that ends them."""
    wanted: dict[str, Any] = {}
    while text:
        name, mark, text = _word(text)
        below: Fields = None
        if mark == "(":
            below, text = _parse(text)
            mark, text = text[:1], text[1:]
        elif mark == "/":
            below, mark, text = _single(text)
        if not (below and "*" in below):
            _merge(wanted, name, below)
        else:
            wanted[name] = None
        if mark == ")":
            break
    return wanted, text


def _word(text: str) -> tuple[str, str, str]:
    """Split off a name and the mark behind it."""
    end = next((i for i, c in enumerate(text) if c in ",()/"), len(text))
    return text[:end].strip(), text[end : end + 1], text[end + 1 :]


def _single(text: str) -> tuple[dict[str, Any], str, str]:
    """Read the one path behind a slash."""
    name, mark, text = _word(text)
    if mark == "/":
        below, mark, text = _single(text)
        return {name: below}, mark, text
    if mark == "(":
        inner, text = _parse(text)
        return {name: inner}, text[:1], text[1:]
    return {name: None}, mark, text


def _merge(wanted: dict[str, Any], name: str, below: Fields) -> None:
    known = wanted.get(name)
    wanted[name] = {**known, **below} if known and below else below


def page_resource(page: Page, base: str, token: str, fields: Fields) -> dict[str, Any]:
    """Return a listing; what is not asked for is not made, either: digests take time."""
    answer: dict[str, Any] = {"kind": "storage#objects"}
    if token:
        answer["nextPageToken"] = token
    if page.prefixes:
        answer["prefixes"] = page.prefixes
    if page.objects and (fields is None or "items" in fields):
        wanted = fields["items"] if fields else None
        answer["items"] = [object_resource(o, base, wanted) for o in page.objects]
    return answer if fields is None else {k: v for k, v in answer.items() if k in fields}


def object_resource(found: Object, base: str, fields: Fields = None) -> dict[str, Any]:
    """Return an object; `base` is where links to it begin."""
    properties = found.properties
    answer: dict[str, Any] = {}
    for name in _MAKERS if fields is None else fields:
        if (make := _MAKERS.get(name)) and (value := make(found, base)) is not None:
            answer[name] = value
        elif name in properties:
            answer[name] = properties[name]
    return {**properties, **answer} if fields is None else answer


def bucket_resource(name: str, base: str, created: float) -> dict[str, Any]:
    when = _time(created)
    return {
        "kind": "storage#bucket",
        "selfLink": f"{base}/storage/v1/b/{name}",
        "id": name,
        "name": name,
        "projectNumber": "123456789012",
        "metageneration": "1",
        "location": "US-CENTRAL1",
        "locationType": "region",
        "storageClass": "STANDARD",
        "etag": "CAE=",
        "timeCreated": when,
        "updated": when,
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
    }


def _path(found: Object) -> str:
    return f"storage/v1/b/{found.bucket}/o/{quote(found.name, safe='')}"


def _media(found: Object, base: str) -> str:
    return f"{base}/download/{_path(found)}?generation={found.generation}&alt=media"


def _md5(found: Object) -> str | None:
    """Return the MD5, which Cloud Storage does not have of what it composed."""
    return None if "componentCount" in found.properties else found.digests()[0]


def hashes(found: Object) -> str:
    """Return the digests as downloads have them in a header."""
    md5 = _md5(found)
    return f"crc32c={found.digests()[1]}" + (f",md5={md5}" if md5 else "")


def _time(when: float) -> str:
    seconds, thousandths = divmod(int(when * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{thousandths:03d}Z"


_MAKERS: dict[str, Callable[[Object, str], str | None]] = {
    "kind": lambda o, base: "storage#object",
    "id": lambda o, base: f"{o.bucket}/{o.name}/{o.generation}",
    "selfLink": lambda o, base: f"{base}/{_path(o)}",
    "mediaLink": _media,
    "name": lambda o, base: o.name,
    "bucket": lambda o, base: o.bucket,
    "generation": lambda o, base: str(o.generation),
    "metageneration": lambda o, base: str(o.metageneration),
    "size": lambda o, base: str(o.size),
    "md5Hash": lambda o, base: _md5(o),
    "crc32c": lambda o, base: o.digests()[1],
    "etag": lambda o, base: f"C{o.generation:x}/{o.metageneration}",
    "timeCreated": lambda o, base: _time(o.generation / 1e6),
    "updated": lambda o, base: _time(o.updated),
    "storageClass": lambda o, base: o.properties.get("storageClass", "STANDARD"),
}


def settable(properties: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in properties if name in _SETTABLE and value is not None}
