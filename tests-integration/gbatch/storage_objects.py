"""The objects: their generations, digests and metadata over the folder, strongly consistent."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import google_crc32c

from .storage_errors import ApiError, bad_request, condition_not_met, no_bucket, no_object
from .storage_folder import BadName, Folder, Range, Signature, signature, stat_file

__all__ = ["ALWAYS", "Conditions", "Object", "Objects", "Page", "digests"]

_SETTLED = 0.05
"""Seconds after which a file that is written again has other times: the kernel's are coarse."""
_CHUNK = 1 << 20


@dataclass(slots=True)
class Object:
    """One generation of an object."""

    bucket: str
    name: str
    path: str
    signature: Signature
    generation: int
    own: bool
    """Whether it was written by the API: only what others wrote can be late."""
    properties: dict[str, Any] = field(default_factory=dict)
    metageneration: int = 1
    updated: float = 0.0
    _digests: tuple[str, str] | None = None
    _digested: float = 0.0

    @property
    def size(self) -> int:
        return self.signature[1]

    def digests(self) -> tuple[str, str]:
        """Return MD5 and CRC32C of the content, in base64."""
        if self._digests is None or self._digested < self.signature[3] / 1e9 + _SETTLED:
            self._digested = time.time()
            self._digests = _file_digests(self.path)
        return self._digests

    def settle(self, found: tuple[str, str]) -> None:
        """Take the digests of content that nobody else has touched."""
        self._digests, self._digested = found, float("inf")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold of an object for a request to be done; 0 is the generation of none."""

    generation: int | None = None
    not_generation: int | None = None
    metageneration: int | None = None
    not_metageneration: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], source: str = "") -> Conditions:
        """Read them from a request; `source` is "Source" for those of an object that is copied."""
        kinds = ("Generation", "Metageneration")
        names = (f"if{source}{kind}{word}Match" for kind in kinds for word in ("", "Not"))
        try:
            return cls(*(int(query[n]) if n in query else None for n in names))
        except ValueError:
            raise bad_request("Invalid value for a precondition.") from None

    def check(self, found: Object | None, *, reading: bool = False) -> None:
        generation = found.generation if found else 0
        metageneration = found.metageneration if found else 0
        if self.generation not in (None, generation):
            raise condition_not_met()
        if self.metageneration not in (None, metageneration):
            raise condition_not_met()
        if self.not_generation == generation or self.not_metageneration == metageneration:
            raise condition_not_met(304 if reading else 412)


ALWAYS = Conditions()


@dataclass(frozen=True, slots=True)
class Page:
    objects: list[Object]
    prefixes: list[str]
    next_start: str
    """Where the next page begins; empty after the last one."""


class Objects:
    """All objects of all buckets. Calls may come from any thread."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.visible_after = 0.0
        """Seconds for which what others write into the folder is not seen."""
        self._known: dict[str, Object] = {}
        self._last = 0
        self._lock = threading.RLock()

    def find(self, bucket: str, name: str) -> Object | None:
        try:
            path = self.folder.path(bucket, name)
        except BadName as error:
            raise bad_request(str(error)) from None
        return self._look(bucket, name, path)

    def get(self, bucket: str, name: str, generation: int | None = None) -> Object:
        self.need_bucket(bucket)
        found = self.find(bucket, name)
        if found is None or generation not in (None, found.generation):
            raise no_object(bucket, name)
        return found

    def read(self, found: Object) -> bytes:
        """Return the content of this generation."""
        try:
            with open(found.path, "rb") as file:
                if signature(os.fstat(file.fileno())) == found.signature:
                    return file.read()
        except FileNotFoundError:
            pass
        return self.read(self.get(found.bucket, found.name))

    def write(
        self,
        bucket: str,
        name: str,
        content: bytes,
        properties: Mapping[str, Any],
        conditions: Conditions = ALWAYS,
    ) -> Object:
        self.need_bucket(bucket)
        staged = self.folder.staged()
        with open(staged, "wb") as file:
            file.write(content)
        with self._lock, self.folder.locked():
            try:
                conditions.check(self.find(bucket, name))
                self.folder.publish(staged, bucket, name)
            except BadName as error:
                raise bad_request(str(error)) from None
            except ApiError:
                os.unlink(staged)
                raise
            return self._remember(bucket, name, properties, digests(content))

    def delete(self, bucket: str, name: str, conditions: Conditions = ALWAYS) -> None:
        with self._lock, self.folder.locked():
            found = self.get(bucket, name)
            conditions.check(found)
            self.folder.remove(bucket, name)
            self._known.pop(found.path, None)

    def patch(
        self,
        bucket: str,
        name: str,
        change: Callable[[dict[str, Any]], dict[str, Any]],
        conditions: Conditions = ALWAYS,
    ) -> Object:
        """Change the metadata."""
        with self._lock:
            found = self.get(bucket, name)
            conditions.check(found)
            found.properties = change(found.properties)
            found.metageneration += 1
            found.updated = time.time()
            return found

    def page(self, bucket: str, names: Range, delimiter: str, limit: int) -> Page:
        """Return the first so many objects and prefixes."""
        self.need_bucket(bucket)
        objects: list[Object] = []
        prefixes: list[str] = []
        for name, found in self._listed(bucket, names, delimiter):
            if len(objects) + len(prefixes) == limit:
                return Page(objects, prefixes, name)
            if found is None:
                prefixes.append(name)
            else:
                objects.append(found)
        return Page(objects, prefixes, "")

    def need_bucket(self, bucket: str) -> None:
        if not os.path.isdir(self.folder.bucket(bucket)):
            raise no_bucket()

    def _listed(
        self, bucket: str, names: Range, delimiter: str
    ) -> Iterator[tuple[str, Object | None]]:
        """Yield objects, and without one each prefix that ends with the delimiter, once."""
        last = ""
        flat = delimiter == "/" and not self.visible_after
        for name, path in self.folder.walk(bucket, names, flat=flat):
            found = self._look(bucket, name, path) if path else None
            if path and found is None:
                continue
            end = name.find(delimiter, len(names.prefix)) if delimiter else -1
            if end < 0:
                yield name, found
            elif (group := name[: end + len(delimiter)]) != last:
                last = group
                yield group, None

    def _look(self, bucket: str, name: str, path: str) -> Object | None:
        """Return the object as it is now; what another has written is a generation of its own."""
        stat = stat_file(path)
        if stat is None:
            return None
        with self._lock:
            known = self._known.get(path)
            now = signature(stat)
            if known is None or known.signature != now:
                generation = self._next_generation(stat.st_ctime_ns)
                known = Object(bucket, name, path, now, generation, own=False)
                known.updated = generation / 1e6
                self._known[path] = known
        late = self.visible_after and time.time() - stat.st_ctime < self.visible_after
        return None if late and not known.own else known

    def _remember(
        self, bucket: str, name: str, properties: Mapping[str, Any], found: tuple[str, str]
    ) -> Object:
        path = self.folder.path(bucket, name)
        generation = self._next_generation(time.time_ns())
        known = Object(bucket, name, path, signature(os.lstat(path)), generation, own=True)
        known.properties = dict(properties)
        known.updated = generation / 1e6
        known.settle(found)
        self._known[path] = known
        return known

    def _next_generation(self, time_ns: int) -> int:
        self._last = max(self._last + 1, time_ns // 1000)
        return self._last


def digests(content: bytes) -> tuple[str, str]:
    """Return MD5 and CRC32C of a content, in base64."""
    return _texts(hashlib.md5(content), google_crc32c.value(content))


def _file_digests(path: str) -> tuple[str, str]:
    md5, crc = hashlib.md5(), 0
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                md5.update(chunk)
                crc = google_crc32c.extend(crc, chunk)
    except FileNotFoundError:  # deleted since it was listed
        pass
    return _texts(md5, crc)


def _texts(md5: hashlib._Hash, crc: int) -> tuple[str, str]:
    crc_bytes = crc.to_bytes(4, "big")
    return base64.b64encode(md5.digest()).decode(), base64.b64encode(crc_bytes).decode()
