"""A run's files as objects of a bucket of Google Cloud Storage."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from .cloudstorage import TIMEOUT, as_os_errors, delete_objects, retries, storage_client
from .files import Entry, StoreUnavailable

__all__ = ["BucketFiles"]

S = TypeVar("S")
T = TypeVar("T")

_SCHEME = "gs://"
_THREADS = 8
"""Requests at once: the client keeps ten connections."""
_NAMES = "items(name),prefixes,nextPageToken"
_FACTS = "items(name,size,updated,md5Hash),prefixes,nextPageToken"
_FEWEST, _FIRST, _MOST = 16, 64, 1000
"""Objects of one page of a listing that passes over others: the most is the service's."""


class BucketFiles:
    """Files in a bucket, under names such as gs://bucket/run1/0/job.stdout.

    An exclusive create is a lock: it is the service that allows it once. There are no folders:
    one is there as long as it holds something. What fails for want of a connection, or since the
    service is busy, is tried again for half a minute, then OSError is raised; besides the errors
    of files there are BucketNotFound, PermissionError, CloudSupportMissing and, without
    credentials, EngineUnavailable.
    """

    interval = 1.0

    def create(self, path: str, data: bytes) -> bool:
        """Create the object with this content; False, and no effect, where there is one already."""
        try:
            self._upload(path, data, retry=None, if_generation_match=0)
        except FileExistsError:
            return False
        except PermissionError:
            raise
        except OSError:
            return self._create_once_more(path, data)
        return True

    def _create_once_more(self, path: str, data: bytes) -> bool:
        try:
            self._upload(path, data, retry=retries(), if_generation_match=0)
        except FileExistsError:
            # Only the answer to an earlier request may have been lost.
            return self.read_many([path]) == [data]
        return True

    def write(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was."""
        self._upload(path, data, retry=retries())

    def write_private(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was: who may read it, the bucket's policy says."""
        self.write(path, data)

    def _upload(self, path: str, data: bytes, **options: Any) -> None:
        with as_os_errors(path):
            blob = self._blob(path)
            blob.upload_from_string(data, _CONTENT_TYPE, timeout=TIMEOUT, **options)

    def read(self, path: str) -> bytes:
        """Return the whole content."""
        return self._download(path)

    def read_from(self, path: str, offset: int) -> bytes:
        """Return what lies beyond that many bytes, which may be nothing."""
        return self._download_range(path, start=offset) if offset else self._download(path)

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """Return up to that many bytes from there on; fewer only where the object ends."""
        last = offset + size - 1
        return self._download_range(path, start=offset, end=last) if size > 0 else b""

    def _download_range(self, path: str, **span: int) -> bytes:
        from google.api_core.exceptions import RequestRangeNotSatisfiable

        try:
            return self._download(path, **span)
        except OSError as error:
            if isinstance(error.__cause__, RequestRangeNotSatisfiable):
                return b""
            raise

    def _download(self, path: str, **options: Any) -> bytes:
        with as_os_errors(path):
            # The library itself does not try again where the answer that breaks off is an error's.
            download = retries()(self._blob(path).download_as_bytes)
            content: bytes = download(timeout=TIMEOUT, retry=None, **options)
        return content

    def names(self, folder: str) -> list[str]:
        """List what the folder holds, in no order; nothing where there is no such folder."""
        start = len(_prefix(folder))
        with as_os_errors(folder):
            listing = self._list(folder, prefix=_prefix(folder), delimiter="/", fields=_NAMES)
            names = [blob.name[start:] for blob in listing]
            names += [prefix[start:-1] for prefix in listing.prefixes]
        # A mount makes an object of no name for a folder.
        return [name for name in names if name]

    def entries(self, folder: str) -> dict[str, Entry]:
        """Return what the folder holds, by name; nothing where there is no such folder."""
        start = len(_prefix(folder))
        with as_os_errors(folder):
            listing = self._list(folder, prefix=_prefix(folder), delimiter="/", fields=_FACTS)
            found = {blob.name[start:]: _entry(blob) for blob in listing}
            folders = [prefix[start:-1] for prefix in listing.prefixes]
        found.update((name, Entry(0, 0.0, is_folder=True)) for name in folders)
        found.pop("", None)
        return found

    def make_folder(self, path: str) -> bool:
        """Do nothing: a bucket has no folders; False, as for one that was there already."""
        return False

    def exists(self, path: str) -> bool:
        """Tell whether there is such an object, or any in a folder of that name."""
        with as_os_errors(path):
            if _key(path) and self._blob(path).exists(timeout=TIMEOUT, retry=retries()):
                return True
            within = self._list(path, prefix=_prefix(path), max_results=1, fields=_NAMES)
            return any(True for _ in within)

    def remove(self, path: str) -> None:
        """Remove the object, if there is one."""
        try:
            with as_os_errors(path):
                self._blob(path).delete(timeout=TIMEOUT, retry=retries())
        except FileNotFoundError:
            pass

    def move(self, source: str, target: str) -> None:
        """Copy an object to another name, then remove it: others may see both."""
        self._copy((source, target))
        self.remove(source)

    def _copy(self, pair: tuple[str, str]) -> None:
        source, target = pair
        with as_os_errors(source):
            bucket, other = self._bucket(source), self._bucket(target)
            blob = bucket.blob(_key(source))
            bucket.copy_blob(blob, other, _key(target), timeout=TIMEOUT, retry=retries())

    # --- many at once ----------------------------------------------------------------------------

    def create_many(self, items: Sequence[tuple[str, bytes]]) -> list[bool | OSError]:
        """Create objects; for each, tell what `create` would return, or the OSError it would raise.

        Once the bucket is out of reach, the rest is left: each would wait in vain.
        """
        away: list[OSError] = []

        def create(item: tuple[str, bytes]) -> bool | OSError:
            try:
                return away[0] if away else self.create(*item)
            except StoreUnavailable as error:
                away.append(error)
                return error
            except OSError as error:
                return error

        return _side_by_side(create, items)

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return the contents of objects, None for one that is not there."""
        return _side_by_side(self._read_if_there, paths)

    def _read_if_there(self, path: str) -> bytes | None:
        try:
            return self.read(path)
        except FileNotFoundError:
            return None

    def remove_many(self, paths: Sequence[str]) -> None:
        """Remove those of the objects that are there."""
        for name, keys in _by_bucket(paths):
            with as_os_errors(f"{_SCHEME}{name}/{keys[0]}"):
                client = storage_client()
                delete_objects(client, client.bucket(name), keys)

    def move_many(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Copy objects, each to its new name, then remove them: others may see both."""
        _side_by_side(self._copy, pairs)
        self.remove_many([source for source, _ in pairs])

    def checksums(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return size, time and MD5 of those of the objects that are there.

        They are listed and not asked about one by one: objects of neighbouring folders come
        together, with those that lie between them, and large gaps are passed over.
        """
        found = {}
        for name, keys in _by_bucket(paths):
            root = f"{_SCHEME}{name}"
            for key, entry in self._look_for(root, sorted(keys)):
                found[f"{root}/{key}"] = entry
        return found

    def _look_for(self, root: str, keys: list[str]) -> Iterator[tuple[str, Entry]]:
        wanted, position, size = set(keys), 0, _FIRST
        while position < len(keys):
            page = self._page(root, keys[position], keys[-1], size)
            hits = [blob for blob in page if blob.name in wanted]
            yield from ((blob.name, _entry(blob)) for blob in hits)
            if len(page) < size:
                return
            position = bisect_right(keys, page[-1].name)
            # Where much of a page was of use, the next one may be larger.
            size = min(size * 2, _MOST) if len(hits) * 8 > size else max(size // 2, _FEWEST)

    def _page(self, root: str, first: str, last: str, size: int) -> list[Any]:
        """Return the next objects from `first` on, up to `last`."""
        span = {"start_offset": first, "end_offset": f"{last}\0"}
        with as_os_errors(f"{root}/{first}"):
            return list(self._list(root, **span, max_results=size, fields=_FACTS))

    # --- the client ------------------------------------------------------------------------------

    def _list(self, path: str, **options: Any) -> Any:
        client = storage_client()
        name = _bucket_name(path)
        return client.list_blobs(name, timeout=TIMEOUT, retry=retries(), **options)

    def _bucket(self, path: str) -> Any:
        return storage_client().bucket(_bucket_name(path))

    def _blob(self, path: str) -> Any:
        return self._bucket(path).blob(_key(path))


_CONTENT_TYPE = "application/octet-stream"


def _bucket_name(path: str) -> str:
    return path[len(_SCHEME) :].partition("/")[0]


def _key(path: str) -> str:
    return path[len(_SCHEME) :].partition("/")[2]


def _prefix(folder: str) -> str:
    key = _key(folder)
    return f"{key}/" if key else ""


def _by_bucket(paths: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(_bucket_name(path), []).append(_key(path))
    yield from found.items()


def _entry(blob: Any) -> Entry:
    md5 = None if blob.md5_hash is None else _hexadecimal(blob.md5_hash)
    return Entry(blob.size or 0, blob.updated.timestamp() if blob.updated else 0.0, md5=md5)


def _hexadecimal(base64: str) -> str:
    from binascii import a2b_base64

    return a2b_base64(base64).hex()


def _side_by_side(function: Callable[[S], T], items: Sequence[S]) -> list[T]:
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(len(items), _THREADS)) as pool:
        return list(pool.map(function, items))
