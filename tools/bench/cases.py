"""The cases: each returns its rows of the table."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from .figures import Figure, ratio_of_best, ratio_of_medians, unavailable
from .manyfiles import many_files
from .measuring import Failed, interleave, timed, workload
from .sizes import Sizes

__all__ = ["CASES", "Case", "guarded"]

Case = Callable[[Sizes, Path], list[Figure]]

_MB = 1_000_000.0
_SCHED = str(Path(sys.executable).with_name("sched"))
_SLOTS = 2


def throughput(sizes: Sizes, scratch: Path) -> list[Figure]:
    """2000 x /bin/true, two at a time, beside xargs."""
    jobs = sizes.throughput_jobs
    cpu: list[float] = []

    def library(folder: Path) -> float:
        measured = workload("throughput", folder, jobs=jobs, forks=_SLOTS)
        cpu.append(float(measured["cpu"]) / jobs * 1e6)
        return float(measured["seconds"])

    def command_line(folder: Path) -> float:
        listed = folder / "jobs.jsonl"
        listed.write_text((json.dumps({"cmd": ["/bin/true"]}) + "\n") * jobs)
        options = ["-w", "run", "-j", str(_SLOTS), "--no-progress", "--from", listed.name]
        return timed([_SCHED, "run", *options], folder)

    def xargs(folder: Path) -> float:
        line = f"seq {jobs} | xargs -P{_SLOTS} -I{{}} bash -c '/bin/true; :'"
        return timed(["sh", "-c", line], folder)

    measures = {"library": library, "sched run": command_line, "xargs": xargs}
    found = interleave(sizes.rounds, measures, scratch)
    case = "throughput"
    figures = [_per_job(case, name, found, jobs) for name in measures]
    for name in ("library", "sched run"):
        figures += _ratios(case, name, found, sizes)
    if cpu:
        note = "Python of the driver alone, library"
        figures.append(
            Figure(case=case, what="driver CPU a job", value=median(cpu), unit="us", note=note)
        )
    return figures


def _ratios(
    case: str, name: str, found: Mapping[str, Sequence[float]], sizes: Sizes
) -> list[Figure]:
    if name not in found or "xargs" not in found:
        return [unavailable(case, f"{name} / xargs", "one of both failed")]
    ours, theirs = found[name], found["xargs"]
    typical, best = ratio_of_medians(ours, theirs), ratio_of_best(ours, theirs)
    what = f"{name} / xargs"
    return [
        Figure(
            case=case,
            what=what,
            value=typical,
            target=1.3,
            judged=sizes.judged,
            note=f"of medians of {len(ours)}, in turn",
        ),
        Figure(case=case, what=what, value=best, note="of the best"),
    ]


def _per_job(
    case: str, name: str, found: Mapping[str, Sequence[float]], jobs: int, note: str = ""
) -> Figure:
    if name not in found:
        return unavailable(case, name, note or "failed, see above")
    per_job = tuple(seconds / jobs * 1e3 for seconds in found[name])
    return Figure(
        case=case,
        what=name,
        value=median(per_job),
        unit="ms a job",
        samples=per_job,
        note=note or f"{jobs} jobs, median of {len(per_job)}",
    )


def latency(sizes: Sizes, scratch: Path) -> list[Figure]:
    """How soon the first job starts, and how soon the driver knows of an end."""
    figures = []
    for behind in (0, sizes.starts_behind):
        what = "feed to first start" + (f", {behind} more fed" if behind else "")
        rounds = sizes.starts if not behind else max(3, sizes.starts // 6)
        measured = workload("first_start", _fresh(scratch, what), rounds=rounds, behind=behind)
        figures.append(_delay("first job", what, measured["delays"], 50, sizes))
    for forks in (1, _SLOTS):
        what = f"end to known, {forks} at a time"
        measured = workload("end_known", _fresh(scratch, what), jobs=sizes.ends, forks=forks)
        figures.append(_delay("an end", what, measured["delays"], 10, sizes))
    return figures


def _delay(case: str, what: str, seconds: Sequence[float], target: float, sizes: Sizes) -> Figure:
    delays = tuple(delay * 1e3 for delay in seconds)
    return Figure(
        case=case,
        what=what,
        value=median(delays),
        unit="ms",
        target=target,
        judged=sizes.judged,
        samples=delays,
        note=f"median of {len(delays)}, worst {max(delays):.1f}",
    )


def size(sizes: Sizes, scratch: Path) -> list[Figure]:
    """What many jobs cost in memory, and whether each of many takes longer than each of few."""
    measured = workload("queued", _fresh(scratch, "queued"), jobs=sizes.queued_jobs)
    peak, base = measured["peak"] / _MB, measured["base"] / _MB
    each = (measured["peak"] - measured["base"]) / sizes.queued_jobs
    figures = [
        Figure(
            case="size",
            what=f"driver with {sizes.queued_jobs} queued",
            value=peak,
            unit="MB",
            target=300,
            judged=sizes.judged,
            note=f"peak; {base:.0f} MB before the first, {each:.0f} bytes a job",
        )
    ]
    return figures + _scaling(sizes, scratch)


def _scaling(sizes: Sizes, scratch: Path) -> list[Figure]:
    """One large run, with small ones before and after it."""

    def run(jobs: int) -> Mapping[str, Any]:
        return workload("throughput", _fresh(scratch, f"run of {jobs}"), jobs=jobs, forks=_SLOTS)

    half = (sizes.small_rounds + 1) // 2
    small = [run(sizes.small_run) for _ in range(half)]
    large = run(sizes.large_run)
    small += [run(sizes.small_run) for _ in range(half)]
    few = median(float(m["seconds"]) / sizes.small_run for m in small)
    many = float(large["seconds"]) / sizes.large_run
    cpu_few = median(float(m["cpu"]) / sizes.small_run for m in small)
    cpu_many = float(large["cpu"]) / sizes.large_run
    return [
        Figure(
            case="size",
            what=f"a job of {sizes.large_run} / of {sizes.small_run}",
            value=many / few,
            target=1.15,
            judged=sizes.judged,
            note=f"wall {many * 1e3:.2f} and {few * 1e3:.2f} ms",
        ),
        Figure(
            case="size",
            what="the same, the driver's CPU",
            value=cpu_many / cpu_few,
            note=f"{cpu_many * 1e6:.0f} and {cpu_few * 1e6:.0f} us",
        ),
        Figure(
            case="size",
            what=f"driver after a run of {sizes.large_run}",
            value=large["peak"] / _MB,
            unit="MB",
            note="peak",
        ),
    ]


def imports(sizes: Sizes, scratch: Path) -> list[Figure]:
    """How long a user waits for Python, for the package, and for help."""
    python = [sys.executable, "-I", "-c"]
    measures = {
        "bare Python": lambda at: timed([*python, "pass"], at),
        "import sched_meta": lambda at: timed([*python, "import sched_meta"], at),
        "sched --help": lambda at: timed([_SCHED, "--help"], at),
    }
    found = interleave(sizes.imports, measures, scratch)
    loaded = workload("modules", _fresh(scratch, "modules"))["modules"]
    bare = median(found["bare Python"])
    figures = []
    for name, target, less in (("import sched_meta", 60, bare), ("sched --help", 150, 0.0)):
        if name not in found:
            figures.append(unavailable("imports", name, "failed, see above"))
            continue
        figures.append(
            Figure(
                case="imports",
                what=name + (" over bare Python" if less else ""),
                value=(median(found[name]) - less) * 1e3,
                unit="ms",
                target=target,
                samples=tuple(seconds * 1e3 for seconds in found[name]),
                note=f"median of {len(found[name])}",
            )
        )
    others = [name for name in loaded if name != "sched_meta"]
    note = "by import sched_meta: " + (", ".join(others) or "none but itself")
    figures.append(
        Figure(case="imports", what="other packages loaded", value=len(others), note=note)
    )
    return figures


def reading(sizes: Sizes, scratch: Path) -> list[Figure]:
    """What an onlooker and a new driver take for a run that is there."""
    folder = _fresh(scratch, "recorded")
    jobs = sizes.recorded_jobs
    workload("record", folder, jobs=jobs)
    seen = workload("read", folder)
    status = timed([_SCHED, "status", "run"], folder)
    resumed = _fresh(scratch, "resumed")
    workload("record", resumed, jobs=sizes.resumed_jobs)
    resume = workload("resume", resumed)
    each = (seen["peak"] - seen["base"]) / jobs
    return [
        _seconds("reading", f"read_run of {jobs}", seen["seconds"], f"{each:.0f} bytes a job"),
        _seconds("reading", f"sched status of {jobs}", status, "the whole process"),
        _seconds("reading", f"resume of {sizes.resumed_jobs}", resume["open"], "half ended before"),
        _seconds("reading", "until its first end", resume["first_end"], ""),
    ]


def _seconds(case: str, what: str, seconds: float, note: str) -> Figure:
    return Figure(case=case, what=what, value=seconds * 1e3, unit="ms", note=note)


def _fresh(scratch: Path, name: str) -> Path:
    """Return a new empty folder."""
    number = 0
    while True:
        folder = scratch / f"{name}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def guarded(name: str, case: Case) -> Case:
    """Let a case that fails be a row, not the end of the benchmark."""

    def run(sizes: Sizes, scratch: Path) -> list[Figure]:
        try:
            return case(sizes, scratch)
        except Failed as error:
            return [unavailable(name, "the whole case", str(error))]

    return run


CASES: dict[str, Case] = {
    name: guarded(name, case)
    for name, case in {
        "throughput": throughput,
        "latency": latency,
        "size": size,
        "imports": imports,
        "reading": reading,
        "files": many_files,
    }.items()
}
