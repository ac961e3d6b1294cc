"""What people read of a Batch job and its task. Pure."""

from __future__ import annotations

from .states import JobNews, TaskNews, trouble_of

__all__ = ["explain"]

_LAST = 3


def explain(batch: str, job: JobNews | None, task: TaskNews | None) -> str:
    """Return what Batch says of a task and the job that it is in."""
    if job is None:
        return f"Batch has no job {batch}: it was deleted"
    lines = [f"Batch job {batch} is {job.state}{_counted(job)}"]
    if task is not None:
        lines.append(f"its task is {task.state}" + (f" on {task.host}" if task.host else ""))
        lines += [event.text for event in task.events[-_LAST:]]
    trouble = trouble_of(job.events)
    if trouble is not None and (job.waits or job.state == "FAILED"):
        lines.append(trouble)
    elif not (task and task.events) and job.events:
        lines.append(job.events[-1])
    return "\n".join(lines)


def _counted(job: JobNews) -> str:
    counts = [f"{number} {state}" for state, number in sorted((job.counts or {}).items()) if number]
    return f" (tasks: {', '.join(counts)})" if counts else ""
