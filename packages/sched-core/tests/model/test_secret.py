from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from sched_core import CommandError, Job, OptionError, Secret, SpecPath
from sched_core.model.command import check_command, check_environment, check_name, job_key
from sched_core.model.secret import Redactor, refuse_secrets

VALUE = "hunter2"


def test_nothing_but_reveal_shows_the_value() -> None:
    secret = Secret(VALUE)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>9}", f"{secret!a}"]
    assert not [text for text in shown if VALUE in text]
    assert str(secret) == "***"
    assert secret.reveal() == VALUE
    assert secret.is_known


def test_equality_is_that_of_the_values() -> None:
    assert Secret(VALUE) == Secret(VALUE.encode())
    assert Secret(VALUE) != Secret("other")
    assert Secret(VALUE) != VALUE
    assert hash(Secret(VALUE)) == hash(Secret("other"))


def test_it_stays_in_its_process() -> None:
    secret = Secret(VALUE)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)
    assert copy.deepcopy([secret])[0] is secret


def test_one_that_is_not_known_here() -> None:
    with pytest.raises(OptionError, match="does not know"):
        Secret.withheld().reveal()


@pytest.mark.parametrize("value", ["a\0b", "\ud800", 3, None, Secret("x")])
def test_what_no_variable_can_hold_is_refused_unseen(value: Any) -> None:
    with pytest.raises(CommandError) as raised:
        Secret(value)
    assert "a\0b" not in str(raised.value)


def test_jobs_have_them_among_their_variables() -> None:
    job = Job(0, ["true"], SpecPath("/run"), envs={"A": 1, "T": Secret(VALUE)})
    assert job.envs == {"A": "1", "T": Secret(VALUE)}
    assert VALUE not in repr(job.envs)


@pytest.mark.parametrize("name", ["LC_ALL", "LANG", "IFS", "PS4", "BASH_XTRACEFD"])
def test_a_variable_that_the_shell_tells_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="cannot hold a secret"):
        check_environment({name: Secret(VALUE)})


def test_elsewhere_they_are_refused() -> None:
    with pytest.raises(CommandError, match=r"cannot be an argument.*envs="):
        check_command(["curl", Secret(VALUE)])
    with pytest.raises(OptionError, match="a job's name cannot hold a secret"):
        check_name(Secret(VALUE))  # type: ignore[arg-type]  # what a user may do
    for value in (Secret(VALUE), ["a", Secret(VALUE)], {"a": {"b": Secret(VALUE)}}):
        with pytest.raises(OptionError, match="prescript cannot hold a secret"):
            refuse_secrets("prescript", value)
    refuse_secrets("volumes", ["a", Path("b"), b"c", {"d": 1}, None])


def test_a_job_is_the_same_one_with_another_value() -> None:
    envs: dict[str, str | Secret] = {"A": "1", "T": Secret(VALUE)}
    assert job_key(["a"], envs) == job_key(["a"], {"T": Secret("new"), "A": "1"})
    assert job_key(["a"], envs) == job_key(["a"], {"A": "1"}, ["T"])
    assert job_key(["a"], envs) != job_key(["a"], {"A": "1", "T": VALUE})


def test_values_and_their_lines_are_masked() -> None:
    said = "bad token hunter2 for second line, not hun"
    redactor = Redactor(["hunter2", "first line\nsecond line"])
    assert redactor.redact(said) == "bad token *** for ***, not hun"
    assert Redactor(["a", "", "   b"]).redact("a    b") == "a    b"
    assert Redactor().redact(said) == said


@pytest.mark.parametrize(
    "said, shown",
    [
        ("abcdefgh", "***"),  # one within the other
        ("xabcdefx", "x***x"),  # and beyond its end: nothing of either is left
        ("abcdabcd", "******"),
        ("cdef abcd", "*** ***"),
        ("bcdefg", "b***g"),
        ("", ""),
    ],
)
def test_of_values_that_overlap_nothing_is_left(said: str, shown: str) -> None:
    assert Redactor(["abcd", "abcdefgh", "cdef"]).redact(said) == shown


def test_many_values_cost_no_more_than_few(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = Redactor(f"{number:05}-token" for number in range(10_000))
    looked_at = []

    class Noting(dict[str, list[str]]):
        def get(self, key: str, default: Any = ()) -> Any:
            looked_at.extend(found := super().get(key, default))
            return found

    monkeypatch.setattr(redactor, "_by_start", Noting(redactor._by_start))
    assert redactor.redact("refused: 01234-token") == "refused: ***"
    assert len(looked_at) == 10


def test_values_are_added_while_other_threads_ask() -> None:
    redactor, asked, over = Redactor(), Event(), Event()

    def ask() -> None:
        while not over.is_set():
            redactor.redact("nothing of the kind")
            asked.set()

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        asked.wait()
        for number in range(50_000):
            redactor.add(f"{number:05}-token")
        over.set()
        asking.result()
