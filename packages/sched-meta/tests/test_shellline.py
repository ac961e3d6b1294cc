from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sched_core.errors import OptionError
from sched_meta.lists.shellline import ShellTemplate, shell_command

NASTY = "a b'\"$x`id`$(id)\\*?;\n&|#{}!~ /f.x.gz"


def run(line: str, *values: str) -> bytes:
    cmd = ShellTemplate(line, len(values)).fill(values, 3)
    done = subprocess.run(cmd, capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout


def words(line: str, *values: str) -> list[str]:
    return [os.fsdecode(word) for word in run(line, *values).split(b"\0")][:-1]


@pytest.mark.parametrize(
    "line, expected",
    [
        (r"printf '%s\0' {}", [NASTY]),
        (r"printf '%s\0' x{}y {}{}", [f"x{NASTY}y", NASTY * 2]),
        (r"""printf '%s\0' "<{}>" "'{}'" """, [f"<{NASTY}>", f"'{NASTY}'"]),
        (r"""printf '%s\0' "$(printf %s {})" "$(printf %s "{}")" """, [NASTY, NASTY]),
        (r"f() { printf '%s\0' {} $#; }; f a b", [NASTY, "2"]),
        (r"""v={}; printf '%s\0' "$v" """, [NASTY]),
        (r"case {} in 'a b'*) printf '%s\0' {};; esac", [NASTY]),
        (r"[[ {} == {} ]] && printf '%s\0' same", ["same"]),
        (r"""for x in {} 2; do printf '%s\0' "$x"; done""", [NASTY, "2"]),
        (r"for ((i=1;i<2;i++)); do printf '%s\0' {} $((i*(2+3))); done", [NASTY, "5"]),
        (r"x=1; printf '%s\0' ${x:-2}{} ${#x}", [f"1{NASTY}", "1"]),
        (r"printf '%s\0' {} # it's {} here", [NASTY]),
        (r"printf '%s\0' '{}' \{\} {} $'{}\''", ["{}", "{}", NASTY, "{}'"]),
        (r"""printf '%s\0' "$1" "$@" $# {/.}""", [NASTY, NASTY, "1", "f.x"]),
        (r"printf '%s\0' {.} {/} {//} {#}", [NASTY[:-3], "f.x.gz", NASTY[:-7], "3"]),
        (r"printf '%s\0' `echo 1` {}", ["1", NASTY]),
        ("set -eu; printf '%s\\0' \\\n {}", [NASTY]),
        (r"(printf '%s\0' {})", [NASTY]),
        (r"{ printf '%s\0' {}; }", [NASTY]),
    ],
)
def test_a_value_is_one_word_whatever_it_holds(line: str, expected: list[str]) -> None:
    assert expected == words(line, NASTY)


def test_here_string() -> None:
    assert os.fsencode(NASTY) + b"\n" == run("cat <<< {}", NASTY)


def test_several_sources() -> None:
    line = r"""printf '%s\0' {} "{}" {2} {.} "{/}" {-1.} "$@" """
    expected = ["a/x.1", "b 2", "a/x.1 b 2", "b 2", "a/x", "b 2", "x.1 b 2", "b 2", "a/x.1", "b 2"]
    assert expected == words(line, "a/x.1", "b 2")


def test_without_values_the_line_stays() -> None:
    assert shell_command("echo {} {1}") == ShellTemplate("echo {} {1}", 0).fill((), 1)


def test_values_are_the_arguments_of_a_line_without_forms() -> None:
    assert words(r"""printf '%s\0' "$1" """, NASTY) == [NASTY]
    assert shell_command("date", ["x"]) == ShellTemplate("date", 1).fill(["x"], 1)


def test_one_script_for_all_jobs() -> None:
    template = ShellTemplate("gzip -c {} > {.}.gz", 1)
    one, two = template.fill(["a.txt"], 1), template.fill(["b.txt"], 2)
    assert one[4] is two[4]
    assert one[6:] == ["a.txt", "a"]


def test_pipefail() -> None:
    cmd = ShellTemplate("false {} | cat", 1).fill(["x"], 1)
    assert subprocess.run(cmd, check=False).returncode == 1


@pytest.mark.parametrize(
    "line, message",
    [
        ("echo $(( {} ))", "{} stands in arithmetic, where bash would run what a value says"),
        ("(( {} > 1 ))", "stands in arithmetic"),
        ("echo $(( (1 + {}) * 2 ))", "stands in arithmetic"),
        ("echo $[ {} ]", "stands in arithmetic"),
        ("[[ {} -gt 1 ]]", "compares numbers"),
        ("echo `echo {}`", "stands in backquotes (use $( ))"),
        ("cat <<E\n{}\nE", "here-document"),
        ("echo ${x%{.}}", "${...}"),
        ("echo ${x/{}/y}", "${...}"),
        ('echo "${x:-"a"}" {}', "${...}"),
        ('echo "$(case x in a) echo {};; esac)"', "behind a `case`"),
        ('echo "$(echo $((1+(2))) {})"', "behind arithmetic"),
        ("sed 's/a/{}/'", "{} stands in single quotes or behind a backslash"),
        ("echo {2}", "there is only 1 source of values"),
        ("echo {%}", "$SCHED_SLOT"),
    ],
)
def test_places_that_are_not_safe_are_refused(line: str, message: str) -> None:
    with pytest.raises(OptionError) as raised:
        ShellTemplate(line, 1)
    assert message in str(raised.value)


HOSTILE = st.text(
    st.sampled_from("ab '\"$`\\(){}[];&|<>*?#~!\n\t/.-=") | st.characters(exclude_characters="\0")
)
PLACES = st.sampled_from(
    [
        r"printf '%s\0' {}",
        r"""printf '%s\0' "{}" """,
        r"""printf '%s\0' "$(printf '%s.' {})" """,
        r"f() { printf '%s\0' {}; }; f",
        r"""x={}; printf '%s\0' "$x" """,
    ]
)


@settings(max_examples=200, deadline=None)
@given(PLACES, HOSTILE)
def test_any_value_survives_a_real_bash(line: str, value: str) -> None:
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return
    found = words(line, value)
    assert [value + "." if "." in line else value] == found


BEFORE = st.lists(
    st.sampled_from(
        """ "x" 'it"s' $'\\'' $(echo_1) "$(:_"a_b")" ${x:-1} "${x}" \\" \\' "\\"" "'" a#b
        `:_"x"` "`:_'x'`" $((1+(2))) "$((1))" ( ) $# "$" '"' #_it's_it\n ;; ((1)) ; ) ( ' " case_x_in_a)
        """.split()
    ),
    max_size=6,
).map(lambda parts: " ".join(parts).replace("_", " ").replace("\\n", "\n"))


@settings(max_examples=500, deadline=None)
@given(BEFORE, st.sampled_from([r"printf '%s\0' {}", r"""printf '%s\0' "{}" """]))
def test_what_stands_before_does_not_change_the_quoting(before: str, line: str) -> None:
    """A line that bash accepts either keeps the value in one word or was refused."""
    line = f": {before} ; {line}"
    valid = subprocess.run(["bash", "-n", "-c", line], capture_output=True, check=False)
    if valid.stderr:
        return
    try:
        cmd = ShellTemplate(line, 1).fill(["a  *\n;b"], 1)
    except OptionError:
        return
    done = subprocess.run(cmd, capture_output=True, check=False)
    assert done.stdout in (b"", b"a  *\n;b\0", b"{}\0")


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("{}'\"$`\\() \n#<ae1[;|"), max_size=14), HOSTILE)
def test_no_line_brings_a_value_into_the_code(text: str, value: str) -> None:
    """Whatever the line: the script is the same for every value."""
    try:
        template = ShellTemplate(text, 1)
    except OptionError:
        return
    assert template.fill([value], 1)[4] == template.fill(["x"], 1)[4]
