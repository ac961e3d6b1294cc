"""The emulator of Google Batch, started for tests and the benchmark, and the control of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

from ..daemons import need_programs

__all__ = ["BatchEmulator"]

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 120.0


class BatchEmulator:
    """The service in a process of its own, which really runs what it is told to.

    `store` is the folder whose folders are the buckets. Options are those of batch_main.py, as
    keywords: `slots=8`, `queue_delay=0.5`. Every method that is not about the process blocks for a
    request to it; a `job` is named by its id or its whole name.
    """

    def __init__(self, store: Path, work: Path, **options: object) -> None:
        self._store, self._work, self._options = store, work, options
        self._process: subprocess.Popen[bytes] | None = None
        self.ports: dict[str, int] = {}

    # --- the process -----------------------------------------------------------------------------

    def start(self) -> None:
        """Start it. Raises EngineMissing where one cannot be started."""
        need_programs(unshare="util-linux", setpriv="util-linux")
        self._work.mkdir(parents=True, exist_ok=True)
        with (self._work / "emulator.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._argv(), cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        if not told:
            raise RuntimeError(f"the emulator ended: {self.log()}")
        self.ports = json.loads(told)

    def _argv(self) -> list[str]:
        options = [f"--{name.replace('_', '-')}={value}" for name, value in self._options.items()]
        module = "tests-integration.gbatch.batch_main"
        return [sys.executable, "-m", module, str(self._store), str(self._work), *options]

    def stop(self) -> None:
        """End it with all that its tasks have started."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def log(self) -> str:
        """Return what the process has said of what went wrong."""
        return (self._work / "emulator.log").read_text(errors="replace")

    @property
    def address(self) -> str:
        """HOST:PORT without encryption."""
        return f"127.0.0.1:{self.ports['plain']}"

    @property
    def endpoint(self) -> str:
        """HOST:PORT with encryption, by the name in the certificate."""
        return f"localhost:{self.ports['encrypted']}"

    @property
    def url(self) -> str:
        """The service as JSON, for gcloud and the client's `rest` transport."""
        return f"http://127.0.0.1:{self.ports['http']}"

    def control(self, verb: str, **words: object) -> Any:
        """Do what batch_control.py has under this name. Raises RuntimeError with its words."""
        connection = HTTPConnection("127.0.0.1", self.ports["http"], timeout=_PATIENCE)
        try:
            connection.request("POST", f"/emulator/{verb}", json.dumps(words))
            answer = connection.getresponse()
            content = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(content)
        return content

    # --- calls -----------------------------------------------------------------------------------

    def fault(
        self,
        method: str,
        code: str = "",
        message: str = "",
        *,
        details: Sequence[Mapping[str, Any]] = (),
        count: int = 1,
        skip: int = 0,
        applied: bool = False,
        hang: bool = False,
        delay: float = 0.0,
    ) -> None:
        """Have the next `count` calls (-1: all) of methods, a regular expression, fail with a code.

        `applied`: what was asked for is done and only the answer is lost. `hang`: no answer comes.
        """
        words = {"code": code, "message": message, "details": list(details), "count": count}
        words |= {"skip": skip, "applied": applied, "hang": hang, "delay": delay}
        self.control("fault", method=method, **words)

    def clear_faults(self) -> None:
        self.control("clear_faults")

    def calls(self) -> dict[str, int]:
        """Return how often each method was called; METHOD.next counts the pages that followed one."""
        counts: dict[str, int] = self.control("calls")
        return counts

    def requests(self, method: str) -> list[dict[str, str]]:
        """Return what calls of a method have asked for: name, parent, request_id, filter, ..."""
        return [asked for asked in self.control("requests") if asked["method"] == method]

    def reset_calls(self) -> None:
        self.control("reset_calls")

    # --- tasks -----------------------------------------------------------------------------------

    def strike(
        self,
        job: str,
        index: int,
        code: int = 50001,
        *,
        again: bool = False,
        lives_on: bool = False,
    ) -> None:
        """End a running task as the loss of its machine does, with one of the service's own codes.

        `again`: the service starts it once more by itself. `lives_on`: its processes go on.
        """
        self.control("strike", job=job, index=index, code=code, again=again, lives_on=lives_on)

    def strike_next(
        self,
        count: int = 1,
        code: int = 50001,
        *,
        after: float = 0.0,
        match: str = ".*",
        again: bool = False,
        lives_on: bool = False,
    ) -> None:
        """Do so to the next starts of JOB/INDEX/ATTEMPT that match, `after` seconds from then on.

        0 is before anything of a task has run.
        """
        fate = {"code": code, "again": again, "lives_on": lives_on}
        self.control("strike_next", count=count, after=after, match=match, **fate)

    def freeze(self) -> None:
        """Have no task start until `resume`."""
        self.control("freeze")

    def resume(self) -> None:
        self.control("resume")

    def starts(self) -> list[dict[str, Any]]:
        """Return all starts of tasks in their order: job (its id), index, attempt, time."""
        starts: list[dict[str, Any]] = self.control("starts")
        return starts

    def most_running(self, job: str = "") -> int:
        """Return how many tasks ran at once at the most, of a job or in all."""
        return int(self.control("most_running", job=job))

    def running(self) -> list[str]:
        """Return JOB/INDEX/ATTEMPT of what runs, as far as the service knows."""
        running: list[str] = self.control("running")
        return running

    def printed(self, job: str, index: int, attempt: int = 0, runnable: int | None = 0) -> str:
        """Return what a runnable has printed, to both; None: what the machine itself has."""
        folder = Path(self.control("logs", job=job, index=index, attempt=attempt))
        files = folder.glob("machine.err" if runnable is None else f"{runnable}.*")
        return "".join(file.read_text(errors="replace") for file in sorted(files, reverse=True))

    # --- jobs ------------------------------------------------------------------------------------

    def fail_next(self, *words: str, count: int = 1) -> None:
        """Have the next jobs end FAILED before they have any task; the words are why."""
        self.control("fail_next", words=words, count=count)

    def hold_next(self, *words: str, state: str = "SCHEDULED", count: int = 1) -> None:
        """Have the next jobs stay QUEUED or SCHEDULED, with events that say so, until released."""
        self.control("hold_next", words=words, state=state, count=count)

    def release(self, job: str) -> None:
        self.control("release", job=job)

    def clear_fates(self) -> None:
        """Forget what was ordered for starts and jobs to come."""
        self.control("clear_fates")

    def tell(self, job: str, words: str) -> None:
        """Add an event to a job."""
        self.control("tell", job=job, words=words)

    def end(self, job: str, state: str = "FAILED", words: str = "") -> None:
        """End a job: what runs is killed, the rest is never executed."""
        self.control("end", job=job, state=state, words=words)

    def cancel(self, job: str) -> None:
        """Cancel a job, as somebody else would, and wait until that is done."""
        self.control("cancel", job=job)

    def delete(self, job: str) -> None:
        """Delete a job, as somebody else would, and wait until that is done."""
        self.control("delete", job=job)

    def jobs(self) -> dict[str, str]:
        """Return the states of all jobs by their ids, in the order in which they were created."""
        jobs: dict[str, str] = self.control("jobs")
        return jobs

    def tasks(self, job: str) -> list[str]:
        """Return the states of a job's tasks."""
        tasks: list[str] = self.control("tasks", job=job)
        return tasks

    def show(self, bucket: str, folder: Path) -> None:
        """Have tasks of jobs that are created from now on see a bucket by this folder, such as the
        mount point of a file system, and not by the store's.
        """
        self.control("show", bucket=bucket, folder=str(folder))

    # --- waiting ---------------------------------------------------------------------------------

    def wait(self, job: str, *states: str, patience: float = 90.0) -> None:
        """Wait until a job is in one of these states, by default one that is final. DELETED: it is gone."""
        wanted = states or ("SUCCEEDED", "FAILED", "CANCELLED")
        if not self.control("wait", job=job, states=wanted, patience=patience):
            raise TimeoutError(f"{job} is {self.jobs().get(job)}, not {' or '.join(wanted)}")

    def wait_for_starts(self, count: int, patience: float = 90.0) -> None:
        """Wait until so many tasks have been started since the beginning."""
        if not self.control("wait", starts=count, patience=patience):
            raise TimeoutError(f"only {len(self.starts())} tasks have started, not {count}")
