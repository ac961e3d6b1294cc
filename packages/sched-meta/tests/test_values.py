from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sched_core.errors import OptionError
from sched_meta.lists.values import split_command


def rows(*words: str) -> list[tuple[str, ...]]:
    command, sources = split_command(["cmd", *words])
    assert command == ["cmd"]
    found = list(sources.rows())
    assert len(sources) == len(found)
    return found


def test_no_source_is_one_job() -> None:
    assert rows() == [()]


def test_one_source() -> None:
    assert rows(":::", "a", "b c", "") == [("a",), ("b c",), ("",)]


def test_the_last_source_changes_fastest() -> None:
    assert rows(":::", "a", "b", ":::", "x", "y") == [
        ("a", "x"),
        ("a", "y"),
        ("b", "x"),
        ("b", "y"),
    ]


def test_a_linked_source_goes_along() -> None:
    assert rows(":::", "a", "b", ":::+", "x", "y") == [("a", "x"), ("b", "y")]


def test_linked_sources_multiply_as_one() -> None:
    expected = [("a", "x", "1"), ("a", "x", "2"), ("b", "y", "1"), ("b", "y", "2")]
    assert expected == rows(":::", "a", "b", ":::+", "x", "y", ":::", "1", "2")


def test_files_hold_a_value_a_line(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"a\r\n b c \n\n\xff")
    two.write_bytes(b"1\n2\n3\n4\n")
    linked = rows("::::", str(one), "::::+", str(two))
    assert linked == [("a", "1"), (" b c ", "2"), ("", "3"), ("\udcff", "4")]
    assert len(rows("::::", str(one), str(two))) == 16


@pytest.mark.parametrize(
    "words, message",
    [
        ([":::"], "::: has no values behind it"),
        (["::::"], ":::: has no files behind it"),
        ([":::", "a", ":::"], "::: has no values behind it"),
        ([":::+", "a"], ":::\\+ goes along with a source before it"),
        ([":::", "a", "b", ":::+", "x"], ":::\\+ has 1 values .* has 2: they must be as many"),
        (["::::", "/no/such"], "cannot read /no/such: No such file"),
        (["::::", "/"], "cannot read /: Is a directory"),
        (["::::", "/dev/null"], "/dev/null is empty"),
    ],
)
def test_sources_that_cannot_be_used(words: list[str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        split_command(["cmd", *words])


def test_binary_file_of_values(tmp_path: Path) -> None:
    (tmp_path / "bin").write_bytes(b"a\0b")
    with pytest.raises(OptionError, match="NUL bytes"):
        split_command(["cmd", "::::", str(tmp_path / "bin")])


TEXTS = st.text(st.characters(exclude_characters=":"), max_size=3)


@settings(deadline=None)
@given(st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=3))
def test_every_combination_comes_once(sources: list[list[str]]) -> None:
    words = [word for source in sources for word in (":::", *source)]
    count = 1
    for source in sources:
        count *= len(source)
    assert count == len(rows(*words))
    assert [tuple(source[0] for source in sources)] == rows(*words)[:1]
