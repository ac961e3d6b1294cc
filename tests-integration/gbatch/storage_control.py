"""What tests ask of the emulator: faults, rights, late files, and counts of what it was asked."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from .storage_errors import forbidden, unauthorized
from .storage_http import Answer, Request, json_answer
from .storage_objects import Objects

__all__ = ["CONTROL", "Control", "Fault", "FaultKind"]

CONTROL = "/emulator/"

FaultKind: TypeAlias = Literal["status", "lost", "reset", "cut", "delay"]


@dataclass
class Fault:
    """What becomes of the next `count` requests of a method whose quoted path and query match."""

    kind: FaultKind
    """`status`: refused with it; `lost`: done, and the connection closed without an answer; `reset`:
    not done, and the connection reset; `cut`: done, and the answer breaks off in the middle of its
    body; `delay`: done after so many seconds.
    """
    method: str = ".*"
    path: str = ""
    count: int = 1
    status: int = 503
    seconds: float = 0.0
    skip: int = 0
    """So many requests are let through before."""

    def meets(self, request: Request) -> bool:
        """Whether it is for this request, which is counted."""
        if not (
            self.count
            and re.fullmatch(self.method, request.method)
            and re.search(self.path, request.target)
        ):
            return False
        self.skip -= 1
        if self.skip >= 0:
            return False
        self.count -= 1
        return True


@dataclass
class Control:
    objects: Objects
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    authorization: bool = False
    """Whether requests without an Authorization header are refused."""
    denied: dict[str, list[str]] = field(default_factory=dict)
    """For each bucket the permissions that nobody has; `*` stands for all."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, request: Request) -> Fault | None:
        """Return what this request meets, if it meets something."""
        with self._lock:
            return next((f for f in self.faults if f.meets(request)), None)

    def count(self, kind: str, more: int = 1) -> None:
        with self._lock:
            self.counts[kind] += more

    def has(self, bucket: str, permission: str) -> bool:
        denied = self.denied.get(bucket, [])
        return not ("*" in denied or permission in denied)

    def check(self, request: Request, bucket: str, permission: str) -> None:
        """Raise where the request comes from nobody, or from somebody who may not."""
        if self.authorization and not request.header("Authorization").startswith("Bearer "):
            raise unauthorized(permission)
        if not self.has(bucket, permission):
            raise forbidden(bucket, permission)

    def answer(self, request: Request) -> Answer:
        """Do what a test asks: the one way in is a request of its own."""
        match request.method, request.path.removeprefix(CONTROL):
            case "POST", "faults":
                with self._lock:
                    self.faults.append(Fault(**request.json()))
            case "DELETE", "faults":
                with self._lock:
                    self.faults.clear()
            case "POST", "settings":
                self._set(request.json())
            case "DELETE", "counts":
                with self._lock:
                    self.counts.clear()
            case "GET", "state":
                return json_answer(self._state())
            case _:
                return json_answer({"error": "no such control"}, 404)
        return json_answer({})

    def _set(self, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            match name:
                case "visible_after":
                    self.objects.visible_after = value
                case "authorization":
                    self.authorization = value
                case "denied":
                    self.denied = value
                case _:
                    raise KeyError(name)

    def _state(self) -> dict[str, Any]:
        with self._lock:
            faults = [asdict(f) for f in self.faults if f.count]
            return {"counts": dict(self.counts), "faults": faults}
