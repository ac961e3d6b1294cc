"""Schedulers by name, as installed packages advertise them; none is imported before it is used."""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers know better, and typing would be half of the import's time
if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from sched_core import Scheduler

__all__ = [
    "DEFAULT_GROUP",
    "find_scheduler",
    "get_scheduler",
    "installed_schedulers",
    "missing_schedulers",
    "scheduler_names",
]

DEFAULT_GROUP = "sched.schedulers"

_EXTRAS = {
    "local": "local",
    "slurm": "hpc",
    "sge": "hpc",
    "ssh": "ssh",
    "gbatch": "gbatch",
    "container": "container",
}


def get_scheduler(
    name_or_class: str | type[Scheduler], group: str = DEFAULT_GROUP
) -> type[Scheduler]:
    """Return the scheduler class of that name; a class is given back as it is.

    Raises NoSuchSchedulerError, which says what to install or what the name may have meant, and
    WrongSchedulerTypeError for what is no scheduler.
    """
    if not isinstance(name_or_class, str):
        return _check_class(name_or_class, "what was given")
    entry_point = find_scheduler(name_or_class, group)
    return _check_class(_load(entry_point), f"{entry_point.name!r} ({entry_point.value})")


def scheduler_names(group: str = DEFAULT_GROUP) -> list[str]:
    """Return the names that `get_scheduler` knows, sorted."""
    return sorted(installed_schedulers(group))


def installed_schedulers(group: str = DEFAULT_GROUP) -> dict[str, EntryPoint]:
    """Return the entry points by name."""
    from importlib.metadata import entry_points

    return {entry_point.name: entry_point for entry_point in entry_points(group=group)}


def find_scheduler(name: str, group: str = DEFAULT_GROUP) -> EntryPoint:
    """Return what a package advertises under the name, and load nothing.

    Raises NoSuchSchedulerError, which says what to install or what the name may have meant.
    """
    from sched_core.errors import NoSuchSchedulerError

    installed = installed_schedulers(group)
    if name in installed:
        return installed[name]
    raise NoSuchSchedulerError(f"there is no scheduler {name!r}; {_hint(name, sorted(installed))}")


def missing_schedulers() -> dict[str, str]:
    """Return what to type for each scheduler of ours that is not installed."""
    installed = installed_schedulers()
    return {name: _install(name) for name in sorted(_EXTRAS) if name not in installed}


def _hint(name: str, installed: list[str]) -> str:
    import difflib

    wanted = name.lower()
    if wanted not in _EXTRAS and wanted not in installed:
        near = difflib.get_close_matches(wanted, [*installed, *_EXTRAS], 1)
        if near and near[0] not in installed:
            return f"did you mean {near[0]!r}? To install it: {_install(near[0])}"
        wanted = near[0] if near else wanted
    if wanted in installed:
        return f"did you mean {wanted!r}?"
    if wanted in _EXTRAS:
        return f"to install it: {_install(wanted)}"
    return f"installed are: {', '.join(installed) or 'none'}"


def _install(name: str) -> str:
    return f"pip install 'sched-meta[{_EXTRAS[name]}]'"


def _load(entry_point: EntryPoint) -> object:
    from sched_core.errors import NoSuchSchedulerError

    try:
        found: object = entry_point.load()
    except Exception as error:
        raise NoSuchSchedulerError(
            f"the scheduler {entry_point.name!r} is installed and cannot be loaded"
            f" from {entry_point.value}: {type(error).__name__}: {error}"
        ) from error
    return found


def _check_class(found: object, what: str) -> type[Scheduler]:
    from sched_core import Scheduler
    from sched_core.errors import WrongSchedulerTypeError

    if isinstance(found, type) and issubclass(found, Scheduler):
        return found
    raise WrongSchedulerTypeError(
        f"{what} is no scheduler: a subclass of sched_core.Scheduler is needed, not {found!r}"
    )
