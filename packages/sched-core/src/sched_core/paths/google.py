"""Google's client for Cloud Storage, loaded and made on first use."""

from __future__ import annotations

import os
import threading
from typing import Any

from ..errors import EngineUnavailable
from ._cloud import CloudSupportMissing

__all__ = ["LOGIN", "storage_client"]

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


_READ = ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG")
"""What the client reads of the environment when it is made."""
_lock = threading.Lock()
_clients: dict[tuple[str | None, ...], Any] = {}
"""The one for this environment, whose connections are kept."""


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
