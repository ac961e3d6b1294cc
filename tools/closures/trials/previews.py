"""What would be submitted: all of a backend that works without its engine."""

from pathlib import Path

from sched_core import Scheduler

__all__ = ["previewed"]


def previewed(scheduler: Scheduler) -> str:
    """Return what the engine would get of a job, and see that nothing is written for it."""
    before = sorted(Path().rglob("*"))
    preview = scheduler.preview([scheduler.new_job(0, ["echo", "from the library"])])
    assert [job.index for job in preview.jobs] == [0], preview
    assert sorted(Path().rglob("*")) == before, "a preview has written"
    text = "\n".join(part.text for part in preview.parts)
    assert "_sched_cmd=(echo 'from the library')" in text, text
    return text
