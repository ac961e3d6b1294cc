"""Opening a run: a new one, one to go on with, or a new list of jobs in an old folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from ..errors import OptionError, RunExists
from ..hooks import Hooks
from ..lifecycle.mirroring import as_mirrored
from ..lifecycle.session import Session
from ..model.job import Job
from ..model.resources import Resources
from ..model.secret import Secret
from ..model.status import JobStatus
from ..ports import Files, Ports
from ..runfolder import (
    JobRecord,
    Journal,
    JournalReader,
    Layout,
    Lease,
    RunFile,
    Summarizer,
    Tally,
    acquire_lease,
    find_run,
    jobs_that_may_run,
    read_journal,
    replay,
    write_run,
)
from ..runfolder.state import JOB_STATE, SPARSE_STATE

if TYPE_CHECKING:
    from ..scheduler import Scheduler

__all__ = ["EXISTING", "Existing", "current_directory", "looking_at", "open_session", "restore_job"]

Existing = Literal["error", "resume", "reuse"]
EXISTING: tuple[Existing, ...] = ("error", "resume", "reuse")


async def open_session(
    scheduler: Scheduler, existing: Existing, ports: Ports, hooks: Hooks
) -> tuple[Session, dict[int, JobRecord]]:
    """Become the driver of the run in the scheduler's folder; return what its journal tells.

    Raises RunExists, RunLocked, RunCorrupt, OSError.
    """
    if existing not in EXISTING:
        raise OptionError(f"existing {existing!r}: it must be one of {', '.join(EXISTING)}")
    layout = Layout(str(scheduler.workdir))
    found = await ports.offload(find_run, ports.files, layout)
    if found is not None and existing == "error":
        earlier = replay(await ports.offload(read_journal, ports.files, layout))
        _check_without_jobs(layout, found, earlier)
    await ports.offload(_make_folders, ports, layout)
    lease = await acquire_lease(ports, layout)
    try:
        return await _open(scheduler, existing, ports, hooks, layout, lease)
    except BaseException:
        lease.release()
        raise


async def _open(
    scheduler: Scheduler,
    existing: Existing,
    ports: Ports,
    hooks: Hooks,
    layout: Layout,
    lease: Lease,
) -> tuple[Session, dict[int, JobRecord]]:
    # Only now: another driver may have made the run, or gone on with it, in the meantime.
    found = await ports.offload(find_run, ports.files, layout)
    records: dict[int, JobRecord] = {}
    reader = JournalReader(ports.files, layout)
    if found is None:
        await ports.offload(_check_that_none_is_removed, ports.files, layout)
    else:
        records = replay((await ports.offload(reader.read_new)).records)
        if existing == "error":
            _check_without_jobs(layout, found, records)
        _check_backend(scheduler, found, records)
        if found.scheduler == scheduler.name and not scheduler.can_take_over(found.options):
            await ports.offload(_check_ended, ports.files, layout, records)
        if existing == "reuse":
            _check_idle(layout, records)
    run = _run_file(scheduler, ports, found, existing)
    scheduler.mount_volumes()
    if scheduler.workdir.is_cloud():
        await ports.offload(_settle_on_mirror, ports.files, layout, run, records)
    await ports.offload(write_run, ports.files, layout, run)
    summarizer = Summarizer(ports.files, layout, Tally.of(records.values()), reader.known)
    journal = Journal(ports.files, layout, lease.epoch, summarizer)
    if found is None or existing == "reuse":
        journal.add({"generation": run.generation, "at": ports.now()})
    session = Session(scheduler, ports, hooks, run, journal, lease)
    await session.journal.flush_with(session.make_folders)
    return session, records


def _settle_on_mirror(
    files: Files, layout: Layout, run: RunFile, records: Mapping[int, JobRecord]
) -> None:
    """Have the run's mirror hold what the bucket holds, or see to it that it needs none. Blocks."""
    from ..ports.mirrormark import read_mark, remove_mark

    if (mirrored := as_mirrored(files)) is not None:
        mirrored.run, mirrored.exchange.earlier_jobs = run.run, frozenset(records)
        mirrored.join()
    elif (mark := read_mark(files, layout.workdir)) is not None:
        if found := jobs_that_may_run(files, layout, records):
            raise RunExists(
                f"{len(found)} jobs (job {min(found)}, ...) may still run in the mirror "
                f"{mark.folder} of {mark.host}: resume the run with mirror={mark.folder} first"
            )
        remove_mark(files, layout.workdir)


@contextmanager
def looking_at(
    scheduler: Scheduler, ports: Ports, run: RunFile, lease: Lease | None = None
) -> Iterator[Session]:
    """Let a scheduler be asked about a run that it does not drive."""
    earlier = scheduler._session
    scheduler._session = Session(scheduler, ports, Hooks([]), run, lease=lease)
    try:
        yield scheduler._session
    finally:
        scheduler._session = earlier


def _check_that_none_is_removed(files: Files, layout: Layout) -> None:
    """See that nothing of another run is left that would be taken for the new one's. Blocks."""
    if files.exists(layout.removing):
        raise RunExists(
            f"the run in {layout.workdir} is being removed, or that was broken off; finish it "
            f"(sched clean {layout.workdir} --remove-run), or name another work directory"
        )


def _check_without_jobs(layout: Layout, run: RunFile, records: Mapping[int, JobRecord]) -> None:
    """Let a run begin whose scheduler could not be used when it was opened before."""
    if records:
        raise RunExists(
            f"{layout.workdir} holds the run {run.run} already; "
            "go on with it (existing='resume', sched run --resume) or name another work directory"
        )


def _make_folders(ports: Ports, layout: Layout) -> None:
    for folder in layout.folders():
        ports.files.make_folder(folder)


def _run_file(
    scheduler: Scheduler, ports: Ports, found: RunFile | None, existing: Existing
) -> RunFile:
    cls = type(scheduler)
    run = RunFile(
        run=found.run if found else f"{ports.random.getrandbits(40):010x}",
        generation=found.generation if found else 1,
        created=found.created if found else ports.now(),
        scheduler=scheduler.name,
        scheduler_class=f"{cls.__module__}:{cls.__qualname__}",
        options=scheduler.options(),
        directory=found.directory if found and existing == "resume" else current_directory(),
    )
    return run.next_generation() if found is not None and existing == "reuse" else run


def current_directory() -> str:
    """Return where this process is, empty where that folder is gone."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def _open_attempts(records: Mapping[int, JobRecord]) -> list[int]:
    return [record.index for record in records.values() if record.status.active]


def _check_backend(scheduler: Scheduler, run: RunFile, records: Mapping[int, JobRecord]) -> None:
    if run.scheduler != scheduler.name and _open_attempts(records):
        raise RunExists(
            f"jobs of the run in {scheduler.workdir} may still run on {run.scheduler}; "
            f"resume it there first, then with {scheduler.name}"
        )


def _check_ended(files: Files, layout: Layout, records: Mapping[int, JobRecord]) -> None:
    """See that no job may be where the scheduler does not look for it. Blocks."""
    if found := jobs_that_may_run(files, layout, records):
        raise RunExists(
            f"{len(found)} jobs of the run in {layout.workdir} (job {min(found)}, ...) may still run "
            "where the run had its jobs; resume it with the options that it had first"
        )


def _check_idle(layout: Layout, records: Mapping[int, JobRecord]) -> None:
    if found := _open_attempts(records):
        raise RunExists(
            f"{len(found)} jobs of the run in {layout.workdir} may still run (job {found[0]}, ...); "
            "resume the run first, or name another work directory"
        )


def restore_job(scheduler: Scheduler, record: JobRecord) -> Job:
    """Return the job that the record tells of."""
    withheld = dict.fromkeys(record.secrets or (), Secret.withheld())
    job = scheduler.new_job(record.index, record.cmd, {**(record.envs or {}), **withheld})
    job.secrets = record.secrets
    job.name = record.name
    if record.resources is not None:
        job.resources = Resources.from_json(record.resources)
    job.timeout = record.timeout
    job.inputs, job.outputs = tuple(record.inputs), tuple(record.outputs)
    job.container = record.container
    for name in (*JOB_STATE, *SPARSE_STATE):
        setattr(job, name, getattr(record, name))
    job.will_retry = False  # whoever goes on with the run decides anew
    job.status = JobStatus(record.status)
    return job
