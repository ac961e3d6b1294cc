"""Command lines and answers of Slurm's tools; the answers were recorded from 22.05."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core import EngineState, Failure, OptionError, Resources
from sched_hpc import SlurmScheduler
from sched_hpc.cluster.directives import expand
from sched_hpc.cluster.ranges import join_ranges, split_ranges
from sched_hpc.cluster.tool import Answer
from sched_hpc.slurm.commands import SEPARATOR, cancel_ids, sbatch, squeue
from sched_hpc.slurm.directives import leave_out, sbatch_options
from sched_hpc.slurm.doctor import check_slurm
from sched_hpc.slurm.errors import is_misconfigured, judge_submission, said
from sched_hpc.slurm.names import slurm_name
from sched_hpc.slurm.parsers import parse_config, parse_sacct, parse_sbatch, parse_squeue
from sched_hpc.slurm.states import failure_of, state_of
from sched_hpc.slurm.words import explain_row, is_held


@pytest.mark.parametrize(
    "text, id_, cluster",
    [
        ("123\n", "123", None),
        ("123;east\n", "123", "east"),
        ("Submitted batch job 123\n", "123", None),
        ("Submitted batch job 123 on cluster east\n", "123", "east"),
        ("*** Welcome! 42 jobs run ***\n\n7;a.b-c\nHave a nice day\n", "7", "a.b-c"),
        ("sbatch: routed to 3 nodes\n123\n", "123", None),
    ],
)
def test_t16_the_id_is_found_in_what_sbatch_prints(
    text: str, id_: str, cluster: str | None
) -> None:
    found = parse_sbatch(text)
    assert (found.id, found.cluster) == (id_, cluster)


@pytest.mark.parametrize("text", ["", "\n", "no id", "job 12x", "\ufffd\ufffd"])
def test_t16_no_id_is_an_error_that_shows_what_was_printed(text: str) -> None:
    with pytest.raises(ValueError, match="no job id"):
        parse_sbatch(text)


STATES = """
BOOT_FAIL BF|CANCELLED CA|COMPLETED CD|CONFIGURING CF|COMPLETING CG|DEADLINE DL|FAILED F|NODE_FAIL NF
OUT_OF_MEMORY OOM|PENDING PD|PREEMPTED PR|RUNNING R|RESV_DEL_HOLD RD|REQUEUE_FED RF|REQUEUE_HOLD RH
REQUEUED RQ|RESIZING RS|REVOKED RV|SIGNALING SI|SPECIAL_EXIT SE|STAGE_OUT SO|STOPPED ST|SUSPENDED S
TIMEOUT TO|LAUNCH_FAILED LF|POWER_UP_NODE PO|RECONFIG_FAIL RC|EXPEDITING EQ
"""


@pytest.mark.parametrize("pair", STATES.replace("\n", "|").strip("|").split("|"))
def test_t12_every_state_is_known_in_its_long_and_its_short_form(pair: str) -> None:
    long, short = pair.split()
    assert state_of(long) is state_of(short)
    assert state_of(long).known


@pytest.mark.parametrize(
    "text, state, failure",
    [
        ("CANCELLED by 1000", EngineState.FAILED, Failure.CANCELLED),
        ("CANCELLED+", EngineState.FAILED, Failure.CANCELLED),
        ("TIMEOUT", EngineState.FAILED, Failure.TIMEOUT),
        ("OUT_OF_ME+", EngineState.FAILED, Failure.OUT_OF_MEMORY),
        ("TELEPOR+", EngineState.WAITING, None),
        ("NODE_FAIL", EngineState.FAILED, Failure.NODE_FAIL),
        ("PREEMPTED", EngineState.FAILED, Failure.PREEMPTED),
        ("completed", EngineState.SUCCEEDED, None),
        ("TELEPORTED", EngineState.WAITING, None),
        ("", EngineState.WAITING, None),
    ],
)
def test_t12_what_states_mean(text: str, state: EngineState, failure: Failure | None) -> None:
    assert (state_of(text).state, state_of(text).failure) == (state, failure)


def test_t12_an_unknown_state_keeps_the_job() -> None:
    assert not state_of("TELEPORTED").known


def squeue_line(*values: str) -> str:
    return "".join(value + SEPARATOR for value in values) + "\n"


WAITS = squeue_line(
    "11_[1-3,7,9%2]", "PENDING", "0", "0", "N/A", "N/A", "", "JobArrayTaskLimit", "slurm-ab-01", "slurm-ab-01"
)  # fmt: skip
RUNS = squeue_line(
    "11_0", "RUNNING", "1", "0", "1795354592", "1795355192", "n1", "None", "slurm-ab-01", "a|b, c"
)  # fmt: skip
FAILED = squeue_line(
    "13", "FAILED", "0", "1792", "1795354622", "1795354622", "n1", "NonZeroExitCode", "wrap", "(null)"
)  # fmt: skip


def test_t17_t51_what_squeue_tells() -> None:
    waits, runs, failed = parse_squeue(
        "CLUSTER: east\n" + WAITS + "a banner | of the site\n" + RUNS + FAILED
    )
    assert (waits.id, waits.tasks, waits.limit) == ("11", (1, 2, 3, 7, 9), 2)
    assert (waits.reason, waits.started, waits.cluster) == ("JobArrayTaskLimit", None, "east")
    assert (runs.tasks, runs.state, runs.restarts, runs.nodes) == ((0,), "RUNNING", 1, "n1")
    assert (runs.started, runs.comment, runs.reason) == (1795354592.0, "a|b, c", "")
    assert (failed.id, failed.tasks, failed.code, failed.signal) == ("13", None, 7, 0)


def test_t51_what_squeue_tells_of_several_clusters() -> None:
    headings = "ARRAY_JOB_ID" + SEPARATOR + "STATE" + SEPARATOR + "\n"
    text = f"CLUSTER: east\n{headings}{RUNS}\nCLUSTER: west\n{headings}{RUNS}{FAILED}"
    rows = list(parse_squeue(text))
    assert [(row.id, row.cluster) for row in rows] == [
        ("11", "east"), ("11", "west"), ("13", "west"),
    ]  # fmt: skip
    assert explain_row("11_0", rows[1]).startswith("Slurm job 11_0 on cluster west: RUNNING")


@pytest.mark.parametrize(
    "noise",
    [
        "*** maintenance on monday ***",
        "a|b|c\t\x1f",
        "\ufffd\ufffd\ufffd",
        SEPARATOR * 30,
        "x" * 10_000,
        "11_[" + SEPARATOR * 10,
        "\r",
    ],
)
def test_what_is_no_job_is_passed_over(noise: str) -> None:
    assert [row.id for row in parse_squeue(f"{noise}\n{FAILED}{noise}")] == ["13"]
    assert [row.id for row in parse_sacct(f"{noise}\n13|FAILED|7:0|1|2|n1||w\n{noise}")] == ["13"]


@given(st.text(), st.text())
def test_whatever_is_printed_is_read_or_passed_over(before: str, after: str) -> None:
    assert "13" in [row.id for row in parse_squeue(f"{before}\n{FAILED}{after}")]
    assert "13" in [row.id for row in parse_sacct(f"{before}\n13|FAILED|7:0|1|2|n1||w\n{after}")]


@pytest.mark.parametrize(
    "reason, held",
    [
        ("JobHeldUser", True),
        ("JobArrayTaskLimit,JobHeldUser", True),
        ("launch_failed_requeued_held", True),
        ("launch failed requeued held", True),
        ("Priority", False),
        ("", False),
    ],
)
def test_what_is_held_waits_for_somebody(reason: str, held: bool) -> None:
    assert is_held(reason) is held


@pytest.mark.parametrize(
    "stderr, wrongly",
    [
        ("scontrol: fatal: Could not establish a configuration source", True),
        ("squeue: error: ClusterName needs to be specified\nsqueue: fatal: Unable to process configuration file", True),
        ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", False),
    ],
)  # fmt: skip
def test_a_slurm_that_is_set_up_wrongly_is_not_waited_for(stderr: str, wrongly: bool) -> None:
    assert is_misconfigured(stderr) is wrongly
    assert judge_submission(stderr) == "unavailable"


def test_what_sacct_tells() -> None:
    text = (
        "11_0|RUNNING|0:0|n1|1795354592|Unknown||x\n"
        "13|FAILED|7:0|1795354622|1795354622|n1||wrap\n"
        "14_2|FAILED|0:9|1795354622|1795354622|n1||a|b\n"
        "15|CANCELLED by 0|0:0|None|1795354629|None assigned||trapped\n"
        "sacct: a banner\n"
    )
    _, failed, killed, cancelled = parse_sacct(text)
    assert (failed.id, failed.code, failed.started) == ("13", 7, 1795354622.0)
    assert (killed.tasks, killed.signal, killed.name) == ((2,), 9, "a|b")
    assert (cancelled.state, cancelled.started, cancelled.nodes) == ("CANCELLED by 0", None, "")


STEPS = """\
2|COMPLETED|0:0|1796000584|1796000584|n1||wrap
2.batch|COMPLETED|0:0|1796000584|1796000584|n1||batch
1_0|COMPLETED|0:0|1796000584|1796000587|n1||job.sh
1_0.batch|COMPLETED|0:0|1796000584|1796000587|n1|79872000|batch
1_0.extern|COMPLETED|0:0|1796000584|1796000587|n1|99999999|extern
1_1|COMPLETED|0:0|1796000584|1796000587|n1||job.sh
1_1.batch|COMPLETED|0:0|1796000584|1796000587|n1|77996K|batch
1_1.0|COMPLETED|0:0|1796000584|1796000587|n1|1.5G|srun
1_1.1|COMPLETED|0:0|1796000584|1796000587|n1|12M|srun
4_1.batch|COMPLETED|0:0|1796000584|1796000587|n1|1G|batch
3|RUNNING|0:0|1796000584|Unknown|n1||wrap
3.batch|RUNNING|0:0|1796000584|Unknown|n1|0|batch
"""


def test_the_largest_step_of_a_job_tells_its_memory() -> None:
    told = {(row.id, row.tasks): row.max_rss for row in parse_sacct(STEPS)}
    assert told == {
        ("2", None): None,
        ("1", (0,)): 79872000,
        ("1", (1,)): 3 << 29,
        ("3", None): None,
    }


CONFIG = """Configuration data as of 2026-11-22T13:36:02
AccountingStorageType   = accounting_storage/slurmdbd
BOOT_TIME               = 1795354562
JobRequeue              = 1
KillWait                = 2 sec
MaxArraySize            = 10001
MinJobAge               = 300 sec
SLURM_VERSION           = 22.05.8

Slurmctld(primary) at vm is UP
"""


def test_how_slurm_is_set_up() -> None:
    config = parse_config(CONFIG)
    assert (config.version, config.booted, config.max_array_size) == (
        "22.05.8",
        "1795354562",
        10001,
    )
    assert (config.accounting, config.min_job_age, config.kill_wait) == (True, 300, 2)
    assert not parse_config(CONFIG.replace("slurmdbd", "none")).accounting
    assert config.samples_usage  # it is not told
    gathers = CONFIG + "JobAcctGatherType       = jobacct_gather/"
    assert parse_config(f"{gathers}cgroup\n").samples_usage
    assert not parse_config(f"{gathers}none\n").samples_usage


@pytest.mark.parametrize(
    "settings, limited",
    [
        ("", True),  # as it is usually set up; older ones do not tell
        ("TaskPlugin = task/affinity,task/cgroup\nConstrainRAMSpace = yes\n", True),
        ("TaskPlugin = task/cgroup\nConstrainRAMSpace = no\n", False),
        ("TaskPlugin = task/none\n", False),
        ("TaskPlugin = task/none\nJobAcctGatherParams = OverMemoryKill\n", True),
    ],
)
def test_whether_jobs_are_held_to_their_memory(settings: str, limited: bool) -> None:
    bare = "".join(
        line
        for line in CONFIG.splitlines(keepends=True)
        if not line.startswith(("TaskPlugin ", "JobAcctGatherParams", "ConstrainRAMSpace"))
    )
    assert parse_config(bare + settings).limits_memory is limited


def test_an_answer_that_is_no_configuration_is_an_error() -> None:
    with pytest.raises(ValueError, match="set up"):
        parse_config("command not allowed here")


@pytest.mark.parametrize(
    "stderr, verdict",
    [
        ("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", "unknown"),
        ("sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received", "unknown"),
        ("sbatch: error: slurm_msg_sendto: address:port=127.0.0.1:51027 msg_type=4003: Unexpected missing socket error\nsbatch: error: Batch job submission failed: Unexpected missing socket error", "unavailable"),
        ("sbatch: error: Batch job submission failed: Unexpected missing socket error", "unknown"),
        ("sbatch: error: slurm_msg_sendto: Unexpected missing socket error\nsbatch: error: Zero Bytes were transmitted or received", "unknown"),
        ("sbatch: error: Batch job submission failed: Message send failure", "unknown"),
        ("sbatch: error: Batch job submission failed: Communication shutdown failure", "unknown"),
        ("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", "unavailable"),
        ("sbatch: error: Munge encode failed: Failed to access \"/run/munge\"", "unavailable"),
        ("sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", "unavailable"),
        ("sbatch: error: AssocMaxSubmitJobLimit", "unavailable"),
        ("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", "unavailable"),
        ("sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified", "rejected"),
        ("sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified", "rejected"),
        ("sbatch: error: Memory specification can not be satisfied", "rejected"),
        ("sbatch: unrecognized option '--bogus-flag'", "rejected"),
    ],
)  # fmt: skip
def test_t18_who_has_to_act_on_a_failed_submission(stderr: str, verdict: str) -> None:
    assert judge_submission(stderr) == verdict


def test_the_words_are_slurms_own() -> None:
    stderr = (
        "sbatch: error: invalid partition specified: nope\n"
        "sbatch: error: Batch job submission failed: Invalid partition name specified\n"
    )
    assert said(stderr) == "invalid partition specified: nope; Invalid partition name specified"


def test_a_submission_of_one_and_of_many() -> None:
    one = sbatch("sbatch", "name", "/here", ["--mem=4G"])
    assert one[-1] == "--mem=4G"
    assert not any(word.startswith("--array") for word in one)
    assert "--array=0-9%3" in sbatch("sbatch", "name", "/here", [], 10, 3)
    assert "--array=0-9" in sbatch("sbatch", "name", "/here", [], 10, 10)
    assert "--clusters=a,b" in sbatch("sbatch", "name", "/here", [], clusters="a,b")


def test_a_question_about_what_has_ended_is_the_wider_one() -> None:
    assert "--states=all" in squeue("squeue", 1, None, ended=True)
    assert "--states=all" not in squeue("squeue", 1, None, ended=False)


def test_t20_a_hundred_ids_a_call_at_most() -> None:
    calls = cancel_ids({str(n): None for n in range(250)})
    assert [len(words) for words in calls] == [100, 100, 50]
    assert cancel_ids({"7": [3, 1, 2, 9]}) == [["7_[1-3,9]"]]


@given(st.sets(st.integers(0, 5000)))
def test_t17_ranges_are_read_as_they_are_written(indexes: set[int]) -> None:
    if indexes:
        assert split_ranges(join_ranges(indexes)) == sorted(indexes)


def test_t17_ranges_with_a_step() -> None:
    assert split_ranges("1-7:2,9") == [1, 3, 5, 7, 9]
    with pytest.raises(ValueError, match="ranges"):
        split_ranges("1-...")


@given(st.text(max_size=300))
def test_t21_names_hold_nothing_that_would_split_them(name: str) -> None:
    legal = slurm_name(f"{name}-0123456789")
    assert legal.endswith("-0123456789")
    assert len(legal) <= 200
    assert not set(legal) & set(" ,%|;/\\\"'\n\t*?[]")


def test_t46_resources_become_options_and_native_ones_win() -> None:
    wanted = Resources(cpus=1.5, memory="4 GB", time="90s", gpus=2, disk="1G")
    assert sbatch_options({}, wanted, 90.0, 10.0) == (
        *("--cpus-per-task=2", "--mem=3815M", "--time=2", "--gpus=2", "--tmp=1024M"),
    )
    native = {"mem_per_cpu": "1G", "time": "1:00:00", "gres": "gpu:a100:1", "partition": "main"}
    assert sbatch_options(native, wanted, 90.0, 10.0) == (
        *("--cpus-per-task=2", "--tmp=1024M", "--mem-per-cpu=1G", "--time=1:00:00"),
        *("--gres=gpu:a100:1", "--partition=main"),
    )


@pytest.mark.parametrize(
    "native, words",
    [
        ({}, ("--mem=3815M",)),
        ({"mem": "3G"}, ("--mem=3G",)),
        ({"mem": 0}, ("--mem=0",)),  # all of the node's
        ({"mem": None}, ()),  # a site that takes no word of it
        ({"mem_per_cpu": "1G"}, ("--mem-per-cpu=1G",)),
        ({"mem_per_gpu": "8G"}, ("--mem-per-gpu=8G",)),
    ],
)
def test_t46_memory_is_asked_for_as_the_site_wants_it(
    native: dict[str, Any], words: tuple[str, ...]
) -> None:
    scheduler = SlurmScheduler("run", **native)
    wanted = Resources(memory="4 GB")
    assert sbatch_options(scheduler.directives, wanted, None, 10.0) == words
    again = SlurmScheduler("run", **scheduler.options())
    assert sbatch_options(again.directives, wanted, None, 10.0) == words


@pytest.mark.parametrize(
    "options, placed",
    [
        (("--mem=1M",), ("--mem=1M", "--exclude=n1,n7")),
        (("--exclude=n3", "--mem=1M"), ("--mem=1M", "--exclude=n3,n1,n7")),
        (("--nodelist=n1",), ("--nodelist=n1",)),  # who names nodes has them
    ],
)
def test_t49_bad_nodes_are_left_out(options: tuple[str, ...], placed: tuple[str, ...]) -> None:
    assert leave_out(options, ["n1", "n7"]) == placed
    assert leave_out(options, []) == options


def test_flags_lists_and_what_is_left_out() -> None:
    options = {
        "exclusive": True,
        "hold": False,
        "qos": None,
        "mail_type": ["END", "FAIL"],
        "nice": 5,
    }
    assert list(expand(options)) == [
        ("exclusive", None), ("mail_type", "END"), ("mail_type", "FAIL"), ("nice", "5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "options, words",
    [
        ({"partitoin": "x"}, "did you mean partition"),
        ({"output": "x"}, "job.stdout"),
        ({"array": "1-3"}, "arrays by themselves"),
        ({"job_name": "x"}, "jobname_prefix"),
        ({"p": "a", "partition": "b"}, "twice"),
        ({"comment": "a\nb"}, "one line"),
        ({"mem": {"a": 1}}, "give a text"),
    ],
)
def test_options_that_cannot_be_given(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        SlurmScheduler("run", **options)


def test_short_and_dashed_names_are_the_long_ones() -> None:
    options: dict[str, Any] = {"p": "main", "mem-per-cpu": "1G"}
    scheduler = SlurmScheduler("run", **options)
    assert scheduler.directives == {"partition": "main", "mem_per_cpu": "1G"}
    assert scheduler.options()["partition"] == "main"


def test_a_scheduler_is_made_again_of_its_recorded_options() -> None:
    first = SlurmScheduler("run", mem="4G", sbatch="/opt/bin/sbatch", clusters=["a", "b"], forks=7)
    again = SlurmScheduler("run", **first.options())
    assert again.options() == first.options()
    assert again.tools["sbatch"] == "/opt/bin/sbatch"


@pytest.mark.parametrize(
    "storage, gather, verdict, words",
    [
        ("slurmdbd", "linux", True, "on"),
        ("slurmdbd", "none", None, "JobAcctGatherType"),
        ("none", "linux", None, "off"),
    ],
)
async def test_the_doctor_tells_what_the_accounting_is_good_for(
    storage: str, gather: str, verdict: bool | None, words: str
) -> None:
    settings = (
        f"AccountingStorageType = accounting_storage/{storage}\n"
        f"JobAcctGatherType = jobacct_gather/{gather}\nSLURM_VERSION = 22.05.8\n"
    )

    async def ask(argv: Sequence[str]) -> Answer:
        return Answer(argv, 0, settings, "")

    findings = await check_slurm({"scontrol": "sh"}, ask, None)
    (found,) = [finding for finding in findings if finding[0] == "accounting"]
    assert found[1] is verdict
    assert words in found[2]


@pytest.mark.parametrize(
    "state, code, signum, reason, failure",
    [
        ("FAILED", 3, 0, "NonZeroExitCode", Failure.EXIT),
        ("FAILED", 0, 9, "RaisedSignal:9", Failure.EXIT),
        ("FAILED", 0, 53, "JobLaunchFailure", Failure.SETUP),
        ("FAILED", 0, 9, "JobLaunchFailure", Failure.NODE_FAIL),
        ("FAILED", 122, 0, "NonZeroExitCode", Failure.SETUP),
        ("OUT_OF_MEMORY", 0, 9, "OutOfMemory", Failure.OUT_OF_MEMORY),
        ("RUNNING", 0, 0, "None", None),
    ],
)
def test_class_of_a_failure(
    state: str, code: int, signum: int, reason: str, failure: Failure | None
) -> None:
    assert failure_of(state, code, signum, reason) is failure
