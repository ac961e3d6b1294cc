"""What other processes ask of a run's driver: one file a request, removed when it is done."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..errors import RunCorrupt
from ..ports.files import Files, StoreUnavailable
from .layout import Layout
from .records import MALFORMED, dump, load

__all__ = ["Request", "ask_driver", "read_requests", "request_is_open"]


@dataclass(frozen=True, slots=True)
class Request:
    """`verb` is "kill" or "retry"; `jobs` are indexes, None for all that it can concern.

    `resources` are what jobs that are tried again get, as in `Resources.to_json`.
    """

    verb: str
    jobs: tuple[int, ...] | None
    path: str = ""
    resources: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        told = {"verb": self.verb, "jobs": self.jobs}
        return told | {"resources": dict(self.resources)} if self.resources else told

    @classmethod
    def from_json(cls, data: dict[str, Any], path: str) -> Request:
        """Read what `to_json` wrote."""
        jobs = data.get("jobs")
        chosen = None if jobs is None else tuple(map(int, jobs))
        resources = data.get("resources")
        return cls(str(data["verb"]), chosen, path, None if resources is None else dict(resources))


def ask_driver(
    files: Files,
    layout: Layout,
    verb: str,
    jobs: tuple[int, ...] | None,
    resources: Mapping[str, Any] | None = None,
) -> Request:
    """Leave a request for the driver; `request_is_open` tells when it has taken it."""
    path = f"{layout.requests}/{uuid.uuid4().hex}.json"
    request = Request(verb, jobs, path, resources)
    files.write(path, dump(request.to_json()))
    return request


def request_is_open(files: Files, request: Request) -> bool:
    """Tell whether the driver has not answered the request yet."""
    return files.exists(request.path)


def read_requests(files: Files, layout: Layout) -> list[Request]:
    """Return the open requests; one that cannot be read is dropped."""
    names = [name for name in files.names(layout.requests) if name.endswith(".json")]
    found = (_read(files, f"{layout.requests}/{name}") for name in names)
    return [request for request in found if request is not None]


def _read(files: Files, path: str) -> Request | None:
    try:
        return Request.from_json(load(files.read(path), path), path)
    except FileNotFoundError:
        return None  # answered, by another driver, just now
    except StoreUnavailable:
        raise
    except (OSError, RunCorrupt, *MALFORMED):
        with suppress(OSError):
            files.remove(path)
        return None
