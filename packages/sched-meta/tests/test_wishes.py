from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sched_core import JobStatus, OptionError, Resources, read_run
from sched_core.runfolder import JobRecord
from sched_local import LocalScheduler
from sched_meta.driving.wishes import check_retry, parse_wishes
from sched_meta.reading.wishes import attempt_words, resources_of, wishes_words

from .program import WAIT_FOR_GO, Sched, wait_until

GIB = 2**30
SLOW_AT_FIRST = '[ "$SCHED_ATTEMPT" != 1 ] || sleep 1000'


class TestWhatIsTyped:
    def test_one_value_of_each(self) -> None:
        assert parse_wishes("2", "4G", "90m", "1") == Resources(2, 4 * GIB, 5400, 1)

    def test_values_for_one_attempt_after_the_other(self) -> None:
        wanted = parse_wishes(memory="4G,8G,16G", time="1h,4h")
        assert wanted.amounts("memory") == (4 * GIB, 8 * GIB, 16 * GIB)
        assert wanted.amounts("time") == (3600, 14400)

    def test_nothing(self) -> None:
        assert parse_wishes() == Resources()

    @pytest.mark.parametrize(
        "typed, problem",
        [
            ({"memory": "4"}, "memory '4' has no unit; write for example '4 GiB', '500 MB'"),
            ({"memory": "8G,4G"}, "memory: 4 GiB comes after 8 GiB, and is not more; give values"),
            ({"memory": "4G,4G"}, "memory: 4 GiB comes after 4 GiB, and is not more"),
            ({"memory": "4G,"}, "memory '' is no amount"),
            ({"time": "1h,90"}, "time: 1m30s comes after 1h, and is not more"),
            ({"time": ",1h"}, "time '' is empty"),
            ({"cpus": "none"}, "cpus 'none' must be a number above 0"),
            ({"gpus": "1.5"}, "gpus '1.5' must be a whole number, 0 or more"),
        ],
    )
    def test_what_is_wrong_is_said(self, typed: dict[str, str], problem: str) -> None:
        with pytest.raises(OptionError) as raised:
            parse_wishes(**typed)
        assert problem in str(raised.value)


class TestWhatIsToBeRunAgain:
    def test_what_cannot_be_promised_is_refused_with_the_job(self, tmp_path: Path) -> None:
        scheduler = LocalScheduler(tmp_path, gpus=2)
        jobs = [JobRecord(index, ["x"]) for index in (3, 4)]
        check_retry(scheduler, jobs, Resources(gpus=2))
        with pytest.raises(OptionError, match=r"gpus=3; this machine has 2.*\(job 3\)"):
            check_retry(scheduler, jobs, Resources(gpus=3))


class TestWords:
    @pytest.mark.parametrize(
        "raised, words",
        [
            (None, "memory 4 GiB, first of 4, 8, 16 GiB"),
            ({"memory": 8 * GIB}, "memory 8 GiB, second of 4, 8, 16 GiB"),
            ({"memory": 12 * GIB}, "memory 12 GiB"),
        ],
    )
    def test_which_of_several_values_it_is(self, raised: Any, words: str) -> None:
        wanted = Resources(memory=["4G", "8G", "16G"], cpus=2)
        assert wishes_words(wanted, raised) == ["cpus 2", words]

    def test_units_are_said_once(self) -> None:
        wanted = Resources(memory=["512M", "1G", "2G"], time=["1h", "4h"])
        assert wishes_words(wanted, None) == [
            "memory 512 MiB, first of 512 MiB, 1, 2 GiB",
            "time 1h, first of 1h, 4h",
        ]

    def test_a_jobs_own_wishes_come_before_the_runs(self) -> None:
        options = {"resources": {"memory": [GIB, 2 * GIB], "cpus": 4}}
        assert resources_of(options, {"memory": 8 * GIB}) == Resources(cpus=4, memory=8 * GIB)
        assert resources_of({}, None) == Resources()
        assert resources_of({"resources": {"unknown": 1}}, None) == Resources()

    def test_an_attempt(self) -> None:
        assert attempt_words(1, None) == ""
        assert attempt_words(2, None) == " (attempt 2)"
        assert attempt_words(3, {"memory": 16 * GIB}) == " (attempt 3, memory raised to 16 GiB)"


def record(sched: Sched, index: int = 0) -> JobRecord:
    return read_run(sched.folder / "r").jobs[index]


def has_begun(sched: Sched) -> bool:
    return (sched.folder / "r" / ".sched" / "run.json").exists() and bool(
        read_run(sched.folder / "r").jobs
    )


class TestTheProgram:
    def test_more_time_after_a_timeout(self, sched: Sched) -> None:
        command = ("--", "sh", "-c", SLOW_AT_FIRST)
        done = sched("run", "-w", "r", "--on-error", "halt", "--time", "0.3,60", *command)
        assert "1 finished" in done.stderr
        assert record(sched).raised == {"time": 60.0}
        told = sched("explain", "r", "0").stdout
        assert "wants:    time 1m, second of 0.3s, 1m\n" in told
        assert "attempt 1: FAILED TIMEOUT" in told

    def test_the_last_value_fails_like_any_other(self, sched: Sched) -> None:
        command = ("--", "sleep", "1000")
        done = sched("run", "-w", "r", "--time", "0.2,0.4", *command, code=1)
        said = "job 0 failed: TIMEOUT rc 143 (attempt 2, time raised to 0.4s)"
        assert said in done.stderr

    def test_a_rows_own_value_wins(self, sched: Sched) -> None:
        rows = [
            {"cmd": ["true"], "resources": {"time": ["2m", "3m"]}},
            {"cmd": ["true"]},
        ]
        (sched.folder / "list").write_text("\n".join(map(json.dumps, rows)))
        sched("run", "-w", "r", "--time", "5m", "--cpus", "1", "--from", "list")
        assert "wants:    cpus 1; time 2m, first of 2m, 3m\n" in sched("explain", "r", "0").stdout
        assert "wants:    cpus 1; time 5m\n" in sched("explain", "r", "1").stdout

    def test_a_retry_with_other_resources(self, sched: Sched) -> None:
        command = ("--", "sh", "-c", SLOW_AT_FIRST)
        sched("run", "-w", "r", "--time", "0.3", *command, code=1)
        sched("retry", "r", "--time", "1m", "--cpus", "1")
        again = record(sched)
        assert (again.status, again.attempt) == (JobStatus.FINISHED, 2)
        assert again.resources == {"cpus": 1, "time": 60}

    def test_a_resumed_run_with_other_resources(self, sched: Sched) -> None:
        sched("run", "-w", "r", "--memory", "1M", "--time", "5m", "--", "true")
        sched("resume", "r", "--memory", "2M")
        resources = read_run(sched.folder / "r").run.options["resources"]
        assert resources == {"memory": 2 * 2**20, "time": 300}

    def test_a_driver_is_asked_for_more(self, sched: Sched) -> None:
        rows = [
            {"cmd": ["sh", "-c", SLOW_AT_FIRST], "timeout": 0.3},
            {"cmd": ["sh", "-c", WAIT_FOR_GO, "waits"]},
        ]
        (sched.folder / "list").write_text("\n".join(map(json.dumps, rows)))
        driver = sched.start("run", "-w", "r", "-j", "2", "--from", "list")
        wait_until(lambda: has_begun(sched) and record(sched).status is JobStatus.FAILED)
        done = sched("retry", "r", "--time", "1m")
        assert "the run's driver takes up 1 job again" in done.stderr
        wait_until(lambda: record(sched).status is JobStatus.FINISHED)
        assert (record(sched).resources, record(sched).timeout) == ({"time": 60}, None)
        wait_until((sched.folder / "started").exists)
        (sched.folder / "go").touch()
        code, _ = driver.finish()
        assert code == 0

    @pytest.mark.parametrize("verb", ["run", "retry", "resume"])
    def test_help_names_them(self, sched: Sched, verb: str) -> None:
        told = sched(verb, "--help").stdout
        for flag in ("--cpus N", "--memory M[,M2..]", "--time T[,T2..]", "--gpus N"):
            assert flag in told

    @pytest.mark.parametrize(
        "args, problem",
        [
            ("--memory 4 -- true", "memory '4' has no unit; write for example '4 GiB', '500 MB'"),
            ("--memory 4G,2G -- true", "memory: 2 GiB comes after 4 GiB, and is not more"),
            ("--time 2h,1h -- true", "time: 1h comes after 2h, and is not more"),
            ("--cpus 0 -- true", "cpus '0' must be a number above 0"),
            ("--gpus -1 -- true", "gpus '-1' must be a whole number, 0 or more"),
            ("--memory 1M,900T -- true", "a job asks for memory=900 TiB; this machine has"),
            (
                "-o gpus= --gpus 1 -- true",
                "gpus '': give how many graphics cards there are, or the name of each one once",
            ),
            ("-o gpus=0,0 -- true", "gpus '0,0': give how many graphics cards there are"),
            ("--gpus 3 -o gpus=2 -- true", "a job asks for gpus=3; this machine has 2: name"),
            (
                "--memory 1M -o resources={} -- true",
                "-o resources: use --cpus, --memory, --time and --gpus, and only that",
            ),
        ],
    )
    def test_bad_input(self, sched: Sched, args: str, problem: str) -> None:
        done = sched("run", "-w", "r", *args.split(), code=2)
        assert problem in done.stderr
        assert done.stderr.count("\n") == 1
        assert not (sched.folder / "r").exists()

    def test_a_machine_without_cards_says_how_to_name_them(
        self, sched: Sched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        done = sched("run", "--gpus", "1", "--", "true", code=2)
        assert "gpus=1; this machine has 0: name the cards that it has by the option gpus" in (
            done.stderr
        )
        assert "(-o gpus=0,1)" in done.stderr

    def test_a_retry_that_cannot_be_promised_changes_nothing(self, sched: Sched) -> None:
        sched("run", "-w", "r", "--", "false", code=1)
        before = sorted((sched.folder / "r" / ".sched" / "journal").iterdir())
        done = sched("retry", "r", "--memory", "900T", code=2)
        assert "a job asks for memory=900 TiB; this machine has" in done.stderr
        assert "(job 0)" in done.stderr
        assert sorted((sched.folder / "r" / ".sched" / "journal").iterdir()) == before


ONE_AT_A_TIME = """
for card in ${CUDA_VISIBLE_DEVICES//,/ }; do mkdir "card.$card" || exit 9; done
: >"begun.$1"; until [ "$(echo begun.* | wc -w)" -ge "$2" ]; do sleep 0.02; done
echo "$CUDA_VISIBLE_DEVICES"
for card in ${CUDA_VISIBLE_DEVICES//,/ }; do rmdir "card.$card"; done
"""
"""Fails where another job that runs now has one of its cards; waits until $2 jobs have begun."""


class TestCards:
    def test_no_two_jobs_share_one(self, sched: Sched) -> None:
        command = ("bash", "-c", ONE_AT_A_TIME, "bash", "{}", "2")
        values = [str(number) for number in range(12)]
        done = sched(
            "run", "-j", "8", "--gpus", "2", "-o", "gpus=a,b,c,d", "--cat", "--", *command,
            ":::", *values,
        )  # fmt: skip
        assert set(done.stdout.split()) == {"a,b", "c,d"}

    def test_one_that_asks_for_none_sees_none(self, sched: Sched) -> None:
        rows = [
            {"cmd": ["sh", "-c", "echo $CUDA_VISIBLE_DEVICES."], "resources": {"gpus": number}}
            for number in (0, 1)
        ]
        (sched.folder / "list").write_text("\n".join(map(json.dumps, rows)))
        done = sched("run", "-j", "1", "-o", "gpus=2", "--cat", "--from", "list")
        assert done.stdout.split() == [".", "0."]

    def test_cards_are_recorded_with_the_run(self, sched: Sched) -> None:
        sched("run", "-w", "r", "-o", "gpus=2", "--gpus", "1", "--", "false", code=1)
        assert read_run(sched.folder / "r").run.options["gpus"] == ["0", "1"]
        sched("retry", "r", "--gpus", "2", code=1)
        assert record(sched).resources == {"gpus": 2}
        assert "gpus 2" in sched("explain", "r", "0").stdout
