from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sched_core.errors import OptionError
from sched_meta.lists.replacement import FORM, Template

# What GNU parallel 20221122 prints for {.} {/} {//} {/.}.
GNU_PARALLEL = [
    ("a/b.c.gz", "a/b.c", "b.c.gz", "a", "b.c"),
    ("/x.tar", "/x", "x.tar", "/", "x"),
    ("noext", "noext", "noext", ".", "noext"),
    ("/abs/dir/", "/abs/dir/", "", "/abs", ""),
    ("dir/.hidden", "dir/", ".hidden", "dir", ""),
    (".", "", ".", ".", ""),
    ("..", ".", "..", ".", "."),
    ("a.", "a", "a.", ".", "a"),
    ("", "", "", ".", ""),
    ("x.d/y", "x.d/y", "y", "x.d", "y"),
    ("/", "/", "", "/", ""),
    ("a//b//", "a//b//", "", "a", ""),
    ("./a", "./a", "a", ".", "a"),
    ("../a.b/", "../a.b/", "", "..", ""),
    ("a b.txt", "a b", "a b.txt", ".", "a b"),
    (".x.y", ".x", ".x.y", ".", ".x"),
    ("a/..", "a/.", "..", "a", "."),
    ("é/ü.ñ", "é/ü", "ü.ñ", "é", "ü"),
    ("-n//x.y", "-n//x", "x.y", "-n", "x"),
    ("d/a*.b", "d/a*", "a*.b", "d", "a*"),
    ("//x", "//x", "x", "/", "x"),
    ("//x/y", "//x/y", "y", "//x", "y"),
]


def fill(words: list[str], *values: str, number: int = 1) -> list[str]:
    return Template(words, len(values)).fill(values, number)


@pytest.mark.parametrize("value, stripped, last, folder, stem", GNU_PARALLEL)
def test_parts_of_a_value_are_those_of_gnu_parallel(
    value: str, stripped: str, last: str, folder: str, stem: str
) -> None:
    expected = [value, stripped, last, folder, stem]
    assert expected == fill(["{}", "{.}", "{/}", "{//}", "{/.}"], value)


def test_without_a_form_the_values_are_appended() -> None:
    assert fill(["gzip", "-9"], "a b", "c") == ["gzip", "-9", "a b", "c"]


def test_without_values_nothing_is_replaced() -> None:
    words = ["find", ".", "-exec", "rm", "{}", ";", "{2}", "{%}"]
    assert words == fill(words)


def test_positions_count_from_either_end() -> None:
    assert fill(["{1}", "{-1}", "{1.}", "{2/}", "{-1.}"], "a.x", "b/c.y") == [
        "a.x",
        "b/c.y",
        "a",
        "c.y",
        "b/c",
    ]


def test_number_of_the_job() -> None:
    assert fill(["out-{#}.txt"], "a", number=7) == ["out-7.txt"]


def test_form_of_all_sources_is_several_arguments_or_joined_inside_of_one() -> None:
    assert fill(["{}", "x={.}"], "a.1", "b.2") == ["a.1", "b.2", "x=a b"]


def test_a_value_is_never_looked_at_again() -> None:
    assert fill(["x{1}y", "{2}"], "{1}", "{}{#}") == ["x{1}y", "{}{#}"]


@pytest.mark.parametrize(
    "word", ["{a}", "{ }", "{1 }", "{1..3}", "{,}", "{{", "}}", "${x}", "{##}", "{+/}", "{/..}"]
)
def test_other_braces_stay(word: str) -> None:
    assert [word, "v"] == fill([word, "{}"], "v")


def test_inner_form_of_double_braces_is_replaced_as_in_gnu_parallel() -> None:
    assert fill(["{{}}"], "v") == ["{v}"]


@pytest.mark.parametrize("form", ["{2}", "{0}", "{-2}", "{5/.}"])
def test_a_source_that_is_not_there_is_an_error_that_says_how_to_write_the_braces(
    form: str,
) -> None:
    expected = rf"there is only 1 source of values; .* give it as a value: ::: '{re.escape(form)}'"
    with pytest.raises(OptionError, match=expected):
        Template(["grep", f"x{form}"], 1)


def test_the_slot_is_not_known_before_a_job_starts() -> None:
    with pytest.raises(OptionError, match=r"\$SCHED_SLOT"):
        Template(["{%}"], 1)


def reference(word: str, value: str) -> str:
    """The forms of one source as one substitution after another of a single pass."""
    parts = {
        "": value,
        ".": re.sub(r"\.[^/.]*\Z", "", value),
        "/": re.sub(r"(?s).*/", "", value),
        "/.": re.sub(r"\.[^/.]*\Z", "", re.sub(r"(?s).*/", "", value)),
    }
    return re.sub(r"\{1?(/\.|/|\.|)\}|\{#\}", lambda m: "1" if m[0] == "{#}" else parts[m[1]], word)


FORMS = st.sampled_from(["{}", "{.}", "{/}", "{/.}", "{#}", "{1}", "{1.}", "{1/}", "{1/.}"])
LITERALS = st.text(st.characters(exclude_characters="{}\0"), max_size=5)
WORDS = st.lists(FORMS | LITERALS, min_size=1, max_size=5).map("".join)
VALUES = st.text(st.sampled_from("a./{}#1 \n'\"$") | st.characters(exclude_characters="\0"))


@settings(deadline=None)
@given(WORDS, VALUES)
def test_one_source_is_substituted_in_one_pass(word: str, value: str) -> None:
    filled = fill([word], value)
    if FORM.search(word):
        assert [reference(word, value)] == filled
    else:
        assert [word, value] == filled


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=4))
def test_values_arrive_as_they_are(values: list[str]) -> None:
    places = [f"{{{place}}}" for place in range(1, len(values) + 1)]
    assert values == fill(places, *values)
    assert values == fill(["{}"], *values)
    assert ["cmd", *values] == fill(["cmd"], *values)
