"""Command lines and answers of Grid Engine's tools; the answers were recorded from 8.1.9."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core import EngineState, EngineUnavailable, Failure, OptionError, Resources
from sched_hpc import SgeScheduler
from sched_hpc.cluster.tool import Answer, Toolbox
from sched_hpc.sge.accounting import parse_qacct
from sched_hpc.sge.cell import parse_config
from sched_hpc.sge.commands import delete_ids, qsub
from sched_hpc.sge.directives import has_soft_limit, leave_out, qsub_options, requests
from sched_hpc.sge.errors import is_misplaced, judge_submission, said
from sched_hpc.sge.judging import is_final, judge_record
from sched_hpc.sge.names import sge_name
from sched_hpc.sge.notation import parse_memory, parse_time
from sched_hpc.sge.parsers import Row, parse_qstat, parse_qsub, parse_reasons
from sched_hpc.sge.states import state_of
from sched_hpc.sge.tools import find_tools
from sched_hpc.sge.words import explain_row, reason_of


@pytest.mark.parametrize(
    "text, id_",
    [
        ("2\n", "2"),
        ("1.1-20:1\n", "1"),
        ('Your job 4 ("sge-ab12-h") has been submitted\n', "4"),
        ('Your job-array 3.1-5:1 ("a (b) c") has been submitted\n', "3"),
        ("*** 42 jobs run ***\n\n7\nHave a nice day\n", "7"),
    ],
)
def test_t16_the_id_is_found_in_what_qsub_prints(text: str, id_: str) -> None:
    assert parse_qsub(text) == id_


@pytest.mark.parametrize(
    "text", ["", "\n", "no id", "job 12x", "verification: found suitable queue(s)", "\ufffd"]
)
def test_t16_no_id_is_an_error_that_shows_what_was_printed(text: str) -> None:
    with pytest.raises(ValueError, match="no job id"):
        parse_qsub(text)


# --- states

WAIT, RUN, FAIL = EngineState.WAITING, EngineState.RUNNING, EngineState.FAILED


@pytest.mark.parametrize(
    "words, state",
    [
        ("qw hqw hRwq Rq hRq", WAIT),
        ("t Rt dt dRt", WAIT),
        ("r Rr hr dr dRr", RUN),
        ("s ts S tS T tT Rs Rts RS RtS RT RtT ds dS dT dRs dRS dRT N P", RUN),
        ("Eqw Ehqw EhRqw dEqw ERq", FAIL),
        ("z", EngineState.SUCCEEDED),
    ],
)
def test_t12_every_state_in_its_short_form(words: str, state: EngineState) -> None:
    for word in words.split():
        found = state_of(word)
        assert (found.state, found.known) == (state, True), word
        assert found.restarted == ("R" in word)
        assert found.deleted == ("d" in word)
        assert found.failure is (Failure.SETUP if state is FAIL else None)


@pytest.mark.parametrize(
    "long, short",
    [
        ("pending", "w"),
        ("running", "r"),
        ("zombie", "z"),
        ("suspended", "s"),
        ("transferring", "t"),
        ("running, re-submit", "Rr"),
        ("transferring, re-submit", "Rt"),
        ("pending, user hold", "hw"),
        ("pending, user hold, re-queue", "hRw"),
        ("pending, error", "Ew"),
        ("all pending states with error", "Ew"),
        ("running with deletion", "dr"),
    ],
)
def test_t12_every_state_in_its_long_form(long: str, short: str) -> None:
    long = long.replace("states ", "")
    assert state_of(long) == state_of(short)
    assert state_of(long).known


@pytest.mark.parametrize("text", ["teleported", "qx", "?", "", "Xr"])
def test_t12_an_unknown_state_keeps_the_job(text: str) -> None:
    found = state_of(text)
    assert (found.state, found.known) == (WAIT, False)


# --- the queue

QSTAT = """<?xml version='1.0'?>
<job_info  xmlns:xsd="http://arc.liv.ac.uk/repos/darcs/sge/source/dist/util/resources/schemas/qstat/qstat.xsd">
  <queue_info>
    <job_list state="running">
      <JB_job_number>1</JB_job_number>
      <JAT_prio>0.50000</JAT_prio>
      <JB_name>sge-ab12-00010001</JB_name>
      <JB_owner>root</JB_owner>
      <state>Rr</state>
      <JAT_start_time>2026-11-22T15:41:20</JAT_start_time>
      <queue_name>all.q@vm</queue_name>
      <slots>1</slots>
      <tasks>3</tasks>
    </job_list>
    <job_list state="running">
      <JB_job_number>2</JB_job_number>
      <JB_name>a%lt;b&amp;c</JB_name>
      <state>r</state>
      <JAT_start_time>2026-11-22T15:41:20</JAT_start_time>
      <queue_name>all.q@vm</queue_name>
    </job_list>
  </queue_info>
  <job_info>
    <job_list state="pending">
      <JB_job_number>1</JB_job_number>
      <JB_name>sge-ab12-00010001</JB_name>
      <state>qw</state>
      <JB_submission_time>2026-11-22T15:41:20</JB_submission_time>
      <queue_name></queue_name>
      <tasks>4-7:1,9,11-15:2</tasks>
    </job_list>
    <job_list state="pending">
      <JB_job_number>9</JB_job_number>
      <state></state>
    </job_list>
  </job_info>
</job_info>
"""


def test_what_qstat_tells() -> None:
    runs, odd, waits, bare = parse_qstat("a banner of the site\n" + QSTAT + "goodbye\n")
    assert (runs.id, runs.tasks, runs.state, runs.name) == ("1", (3,), "Rr", "sge-ab12-00010001")
    assert (runs.host, runs.started) == ("vm", 1795362080.0)
    assert (odd.tasks, odd.name) == (None, "a%lt;b&c")
    assert (waits.tasks, waits.host, waits.started) == ((4, 5, 6, 7, 9, 11, 13, 15), "", None)
    assert (bare.state, bare.name) == ("pending", "")


@pytest.mark.parametrize("text", ["", "command not allowed here", QSTAT[:400], "<a></a>"])
def test_t02_half_an_answer_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="qstat"):
        parse_qstat(text)


def test_an_empty_queue_is_an_answer() -> None:
    empty = "<?xml version='1.0'?>\n<job_info  xmlns:xsd=\"x\">\n  <queue_info>\n  </queue_info>\n</job_info>\n"
    assert parse_qstat(empty) == []


REASONS = """==============================================================
job_number:                 28
job_name:                   badwd
env_list:                   MULTI=a
scheduling info: none,HOME=/root
error reason          1:      11/22/2026 15:43:52 [0:3802]: error: can't chdir to /nonexist: No such file or directory
error reason          3:      11/22/2026 15:43:52 [0:3822]: error: can't open output file "/nonexist/x": No such file or directory
scheduling info:            Job is in error state
==============================================================
job_number:                 29
scheduling info:            queue instance "all.q@a" dropped because it is disabled
                            cannot run in PE "smp" because it only offers 0 slots
"""


def test_why_jobs_fail_and_wait() -> None:
    found = parse_reasons(REASONS)
    assert list(found) == ["28", "29"]
    assert found["28"].errors[1] == "can't chdir to /nonexist: No such file or directory"
    assert found["28"].errors[3].startswith("can't open output file")
    assert found["29"].errors == {}
    assert found["29"].notes == (
        'queue instance "all.q@a" dropped because it is disabled',
        'cannot run in PE "smp" because it only offers 0 slots',
    )
    assert parse_reasons("Following jobs do not exist: \n999999\n") == {}


def test_what_a_person_is_told() -> None:
    why = parse_reasons(REASONS)
    stuck = Row("28", (1, 2, 3), "Eqw", "x")
    assert reason_of(stuck, why["28"], 1) == (
        "Grid Engine: Eqw (can't chdir to /nonexist: No such file or directory)"
    )
    assert "output file" in reason_of(stuck, why["28"], 3)
    assert reason_of(stuck, None, None) == "Grid Engine: Eqw"
    told = explain_row("28.3", stuck, why["28"], 3)
    assert told.startswith("Grid Engine job 28.3: Eqw; can't open output file")
    assert "qmod -cj" in told
    assert "a queue is disabled" in explain_row("29", Row("29", None, "qw", "x"), why["29"], None)
    held = explain_row("30", Row("30", None, "hqw", "x"), None, None)
    assert held == "Grid Engine job 30: hqw; it is held: qrls lets it go"
    runs = Row("31", None, "dRr", "x", "all.q@vm", 1.0)
    assert explain_row("31", runs, why["29"], None) == (
        "Grid Engine job 31: dRr, on vm, started again by Grid Engine, being deleted"
    )


# --- the accounting


def record(**changes: str) -> str:
    told = {
        "qname": "all.q", "hostname": "vm", "jobname": "sge-ab12-00010001", "jobnumber": "1", "taskid": "1",
        "qsub_time": "Sun Nov 22 15:41:20 2026", "start_time": "Sun Nov 22 15:41:20 2026",
        "end_time": "Sun Nov 22 15:41:28 2026", "failed": "0    ", "exit_status": "0                   ",
        "maxvmem": "5.004MB", "category": "NONE",
    } | changes  # fmt: skip
    lines = "".join(f"{name:12} {value}\n" for name, value in told.items())
    return "=" * 62 + "\n" + lines


LIMIT = "37  : qmaster enforced h_rt, h_cpu, or h_vmem limit"


@pytest.mark.parametrize(
    "changes, failure, rc",
    [
        ({}, None, None),
        ({"exit_status": "3"}, Failure.EXIT, 3),
        ({"exit_status": "122"}, Failure.SETUP, 122),
        ({"failed": "100 : assumedly after job", "exit_status": "137                  (Killed)"}, Failure.CANCELLED, 137),
        ({"failed": LIMIT, "exit_status": "137", "category": "-l h_rt=3"}, Failure.TIMEOUT, 137),
        ({"failed": LIMIT, "exit_status": "140", "category": "-u x -l h_rt=60,h_vmem=100M", "maxvmem": "141.617MB"}, Failure.OUT_OF_MEMORY, 140),
        ({"failed": LIMIT, "exit_status": "140", "category": "-l h_rt=60,h_vmem=100M", "maxvmem": "9MB"}, Failure.OUT_OF_MEMORY, 140),
        ({"failed": LIMIT, "exit_status": "137", "category": "-l h_rt=8,h_vmem=100M", "maxvmem": "9MB"}, Failure.TIMEOUT, 137),
        ({"failed": "28  : changing into working directory", "start_time": "-/-", "end_time": "-/-"}, Failure.SETUP, None),
        ({"failed": "26  : opening input/output file"}, Failure.SETUP, None),
        ({"failed": "27  : searching requested shell"}, Failure.SETUP, None),
        ({"failed": "30  : application error returned", "exit_status": "100"}, Failure.SETUP, 100),
        ({"failed": "19  : before writing exit_status"}, Failure.NODE_FAIL, None),
        ({"failed": "15  : in epilog"}, None, None),
    ],
)  # fmt: skip
def test_what_the_accounting_tells(
    changes: dict[str, str], failure: Failure | None, rc: int | None
) -> None:
    (found,) = parse_qacct(record(**changes))
    judged = judge_record(found, "1.1", 2)
    assert (judged.failure, judged.rc, judged.restart) == (failure, rc, 2)
    assert judged.state is (FAIL if failure else EngineState.SUCCEEDED)
    assert is_final(found)


def test_t52_records_of_several_starts() -> None:
    text = "Total System Usage\n" + record(failed="25  : rescheduling") + record(taskid="undefined")
    again, last = parse_qacct(text)
    assert (again.task, is_final(again)) == (1, False)
    assert (last.task, is_final(last), last.host) == (None, True, "vm")
    assert (last.started, last.ended) == (1795362080.0, 1795362088.0)
    assert list(parse_qacct("error: job id 999999 not found\n")) == []


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        record()[:200],  # cut off while it was written
        record().replace("exit_status", "exit\0status"),
        record(jobnumber="x"),
        "\ufffd" * 300 + "\n",
    ],
)
def test_t52_a_record_that_is_damaged_hides_no_other(damaged: str) -> None:
    assert list(parse_qacct(damaged)) == []
    assert [found.id for found in parse_qacct(damaged + record(jobnumber="2"))] == ["2"]


@pytest.mark.parametrize(
    "said", ["Following jobs do not exist: \n7\n", "Following jobs do not exist or permissions are not sufficient: \n7\n"]
)  # fmt: skip
async def test_t52_a_job_that_qstat_does_not_know_any_more_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    async def answers(argv: Sequence[str], *_: object, **__: object) -> Answer:
        return Answer(argv, 1, "", said)

    scheduler = SgeScheduler("run")
    monkeypatch.setattr(scheduler.toolbox, "run", answers)
    assert await scheduler._sge.reasons({"7"}) == {}
    with pytest.raises(EngineUnavailable):  # while one of any other kind is no answer
        monkeypatch.setattr(scheduler.toolbox, "run", _fails)
        await scheduler._sge.reasons({"7"})


async def _fails(argv: Sequence[str], *_: object, **__: object) -> Answer:
    return Answer(argv, 1, "", "error: commlib error: got select error (Connection refused)")


@pytest.mark.parametrize(
    "told, value",
    [
        ({}, None),
        ({"ru_maxrss": "67.824KB"}, int(67.824 * 1024) * 1024),  # 8.1.9, of 67.8 MiB
        ({"ru_maxrss": "1.200MB"}, int(1.2 * 1024) << 20),
        ({"ru_maxrss": "69452"}, 69452 * 1024),
        ({"ru_maxrss": "0.000B"}, None),
        ({"ru_maxrss": "-"}, None),
        ({"ru_maxrss": "67.824M"}, None),  # in whatever unit
        ({"ru_maxrss": "5000", "maxrss": "64.000M"}, 64 << 20),
        ({"ru_maxrss": "69452", "maxrss": "4096"}, 69452 * 1024),
        ({"maxrss": "0"}, None),
    ],
)
def test_t51_the_most_memory_of_a_job(told: dict[str, str], value: int | None) -> None:
    (found,) = parse_qacct(record(**told))
    assert (found.max_rss or 0) == pytest.approx(value or 0, rel=0.01)
    assert found.max_rss != 0
    assert judge_record(found, "1.1", 0).max_rss == found.max_rss


@pytest.mark.parametrize(
    "text, value",
    [("5.004MB", 5.004 * 2**20), ("100M", 100 * 2**20), ("2k", 2000), ("7", 7), ("0.000B", 0), ("x", None), ("1.2.3", None)],
)  # fmt: skip
def test_t46_t51_amounts_of_memory(text: str, value: float | None) -> None:
    assert parse_memory(text) == value


def test_t51_times() -> None:
    assert [parse_time(text) for text in ("90", "1:30", "2:00:01", "::5", "x")] == [
        90, 90, 7201, 5, None,
    ]  # fmt: skip


CONFIG = """#global:
execd_spool_dir              /var/spool/gridengine/execd
reporting_params             accounting=true reporting=false \\
                             flush_time=00:00:15 joblog=false sharelog=00:00:00
max_aj_instances             2000
max_aj_tasks                 75000
max_u_jobs                   10
max_jobs                     0
"""


def test_how_the_cell_is_set_up() -> None:
    config = parse_config(CONFIG)
    assert (config.largest_array, config.max_jobs_of_user, config.max_jobs) == (2000, 10, 0)
    assert (config.accounting, config.flush_time) == (True, 15)
    assert not parse_config(CONFIG.replace("accounting=true", "accounting=false")).accounting
    unlimited = CONFIG.replace("2000", "0").replace("75000", "0")
    assert parse_config(unlimited).largest_array is None
    with pytest.raises(ValueError, match="set up"):
        parse_config("denied")


# --- what goes wrong


DOWN = """error: commlib error: got select error (Connection refused)
Unable to run job: unable to send message to qmaster using port 16444 on host "vm": got send error
Exiting.
"""


@pytest.mark.parametrize(
    "stderr, verdict",
    [
        (DOWN, "unavailable"),
        (DOWN.replace("Connection refused", "Connection reset by peer"), "unknown"),
        ('error: commlib error: got read error (closing "vm/qmaster/1")', "unknown"),
        ("Unable to run job: failed receiving gdi request response for mid=1 (got syncron message receive timeout error).", "unknown"),
        ("Unable to run job: job rejected: only 2 jobs are allowed per user (current job count: 2)\nExiting.", "unavailable"),
        ("Unable to run job: job rejected: only 1 jobs are allowed per cluster\nExiting.", "unavailable"),
        ('Unable to run job: Job was rejected because job requests unknown queue "nosuch.q"\nExiting.', "rejected"),
        ("Unable to run job: error: no suitable queues\nExiting.", "rejected"),
        ('qsub: invalid option argument "-bogus"', "rejected"),
        ("Unable to run job: Error reading answer list from qmaster\nExiting.", "rejected"),
        ('Unable to run job: denied: host "vm" is not a submit host\nExiting.', "rejected"),
    ],
)  # fmt: skip
def test_t18_who_has_to_act_on_a_failed_submission(stderr: str, verdict: str) -> None:
    assert judge_submission(stderr) == verdict


@pytest.mark.parametrize(
    "stderr, words",
    [
        (
            "Unable to run job: error: no suitable queues\nExiting.\n",
            "no suitable queues",
        ),
        (
            'Unable to run job: job rejected: the requested project "nope" does not exist\nExiting.\n',
            'the requested project "nope" does not exist',
        ),
        ('qsub: invalid priority "5000".', 'invalid priority "5000".'),
        ('Unable to run job: denied: host "vm" is not a submit host\nExiting.', 'host "vm" is not a submit host'),
        ("", "it said nothing"),
    ],
)  # fmt: skip
def test_the_words_are_grid_engine_s_own(stderr: str, words: str) -> None:
    assert said(stderr) == words


def test_a_cell_that_is_not_there_is_told_from_one_that_is_down() -> None:
    assert is_misplaced("critical error: Please set the environment variable SGE_ROOT.")
    assert is_misplaced('cell directory "/tmp/root/nope" doesn\'t exist')
    assert is_misplaced(
        'unable to read qmaster name: can\'t open "/var/lib/gridengine/default/common/act_qmaster"'
    )
    assert not is_misplaced(DOWN)


# --- command lines


def test_a_submission_of_one_and_of_many() -> None:
    one = qsub("qsub", "name", "/bin/bash", ["-q", "all.q"])
    assert one[-2:] == ["-q", "all.q"]
    assert "-t" not in one
    assert one[one.index("-C") + 1] == ""
    many = qsub("qsub", "name", "/bin/bash", [], 10, 3)
    assert (many[many.index("-t") + 1], many[many.index("-tc") + 1]) == ("1-10", "3")
    assert "-tc" not in qsub("qsub", "name", "/bin/bash", [], 10, 10)


def test_t20_a_hundred_words_a_call_at_most() -> None:
    assert [len(words) for words in delete_ids({str(n): None for n in range(250)})] == [
        100, 100, 50,
    ]  # fmt: skip
    assert delete_ids({"7": [3, 1, 2, 9], "8": None}) == [["7.1-3", "7.9", "8"]]


@given(st.text(max_size=300))
def test_t21_names_are_legal_and_keep_their_end(name: str) -> None:
    legal = sge_name(f"{name}-0123456789")
    assert legal.endswith("-0123456789")
    assert len(legal) <= 200
    assert legal.isascii()
    assert legal[0].isalpha()
    assert not set(legal) & set(" ,%|;/\\\"'\n\t*?[]:@<>&()")
    assert sge_name(legal) == legal


@pytest.mark.parametrize("name", ["NONE", "all", "1x", "", "template"])
def test_names_that_mean_something_else(name: str) -> None:
    assert sge_name(name) == f"j{name}"


USUAL = ("-notify", "-w", "e")


def test_t46_resources_become_options_and_native_ones_win() -> None:
    wanted = Resources(cpus=1.5, memory="4 GB", time="90s")
    assert qsub_options({}, wanted, 90.0, 10.0, "smp") == (
        *USUAL, "-l", "h_vmem=1908M,h_rt=115", "-pe", "smp", "2",
    )  # fmt: skip
    native = {"pe": "mpi 4-8", "l": ["h_rt=1:0:0,h_vmem=1G", "gpu=1"], "w": "n", "r": True}
    assert qsub_options(native, wanted, 90.0, 10.0, "smp") == (
        "-notify", "-pe", "mpi", "4-8", "-l", "h_rt=1:0:0,h_vmem=1G", "-l", "gpu=1", "-w", "n", "-r", "y",
    )  # fmt: skip
    assert qsub_options({"pe": "omp"}, wanted, None, 10.0, None)[-3:] == ("-pe", "omp", "2")
    assert qsub_options({"clear": True, "V": False, "notify": False, "w": "w"}, Resources(), None, 1.0, None) == (
        "-clear", "-w", "w",
    )  # fmt: skip


@pytest.mark.parametrize(
    "resources, words",
    [
        (Resources(cpus=2), 'pe="NAME"'),
        (Resources(gpus=1), 'l="gpu=1"'),
        (Resources(disk="1G"), "disk"),
    ],
)
def test_what_grid_engine_cannot_promise_is_an_error(resources: Resources, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        qsub_options({}, resources, None, 1.0, None)


def test_what_is_asked_for_in_the_site_s_words_can_be_promised() -> None:
    wanted = Resources(gpus=1, disk="1G")
    assert "gpu=1,scratch=1G" in qsub_options({"l": "gpu=1,scratch=1G"}, wanted, None, 1.0, None)


@pytest.mark.parametrize(
    "options, placed",
    [
        (("-w", "e"), ("-l", "hostname=!(a|b)", "-w", "e")),
        (("-clear", "-l", "gpu=1"), ("-clear", "-l", "hostname=!(a|b)", "-l", "gpu=1")),
        (("-l", "gpu=1,h=a"), ("-l", "gpu=1,h=a")),  # who names hosts has them
        (("-q", "all.q@a"), ("-q", "all.q@a")),
        (("-M", "me@site"), ("-l", "hostname=!(a|b)", "-M", "me@site")),
        (("-soft", "-l", "gpu=1"), ("-soft", "-l", "gpu=1")),  # it would be no more than a wish
    ],
)
def test_t49_bad_hosts_are_left_out(options: tuple[str, ...], placed: tuple[str, ...]) -> None:
    assert leave_out(options, ["a", "b"]) == placed
    assert leave_out(options, []) == options


def test_t49_all_that_is_asked_for_is_one_list() -> None:
    assert requests(("-l", "a=1,b=2", "-w", "e", "-l", "c=3")) == "a=1,b=2,c=3"


def test_who_wants_to_hear_of_soft_limits() -> None:
    assert has_soft_limit({"l": "h_rt=3,s_rt=2"})
    assert has_soft_limit({"notify": True})
    assert not has_soft_limit({"l": "h_rt=3"})


@pytest.mark.parametrize(
    "options, words",
    [
        ({"hold_jib": "x"}, "did you mean hold_jid"),
        ({"o": "x"}, "job.stdout"),
        ({"t": "1-3"}, "arrays by themselves"),
        ({"N": "x"}, "jobname_prefix"),
        ({"tc": 3}, "forks"),
        ({"wd": "/x"}, "use cwd"),
        ({"l": "a\nb"}, "one line"),
        ({"l": {"a": 1}}, "give a text"),
    ],
)
def test_options_that_cannot_be_given(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        SgeScheduler("run", **options)


def test_a_scheduler_is_made_again_of_its_recorded_options() -> None:
    options: dict[str, Any] = {
        "q": "all.q",
        "l": ["a=1", "b=2"],
        "P": "x",
        "p": -5,
        "qsub": "/opt/qsub",
    }
    first = SgeScheduler("run", forks=7, **options)
    again = SgeScheduler("run", **first.options())
    assert again.options() == first.options()
    assert again.tools["qsub"] == "/opt/qsub"
    assert again.directives == {name: value for name, value in options.items() if name != "qsub"}


# --- the distribution's wrappers

WRAPPER = """#!/bin/sh
set -e
PROG=`basename $0`
[ -n "${SGE_ROOT}" ] || SGE_ROOT="/var/lib/%s"
SGE_CELL=default
SGE_ARCH=lx-amd64
export SGE_ROOT SGE_CELL SGE_ARCH

exec %s/${PROG} "$@"
"""


async def test_the_program_behind_a_wrapper_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SGE_ROOT", raising=False)
    real, front = tmp_path / "real", tmp_path / "bin"
    for folder in (real, front):
        folder.mkdir()
    for name in ("qsub", "qstat"):
        (real / name).write_bytes(b"\x7fELF")
        (real / name).chmod(0o755)
        (front / name).write_text(WRAPPER % ("the cell", real))
        (front / name).chmod(0o755)
    (front / "qdel").write_text("#!/bin/sh\nexec something else\n")
    (front / "qdel").chmod(0o755)
    monkeypatch.setenv("PATH", f"{front}:{os.environ['PATH']}")
    tools = {name: name for name in ("qsub", "qstat", "qdel", "no_such_tool")}
    box = Toolbox(tools, 20)
    found = await find_tools(tools, box.run)
    assert found.programs == {
        "qsub": f"{real}/qsub", "qstat": f"{real}/qstat", "qdel": "qdel", "no_such_tool": "no_such_tool",
    }  # fmt: skip
    assert found.environment == {
        "SGE_ROOT": "/var/lib/the cell", "SGE_CELL": "default", "SGE_ARCH": "lx-amd64",
    }  # fmt: skip
    assert sum(box.calls.values()) == 1
