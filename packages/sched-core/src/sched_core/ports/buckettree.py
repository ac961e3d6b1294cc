"""Whole trees of a bucket, and files of any size between it and a disk."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from .bucket import _CONTENT_TYPE, _FACTS, BucketFiles, _entry, _prefix
from .cloudstorage import TIMEOUT, as_os_errors, retries
from .files import Entry, Files

__all__ = ["Bucket", "BucketTree", "try_all"]

S = TypeVar("S")

_THREADS = 8


class Bucket(Files, Protocol):
    """A store that also takes and gives files of a disk, however large they are."""

    def tree(self, folder: str) -> dict[str, Entry]:
        """Return all files below the folder, by their paths from there."""
        ...

    def upload(self, source: str, path: str) -> Entry:
        """Put the content of a file of this machine in place of whatever there was."""
        ...

    def download(self, path: str, target: str) -> None:
        """Write the content to a file of this machine."""
        ...


class BucketTree(BucketFiles):
    """A bucket of Google Cloud Storage, as `Bucket` has it."""

    def tree(self, folder: str) -> dict[str, Entry]:
        """Return all objects below the folder, by their names from there."""
        prefix = _prefix(folder)
        with as_os_errors(folder):
            found = self._list(folder, prefix=prefix, fields=_FACTS)
            return {blob.name[len(prefix) :]: _entry(blob) for blob in found}

    def upload(self, source: str, path: str) -> Entry:
        """Put the content of a file of this machine in place of whatever there was."""
        with as_os_errors(path):
            blob = self._blob(path)
            blob.upload_from_filename(source, _CONTENT_TYPE, timeout=TIMEOUT, retry=retries())
            return _entry(blob)

    def download(self, path: str, target: str) -> None:
        """Write the content to a file of this machine."""
        with as_os_errors(path):
            self._blob(path).download_to_filename(target, timeout=TIMEOUT, retry=retries())


def try_all(function: Callable[[S], None], items: Sequence[S]) -> list[OSError]:
    """Call the function for all items, some at once; return what went wrong.

    Once the bucket is out of reach, the rest is left: each would wait in vain.
    """
    out_of_reach: list[OSError] = []

    def attempt(item: S) -> OSError | None:
        if out_of_reach:
            return out_of_reach[0]
        try:
            function(item)
        except OSError as error:
            if error.errno == errno.EIO:
                out_of_reach.append(error)
            return error
        return None

    if len(items) < 2:
        results = [attempt(item) for item in items]
    else:
        with ThreadPoolExecutor(min(len(items), _THREADS)) as pool:
            results = list(pool.map(attempt, items))
    return [error for error in results if error is not None]
