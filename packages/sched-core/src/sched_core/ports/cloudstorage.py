"""Google's client for Cloud Storage: how long it tries, and what its errors mean.

It is loaded on first use. Everything here blocks.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import BucketNotFound
from ..paths.google import LOGIN, storage_client
from .files import StoreUnavailable

if TYPE_CHECKING:
    from google.api_core.retry import Retry

__all__ = ["TIMEOUT", "as_os_errors", "delete_objects", "retries", "storage_client"]

TIMEOUT = 20.0
"""Seconds that one request may take."""
_FIRST_DELAY = 0.25
_LONGEST_DELAY = 4.0
_TRY_FOR = 30.0
"""Seconds for which a request is repeated that finds the service busy or out of reach."""
_BATCH = 100
"""The most requests that Google recommends for one batch."""
_GONE = 404


def retries() -> Retry:
    """Return how what finds the service busy or out of reach is tried again, for half a minute."""
    from google.cloud.storage.retry import DEFAULT_RETRY

    patient: Retry = DEFAULT_RETRY.with_delay(_FIRST_DELAY, _LONGEST_DELAY).with_timeout(_TRY_FOR)
    return patient


@contextmanager
def as_os_errors(path: str) -> Iterator[None]:
    """Raise what the client raises as the OSError that fits, saying what to do."""
    storage_client()  # says so where it is not installed
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import (
        DataCorruption,
        InvalidResponse,
    )
    from requests import RequestException

    try:
        yield
    except GoogleAPIError as error:
        raise _api_error(path, error) from error
    except GoogleAuthError as error:
        raise _auth_error(path, error) from error
    except (RequestException, InvalidResponse, DataCorruption) as error:
        raise _out_of_reach(path, error) from error


def _api_error(path: str, error: Exception) -> OSError:
    from google.api_core import exceptions

    if isinstance(error, exceptions.NotFound):
        return _missing(path, error)
    if isinstance(error, exceptions.Forbidden | exceptions.Unauthorized):
        return PermissionError(errno.EACCES, _forbidden(path, error), path)
    if isinstance(error, exceptions.PreconditionFailed):
        return FileExistsError(errno.EEXIST, "There is such an object already", path)
    if isinstance(error, exceptions.RetryError) and error.cause is not None:
        return _out_of_reach(path, error.cause)
    return _out_of_reach(path, error)


def _missing(path: str, error: Exception) -> OSError:
    if "bucket does not exist" not in str(error):
        return FileNotFoundError(errno.ENOENT, "No such object", path)
    bucket = "/".join(path.split("/")[:3])
    return BucketNotFound(
        f"there is no bucket {bucket}: make it (gcloud storage buckets create {bucket}), "
        "or name another"
    )


def _forbidden(path: str, error: Exception) -> str:
    bucket = "/".join(path.split("/")[:3])
    said = getattr(error, "message", "") or str(error)
    return (
        f"{said.strip().rstrip('.')}. Grant the account the role Storage Object Admin "
        f"(roles/storage.objectAdmin) on {bucket}, or {LOGIN}"
    )


def _auth_error(path: str, error: Exception) -> OSError:
    from google.auth.exceptions import TransportError

    if isinstance(error, TransportError):
        return _out_of_reach(path, error)
    return PermissionError(errno.EACCES, f"the credentials are refused ({error}): {LOGIN}", path)


def _out_of_reach(path: str, error: Exception) -> OSError:
    return StoreUnavailable(errno.EIO, f"Cloud Storage cannot be used now: {_words(error)}", path)


def _words(error: Exception) -> str:
    url = getattr(getattr(error, "request", None), "url", None)
    if url is not None:  # what is said of a lost connection has many lines' worth of words
        return f"no connection to {urlsplit(url).netloc} ({type(error).__name__})"
    return getattr(error, "message", "") or str(error) or type(error).__name__


def delete_objects(client: Any, bucket: Any, keys: Sequence[str]) -> None:
    """Delete those of the objects that are there, a hundred a request.

    Raises what the client raises.
    """
    for first in range(0, len(keys), _BATCH):
        retries()(_delete)(client, bucket, keys[first : first + _BATCH])


def _delete(client: Any, bucket: Any, keys: Sequence[str]) -> None:
    from google.api_core.exceptions import from_http_response

    with client.batch(raise_exception=False) as batch:
        for key in keys:
            bucket.delete_blob(key, timeout=TIMEOUT)
    # The client has no other way to tell which of them failed, and how: most may just be gone.
    for answer in batch._responses:
        if answer.status_code >= 400 and answer.status_code != _GONE:
            raise from_http_response(answer)  # type: ignore[no-untyped-call]  # it has none
