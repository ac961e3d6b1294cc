"""Google's client for Cloud Storage, loaded and made on first use."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from ..errors import EngineUnavailable
from ._cloud import CloudSupportMissing

if TYPE_CHECKING:
    from cloudpathlib import GSClient

__all__ = ["LOGIN", "path_client", "storage_client"]

LOGIN = (
    "log in (gcloud auth application-default login), or name a service account's key in "
    "GOOGLE_APPLICATION_CREDENTIALS"
)
"""What is to be done about credentials that are missing or refused."""


def storage_client() -> Any:
    """Return the client for the credentials of this environment, the same one for all threads.

    Raises CloudSupportMissing; EngineUnavailable where there are no credentials.
    """
    environment = tuple(map(os.environ.get, _READ))
    with _lock:
        if environment not in _clients:
            made = _make_client()
            while _clients:
                _clients.popitem()[1].close()
            _clients[environment] = made
        return _clients[environment]


def path_client() -> GSClient:
    """Return what cloudpathlib reaches buckets by, with the client that `storage_client` returns."""
    import cloudpathlib

    client = storage_client()
    with _lock:
        if client not in _path_clients:
            _path_clients[client] = cloudpathlib.GSClient(storage_client=client, timeout=_TIMEOUT)
        return _path_clients[client]


_TIMEOUT = 20.0
"""Seconds that one request may take."""
_READ = ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG")
"""What the client reads of the environment when it is made."""
_lock = threading.Lock()
_clients: dict[tuple[str | None, ...], Any] = {}
"""The one for this environment, whose connections are kept."""
_path_clients: dict[Any, GSClient] = {}
"""All that there were: one that is dropped complains of its folder for copies."""


def _make_client() -> Any:
    try:
        from google.auth.exceptions import DefaultCredentialsError
        from google.cloud import storage
    except ImportError as error:
        raise CloudSupportMissing(
            "a run in a bucket needs Google's client: pip install 'sched-core[gs]'"
        ) from error
    try:
        return storage.Client(project=None)  # which only buckets belong to, not their objects
    except DefaultCredentialsError as error:
        raise EngineUnavailable(f"there are no credentials for Cloud Storage: {LOGIN}") from error
