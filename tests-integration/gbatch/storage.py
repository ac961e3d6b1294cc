"""Cloud Storage for tests: the emulator's process, and what can be asked of it."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .storage_control import CONTROL, Fault, FaultKind
from .storage_process import Served, ServerProcess

__all__ = ["StorageEmulator"]

_PATIENCE = 60.0


class StorageEmulator(Served):
    """Serves the folders below `root` as buckets. What it is asked to do happens at once, and blocks
    for a moment: in an event loop, ask from a thread.

        with StorageEmulator(tmp_path, "bucket") as storage:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
    """

    def __init__(
        self, root: Path, *buckets: str, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        """Start it. With a certificate for 127.0.0.1 and its key it speaks TLS."""
        self.root = root
        self._tls = certificate is not None
        for bucket in buckets:
            (root / bucket).mkdir(parents=True, exist_ok=True)
        options = [f"--cert={certificate}", f"--key={key}"] if certificate else []
        self._process = ServerProcess("storage_server", str(root.absolute()), *options)
        self.port = int(self._process.said)

    @property
    def url(self) -> str:
        """The value for STORAGE_EMULATOR_HOST."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._process.stop()

    def fault(
        self,
        kind: FaultKind = "status",
        *,
        method: str = ".*",
        path: str = "",
        count: int = 1,
        status: int = 503,
        seconds: float = 0.0,
        skip: int = 0,
    ) -> None:
        """Have the next `count` requests meet this; `Fault` says what each word means. The path is a
        regular expression, found anywhere in the quoted path and query: `a/b` is `a%2Fb` there.
        """
        fault = Fault(kind, method, path, count, status, seconds, skip)
        self._ask("POST", "faults", asdict(fault))

    def clear_faults(self) -> None:
        self._ask("DELETE", "faults")

    def pending_faults(self) -> list[dict[str, Any]]:
        """Return those that have not met all their requests."""
        faults: list[dict[str, Any]] = self._ask("GET", "state")["faults"]
        return faults

    def counts(self) -> dict[str, int]:
        """Return how many requests there were of each kind: list, get, download, upload (each of a
        resumable one), delete, patch, copy, compose, bucket, permissions, batch. The parts of batches
        are `batch parts` in all and `batch delete` and the like; requests that meet a fault before
        they are done are not among them.
        """
        counts: dict[str, int] = self._ask("GET", "state")["counts"]
        return counts

    def requests(self) -> int:
        """Return how many requests there were in all; a batch is one."""
        return sum(n for kind, n in self.counts().items() if not kind.startswith("batch "))

    def reset_counts(self) -> None:
        self._ask("DELETE", "counts")

    def delay_files(self, seconds: float) -> None:
        """Hide what others write into the folder for so long, as a slow upload would."""
        self._set(visible_after=seconds)

    def require_authorization(self, required: bool = True) -> None:
        """Refuse requests without a token, whatever the token."""
        self._set(authorization=required)

    def deny(self, permissions: Mapping[str, Sequence[str]]) -> None:
        """Take permissions away, such as `storage.objects.list`, or `*`, from everybody, by bucket;
        an empty mapping gives them back.
        """
        self._set(denied={bucket: list(names) for bucket, names in permissions.items()})

    def _set(self, **settings: object) -> None:
        self._ask("POST", "settings", settings)

    def _ask(self, method: str, what: str, said: object = None) -> dict[str, Any]:
        connection = self._connection()
        try:
            connection.request(method, CONTROL + what, json.dumps(said) if said else None)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise RuntimeError(f"the emulator does not understand {what}: {answer}")
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        if not self._tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        trusting = ssl._create_unverified_context()
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=_PATIENCE, context=trusting
        )
