"""The words that may stand for a run, for jobs, a scheduler, its options, a profile."""

from __future__ import annotations

import re

from sched_core.errors import SchedError
from sched_core.model.failure import Failure

from ..reading.runfolder import RUNS, RunFolder, existing_run

__all__ = ["job_words", "option_words", "profile_words", "run_words", "scheduler_words"]

# More would take longer than somebody at a prompt waits.
_MOST_RECORDS = 64
_MOST_NAMES = 1000
_HAVE_FLAGS = frozenset("workdir forks num_retries error_strategy timeout".split())
# What a shell would have to quote is left to the person.
_PLAIN = re.compile(r"[\w.,@%+=-]+")


def run_words() -> list[str]:
    """Return the names of the runs under ./sched-runs, the newest first."""
    try:
        names = [folder.name for folder in RUNS.iterdir()]
    except OSError:
        return []
    return sorted(filter(_PLAIN.fullmatch, names), reverse=True)


def job_words(run: str | None) -> list[str]:
    """Return the states and the classes of failures, and the names of a run's jobs.

    Names only where that takes no while: not of runs in buckets, and not of very long ones.
    """
    from ..reading.selection import STATE_WORDS

    classes = [name.lower() for name in Failure.__members__]
    return [*STATE_WORDS, *classes, *_job_names(run)]


def _job_names(run: str | None) -> list[str]:
    try:
        folder = existing_run(run) if run is None or "://" not in run else None
        if folder is None or _is_long(folder):
            return []
        names = (job.name for job in folder.read().jobs.values() if job.name)
        return list(dict.fromkeys(filter(_PLAIN.fullmatch, names)))[:_MOST_NAMES]
    except (SchedError, OSError):
        return []


def _is_long(folder: RunFolder) -> bool:
    journal = f"{folder.path}/.sched/journal"
    entries = folder.files.entries(journal)
    return len(entries) > _MOST_RECORDS or sum(e.size for e in entries.values()) > 1 << 20


def scheduler_words() -> list[str]:
    """Return the schedulers that are installed."""
    from ..registry import scheduler_names

    return scheduler_names()


def option_words(scheduler: str | None) -> list[str]:
    """Return what may stand behind `-o`, with its equals sign, of the scheduler that is meant."""
    from ..registry import get_scheduler

    try:
        cls = get_scheduler(scheduler or _usual_scheduler() or "local")
    except SchedError:
        return []
    own = sorted(cls.option_names() - _HAVE_FLAGS)
    return [f"{name}=" for name in (*own, *sorted(cls.native_option_names()))]


def _usual_scheduler() -> str | None:
    from ..settings.effect import documents_in_effect
    from ..settings.layers import merge_layers, settings_layers

    try:
        scheduler: str | None = merge_layers(settings_layers(documents_in_effect())).of("scheduler")
    except SchedError:
        return None
    return scheduler


def profile_words() -> list[str]:
    """Return the profiles of the files of settings that are in effect."""
    from ..settings.effect import documents_in_effect
    from ..settings.layers import profiles

    try:
        return [name for document in documents_in_effect() for name in profiles(document)]
    except SchedError:
        return []
