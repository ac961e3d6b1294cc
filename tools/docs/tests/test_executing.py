"""A page that is wrong is found to be wrong."""

from __future__ import annotations

from pathlib import Path

from ..executing import Step, complaints, execute, steps_of
from ..pages import Block
from ..shown import differences


def go(folder: Path, *blocks: tuple[str, str]) -> list[str]:
    steps = steps_of([Block("page.md", n, kind, text) for n, (kind, text) in enumerate(blocks)])
    return complaints(steps, execute(steps, folder))


def test_a_shell_lives_as_long_as_the_page(tmp_path: Path) -> None:
    session = "$ pwd | sed 's:.*/::'\nsub\n$ echo $word $HOME/x | grep -c /home/x\n1\n"
    assert go(tmp_path, ("sh", "mkdir sub\ncd sub\nword=a\n"), ("console", session)) == []


def test_what_fails_is_told(tmp_path: Path) -> None:
    found = go(tmp_path, ("sh", "false\ntrue\n"), ("python", "print(1 / 0)\n"), ("sh", "true\n"))
    assert [text.split("\n")[:2] for text in found] == [
        ["page.md:0", "ended with 1:"],
        ["page.md:1", "ended with 1:"],
    ]


def test_a_warning_is_an_error(tmp_path: Path) -> None:
    (found,) = go(tmp_path, ("python", "import warnings\nwarnings.warn('old')\n"))
    assert "UserWarning: old" in found


def test_other_output_than_shown_is_told(tmp_path: Path) -> None:
    (found,) = go(tmp_path, ("console", "$ echo a\nb\n$ echo c; false\nc\n"))
    assert found.split("\n") == ["page.md:0: echo a", "- b", "+ a", "of:", "a", ""]


def test_a_block_of_output_is_compared_with_the_block_before_it(tmp_path: Path) -> None:
    found = go(
        tmp_path, ("sh", "echo a\n"), ("output", "a\n"), ("sh", "echo b\n"), ("output", "c\n")
    )
    assert found == ["page.md:2\n- c\n+ b\nof:\nb\n"]


def test_a_shell_that_ends_early_is_told(tmp_path: Path) -> None:
    found = go(tmp_path, ("sh", "exit 0\n"), ("sh", "true\n"))
    assert found == ["page.md:0\nwas not reached", "page.md:1\nwas not reached"]


def test_a_page_that_hangs_is_ended(tmp_path: Path) -> None:
    steps = [Step("a", "true", None), Step("b", "sleep 1000", None)]
    found = complaints(steps, execute(steps, tmp_path, timeout=1))
    assert found[-1] == "b\nwas not reached"


def test_lines_go_on_behind_a_backslash() -> None:
    (step,) = steps_of([Block("page.md", 1, "console", "$ echo a \\\n    b\na b\n")])
    assert (step.typed, step.shown) == ("echo a \\\n    b", "a b\n")


def test_lines_may_be_left_out_and_in_any_order() -> None:
    assert differences("b\na\n", "a\nb\n") == []
    assert differences("...\nb\n", "a\nb\n") == []
    assert differences("...\nc\n", "a\nb\n") == ["- c"]
    assert differences("a\n", "a\na\n") == ["+ a"]


def test_times_and_names_may_differ() -> None:
    shown = (
        "sched: 3 jobs in 0.1s: 3 finished\ndriver:  process 12 on vm died, 2026-01-01 12:00:00\n"
    )
    printed = (
        "sched: 3 jobs in 12s (2.1/s): 3 finished\n"
        "driver:  process 9 on n7 died, 2027-02-03 01:02:03\n"
    )
    assert differences(shown, printed) == []
    assert differences("3 finished\n", "2 finished\n") == ["- 3 finished", "+ 2 finished"]
