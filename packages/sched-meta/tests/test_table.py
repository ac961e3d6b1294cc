"""Tables of values: how they are read, their names in commands, and what is wrong in them."""

from __future__ import annotations

import csv
import io
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sched_core.errors import OptionError, SchedError
from sched_meta.lists.collect import collect_jobs
from sched_meta.lists.replacement import FORM, Template
from sched_meta.lists.shellline import ShellTemplate
from sched_meta.lists.table import Table, parse_colsep, parse_table

from .program import Sched

NAMES = ("sample", "ref", "Fastq 1", "sample.id", "größe")
ROW = ("s1", "db/hg38.fa", "a b.fq.gz", "x", "$HOME")


@pytest.mark.parametrize(
    "name, content",
    [
        ("t.tsv", b"a\tb\n1\t2,5\n"),
        ("t.TSV", b'"a"\tb\r\n"1"\t"2,5"\r\n'),
        ("t.csv", b'a,b\n1,"2,5"\n'),
        ("t.csv", b"a;b\n1;2,5"),
        ("t.csv", b'\xef\xbb\xbfa, b\r\n\r\n1,"2,5"\r\n  \r\n'),
        ("t", b"a\tb\n1\t2,5\n"),
        ("t.txt", b'\n\na,b\n,\n1,"2,5"\n'),
        ("-", b"a;b\n1;2,5\n"),
    ],
)
def test_ways_to_write_a_table(name: str, content: bytes) -> None:
    assert parse_table(content, name) == Table(("a", "b"), [["1", "2,5"]])


@pytest.mark.parametrize(
    "content, colsep",
    [
        (b"1\t2,5\n3\t\n", None),
        (b'1,"2,5"\n\n3,\n', None),
        (b'1|"2,5"\r\n3|', "|"),
        (b"1 2,5\n3 \n", " "),
        (b'1\t"2,5"\n3\t\n', r"\t"),
    ],
)
def test_a_table_without_a_header(content: bytes, colsep: str | None) -> None:
    between = parse_colsep(colsep) if colsep else None
    table = parse_table(content, "t", header=False, colsep=between)
    assert table == Table(("1", "2"), [["1", "2,5"], ["3", ""]])


def test_colsep_comes_before_the_ending_and_what_the_header_looks_like() -> None:
    content = b"a|b,c\tx\n1|2\n"
    for name in ("t.csv", "t.tsv", "t"):
        assert parse_table(content, name, colsep="|") == Table(("a", "b,c\tx"), [["1", "2"]])


def test_rows_without_a_header_are_as_wide_as_the_first() -> None:
    with pytest.raises(OptionError) as caught:
        parse_table(b"a,b\n\n1\n", "t.csv", header=False)
    assert str(caught.value) == "t.csv, line 3 has 1 value, and the first row has 2"


def test_one_column_and_empty_values() -> None:
    assert parse_table(b"a\nx y\n").rows() == [["x y"]]
    assert parse_table(b"a,b\nx,\n").rows() == [["x", ""]]


def test_values_may_hold_anything_that_is_quoted() -> None:
    table = parse_table(b'a,b\n"x ""y""\n,z",1\n"\xff",2\n')
    assert table.rows() == [['x "y"\n,z', "1"], ["\udcff", "2"]]


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS).filter(lambda row: "".join(row).strip()), min_size=1))
def test_what_a_csv_writer_wrote_is_read(rows: list[tuple[str, str]]) -> None:
    for dialect, name in ((csv.excel, "t.csv"), (csv.excel_tab, "t.tsv")):
        file = io.StringIO(newline="")
        csv.writer(file, dialect, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
        assert [list(row) for row in rows] == parse_table(file.getvalue().encode(), name).rows()


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "t.csv is empty: it needs a header that names the columns, and rows"),
        (b"\n \n", "t.csv is empty: it needs a header"),
        (
            b"a,b\n\n",
            (
                "t.csv has a header, and no row behind it: there is nothing to run; "
                "give --no-header if it holds values"
            ),
        ),
        (b"a,b\n1,2\n\n3\n", "t.csv, line 4 has 1 value, and the header names 2"),
        (b'a,b\n"1\n1",2\n1,2,3\n', "t.csv, line 4 has 3 values, and the header names 2"),
        (b"\na,,b\n1,2,3", "t.csv, line 2: column 2 has no name in the header"),
        (b"a,b,a\n", "t.csv, line 1: the columns 1 and 3 are both called 'a'; rename one, or"),
        (b"a,1\n1,2\n", "t.csv, line 1: '1' cannot be the name of a column, since {1} has a"),
        (
            b"a,-1\n1,2\n",
            "since {-1} has a meaning of its own; give the first line names, or --no-h",
        ),
        (b"a,#\n1,2\n", "t.csv, line 1: '#' cannot be the name of a column, since {#} has a"),
        (b"a,//\n1,2\n", "'//' cannot be the name of a column"),
        (b"a,{b}\n1,2\n", "'{b}' cannot be the name of a column: no braces and no line ends"),
        (b'a,"b\nc"\n1,2\n', "cannot be the name of a column: no braces and no line ends"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "t.csv, line 3: a quoted value that starts here never ends"),
        (b'a,b\n"1"x,2\n', 't.csv, line 2: a quoted value goes on behind its last "'),
        (b"a,b\n1,2\n\0,3", "t.csv is no text: line 3 holds a NUL byte"),
        (b"\xff\xfea\0,\0", "t.csv is UTF-16; save it as UTF-8"),
        (b"a,b\n" + b"x" * 200_000 + b",1\n", "t.csv, line 2: field larger than field limit"),
    ],
)
def test_what_is_no_table(content: bytes, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_table(content, "t.csv")
    assert message in str(caught.value)


@given(st.binary(), st.booleans())
def test_any_bytes_are_a_table_or_an_error(content: bytes, header: bool) -> None:
    try:
        table = parse_table(content, header=header)
    except OptionError:
        return
    assert all(len(row) == table.width for row in table.rows())


def fill(*words: str) -> list[str]:
    return Template(words, len(NAMES), NAMES).fill(ROW, 7)


def test_names_are_forms() -> None:
    assert fill("{sample}", "{ref.}", "{ref/}", "{ref//}", "{ref/.}") == [
        "s1",
        "db/hg38",
        "hg38.fa",
        "db",
        "hg38",
    ]


def test_any_name_can_be_used() -> None:
    assert fill("{Fastq 1}", "{Fastq 1.}", "{sample.id}", "{größe}") == [
        "a b.fq.gz",
        "a b.fq",
        "x",
        "$HOME",
    ]


def test_forms_of_values_stand_for_columns() -> None:
    assert fill("{2/}-{-1}-{#}", "{}") == ["hg38.fa-$HOME-7", *ROW]


@pytest.mark.parametrize("word", ["{a b}", "{ref,x}", "{}}", "${x}", "{fd}>x", "{fd}<x", "{3x}"])
def test_other_braces_stay(word: str) -> None:
    assert [word.replace("{}", "s1"), "s1"] == Template([word, "{1}"], 1, ["ref"]).fill(["s1"], 1)


@pytest.mark.parametrize(
    "word, message",
    [
        ("{Sample}", "{Sample} is no column of the table; did you mean {sample}?"),
        ("{reff/.}", "{reff/.} is no column of the table; did you mean {ref/.}?"),
        ("{zzz}", "{zzz} is no column of the table; there are {sample}, {ref}, {Fastq 1}, "),
        ("{print}", "use --shell, and single quotes around it in the line"),
        ("{9}", "{9} stands for column 9, and the table has only 5"),
        ("{= s/a/b/ =}", "{= s/a/b/ =} is Perl, which only GNU parallel runs; use --shell"),
    ],
)
def test_what_is_no_column(word: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        fill(word)
    assert message in str(caught.value)


def shell(line: str) -> list[str]:
    cmd = ShellTemplate(line, len(NAMES), NAMES).fill(ROW, 7)
    return os.fsdecode(subprocess.check_output(cmd)).split("\0")[:-1]


def test_shell_lines_take_names_safely() -> None:
    line = r"""x=1; printf '%s\0' {größe} "{Fastq 1}" {ref/} "$2" '{zzz}' ${x} "${#x}" """
    assert shell(line) == ["$HOME", "a b.fq.gz", "hg38.fa", "db/hg38.fa", "{zzz}", "1", "1"]


@pytest.mark.parametrize(
    "line, message",
    [
        ("echo ${ref}", "write {ref} for the column, without $, or $ref for a variable of bash"),
        ("echo $(( {ref} + 1 ))", '; write "$2" there if that is meant'),
        ("echo `cat {ref/}`", '; write "$2" there if that is meant'),
        ('awk "{prnt}"', "{prnt} is no column of the table; there are "),
        ("echo '{ref}'", "{ref} stands in single quotes or behind a backslash"),
    ],
)
def test_where_a_name_cannot_stand_in_a_shell_line(line: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        ShellTemplate(line, len(NAMES), NAMES)
    assert message in str(caught.value)


TABLE = b"sample\tref\ns1\tx.fa\ns2\ty.fa\n"


def collect(*behind: str, **options: object) -> list[tuple[list[str], str | None]]:
    specs, *_ = collect_jobs(behind, table="t.tsv", read=lambda name: TABLE, **options)  # type: ignore[arg-type] # tests give what they like
    return [(spec.cmd, spec.name) for spec in specs]


def test_a_job_for_each_row() -> None:
    assert collect("map", "{ref}", name="{sample}") == [
        (["map", "x.fa"], "s1"),
        (["map", "y.fa"], "s2"),
    ]


def test_a_name_without_forms_is_the_runs() -> None:
    specs, name, _ = collect_jobs(["a", "{}"], table="t", read=lambda _: TABLE, name="all")
    assert (name, {spec.name for spec in specs}) == ("all", {None})


@pytest.mark.parametrize(
    "behind, options, message",
    [
        (["map"], {}, "the command uses no column of the table; write {NAME} where"),
        (["map"], {}, "There are {sample}, {ref}"),
        (["date"], {"shell": True}, "the command uses no column of the table"),
        (["a", "{ref}", ":::", "b"], {}, "--table brings the values; leave out ::: and what"),
        ([":::", "b"], {}, "--table brings the values"),
        ([], {}, "there is no command behind --"),
        (["a", "{ref}"], {"name": "{smple}"}, "did you mean {sample}?"),
    ],
)
def test_commands_that_do_not_fit_the_table(
    behind: list[str], options: dict[str, object], message: str
) -> None:
    with pytest.raises(SchedError) as caught:
        collect(*behind, **options)
    assert message in str(caught.value)


def test_a_line_of_shell_may_use_its_arguments() -> None:
    assert [cmd[-2:] for cmd, _ in collect('map "$@"', shell=True)] == [
        ["s1", "x.fa"],
        ["s2", "y.fa"],
    ]


def test_numbers_are_the_names_of_columns_without_a_header() -> None:
    assert collect("map", "{2.}-{1}-{-1/}", name="{1}", no_header=True) == [
        (["map", "ref-sample-ref"], "sample"),
        (["map", "x-s1-x.fa"], "s1"),
        (["map", "y-s2-y.fa"], "s2"),
    ]


@pytest.mark.parametrize(
    "behind, options, told",
    [
        (["map", "{1}"], {}, True),
        (["map", "{}"], {}, True),
        (['map "$1"'], {"shell": True}, True),
        (["map", "{1}", "{ref/}"], {}, False),
        (["map", "{1}"], {"name": "{sample}"}, False),
        (['map "$1" {ref}'], {"shell": True}, False),
        (["map", "{1}"], {"no_header": True}, False),
    ],
)
def test_who_names_no_column_is_told_of_the_header(
    behind: list[str], options: dict[str, Any], told: bool
) -> None:
    note = collect_jobs(behind, table="t.tsv", read=lambda _: TABLE, **options).note
    said = (
        "the columns of t.tsv are called {sample}, {ref} after its first row, which is no job;"
        " --no-header makes it one"
    )
    assert note == (said if told else "")


@given(st.text(st.characters(exclude_characters="{}\r\n\0", exclude_categories=["Cs"])))
def test_whatever_a_column_is_called_its_name_is_a_form(name: str) -> None:
    name = name.strip()
    if not name or FORM.fullmatch(f"{{{name}}}"):
        return
    assert Template([f"<{{{name}}}>"], 2, ("other", name)).fill(("1", "2"), 1) == ["<2>"]


def test_table_from_standard_input(sched: Sched) -> None:
    command = ("--name", "{sample}", "--", "echo", "{ref.}")
    done = sched("run", "-w", "r", "--cat", "--table", "-", *command, stdin=TABLE.decode())
    assert done.stdout == "x\ny\n"
    assert sched("logs", "r", "s2").stdout == "y\n"


def test_table_that_is_not_there(sched: Sched) -> None:
    said = sched("run", "--table", "none", "--", "echo", "{a}", code=2).stderr
    assert said == "sched: error: cannot read none: No such file or directory\n"
    Path(sched.folder, "t.csv").write_text("a,b\n1\n")
    said = sched("run", "--table", "t.csv", "--", "echo", "{a}", code=2).stderr
    assert said == "sched: error: t.csv, line 2 has 1 value, and the header names 2\n"
