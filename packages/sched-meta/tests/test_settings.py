"""Defaults and profiles of `sched.toml`: which files, in what order, and what is wrong in them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core.errors import NoSuchSchedulerError, OptionError
from sched_meta.completion.words import profile_words
from sched_meta.settings.check import check_settings
from sched_meta.settings.effect import fill_in, located, read_settings
from sched_meta.settings.files import find_files, project_file, user_file
from sched_meta.settings.keys import KEYS, PER_RUN
from sched_meta.settings.layers import Settings, merge_layers, settings_layers
from sched_meta.settings.tomltext import parse_document

from .program import Sched

NOTHING: dict[str, Any] = dict.fromkeys(
    "scheduler forks retries on_error halt time cpus memory gpus max_failures on_finish".split()
) | {"options": (), "env": (), "no_progress": False}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, path: Path | str = "sched.toml") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def in_effect(
    profile: str | None = None, *, of_the_session: bool = False, **typed: Any
) -> dict[str, Any]:
    """What the command line gets, as far as it is something."""
    settings = read_settings(profile, typed.get("scheduler"), of_the_session=of_the_session)
    filled = fill_in(NOTHING | typed, typed, settings)
    filled["no_progress"] = filled["no_progress"] or None
    return {name: value for name, value in filled.items() if value or value == 0}


def test_every_kind_of_value() -> None:
    write("""
        forks = 200
        retries = 0
        on-error = "retry"
        halt = "soon"
        time = ["1h", 7200]
        cpus = 4
        memory = "4 GiB"
        gpus = 1
        max-failures = "5%"
        on-finish = "echo done"
        no-progress = true
        env = { LANG = "C", N = 2 }
        [options]
        grace = 2.5
        mode = "640"
        volumes = ["/a:/b", "/c:/d"]
        container = { image = "debian:12" }
        reuse = true
    """)
    assert in_effect() == {
        "forks": 200,
        "retries": 0,
        "on_error": "retry",
        "halt": "soon",
        "time": "1h,7200",
        "cpus": "4",
        "memory": "4 GiB",
        "gpus": "1",
        "max_failures": "5%",
        "on_finish": "echo done",
        "no_progress": True,
        "env": ("LANG=C", "N=2"),
        "options": (
            "grace=2.5",
            "mode=640",
            "volumes=/a:/b",
            "volumes=/c:/d",
            'container={"image": "debian:12"}',
            "reuse=true",
        ),
    }


def test_project_wins_over_user_and_profiles_over_both(user_folder: Path) -> None:
    write(
        """
        forks = 1
        retries = 1
        cpus = 1
        time = "1h"
        [profile.big]
        forks = 3
        cpus = 3
        """,
        user_folder / "sched.toml",
    )
    write("forks = 2\ncpus = 2\nretries = 2\n[profile.big]\nforks = 4\n")
    assert in_effect() == {"forks": 2, "cpus": "2", "retries": 2, "time": "1h"}
    assert in_effect("big") == {"forks": 4, "cpus": "3", "retries": 2, "time": "1h"}


def test_what_was_typed_wins() -> None:
    write('forks = 2\ntime = "1h"\nno-progress = true')
    assert in_effect(forks=7)["forks"] == 7
    assert in_effect(retries=0)["retries"] == 0


def test_tables_are_merged_key_by_key(user_folder: Path) -> None:
    write('options = { a = 1, b = 1, c-d = 1 }\nenv = { A = "1" }', user_folder / "sched.toml")
    write('options = { b = 2 }\n[env]\nB = "2"\n[profile.p.options]\ne = [1, 2]')
    assert in_effect("p", options=("a=9", "c_d=9"), env=("B=9",)) == {
        "options": ("b=2", "e=1", "e=2", "a=9", "c_d=9"),
        "env": ("A=1", "B=9"),
    }


def test_retries_of_the_file_do_not_contradict_what_was_typed() -> None:
    write("retries = 3")
    assert in_effect(on_error="halt") == {"on_error": "halt"}
    assert in_effect(on_error="retry") == {"on_error": "retry", "retries": 3}


def test_forks_and_options_are_for_the_scheduler_that_the_file_names() -> None:
    write("""
        scheduler = "slurm"
        forks = 500
        retries = 2
        options = { partition = "main" }
        [profile.here]
        scheduler = "local"
        options = { grace = 1 }
    """)
    slurm = {"forks": 500, "options": ("partition=main",)}
    assert in_effect() == {"scheduler": "slurm", "retries": 2} | slurm
    assert in_effect(scheduler="slurm") == {"scheduler": "slurm", "retries": 2} | slurm
    assert in_effect(scheduler="local") == {"scheduler": "local", "retries": 2}
    here = {"scheduler": "local", "retries": 2, "options": ("grace=1",)}
    assert here == in_effect("here")
    assert read_settings(None, "ssh").notes == (
        "sched.toml, line 3: forks is for slurm, and left out with ssh",
        "sched.toml, line 5: options is for slurm, and left out with ssh",
    )


def test_without_a_scheduler_of_its_own_a_file_is_for_any() -> None:
    write("options = { a = 1 }\nforks = 9")
    assert in_effect(scheduler="slurm")["forks"] == 9


def test_a_run_that_goes_on_keeps_its_own_options() -> None:
    write('forks = 9\nno-progress = true\non-finish = "x"\n[profile.p]\nforks = 3\n')
    of_session = {"no_progress": True, "on_finish": "x"}
    assert of_session == in_effect(of_the_session=True)
    assert of_session | {"forks": 3} == in_effect("p", of_the_session=True)


def test_what_a_command_does_not_take_is_left_out() -> None:
    write("forks = 9\ncpus = 3")
    assert fill_in({"forks": None}, (), read_settings()) == {"forks": 9}


def test_the_nearest_folder_above_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("forks = 1")
    write("forks = 2", "a/sched.toml")
    Path("a/b/c").mkdir(parents=True)
    monkeypatch.chdir("a/b/c")
    assert project_file(Path.cwd()) == tmp_path / "a" / "sched.toml"
    assert in_effect() == {"forks": 2}


def test_a_file_that_is_both_is_read_once(
    user_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("forks = 1", user_folder / "sched.toml")
    monkeypatch.chdir(user_folder)
    assert user_file() == user_folder / "sched.toml"
    assert [str(file) for file in find_files()] == ["sched.toml"]


def test_files_of_others_are_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write("on-finish = 'rm -rf ~'")
    owner = os.stat("sched.toml").st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 4711)
    if owner == 0:
        os.chown("sched.toml", 4712, -1)
    assert in_effect() == {}
    (note,) = read_settings().notes
    assert note.startswith(f"warning: {tmp_path}/sched.toml is not read: it belongs to ")
    assert note.endswith("if you trust it, put a copy of your own in its place")
    assert [verdict for _, verdict, _ in check_settings()] == [None]


def test_a_user_without_a_home_has_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])  # nor an account
    write("forks = 3")
    assert user_file() is None
    assert [found.path.name for found in find_files()] == ["sched.toml"]


def test_a_file_that_anybody_may_write_to_is_not_read(tmp_path: Path) -> None:
    write("on-finish = 'rm -rf ~'")
    os.chmod("sched.toml", 0o666)
    assert in_effect() == {}
    (note,) = read_settings().notes
    assert note.startswith(f"warning: {tmp_path}/sched.toml is not read: anybody may write to it")
    os.chmod("sched.toml", 0o664)
    assert in_effect() == {"on_finish": "rm -rf ~"}


def test_unreadable_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("forks = 1")

    def refuse(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OptionError, match=r"cannot read .*/sched.toml: Permission denied"):
        find_files()


BAD = [
    ("forks = many", 'line 1, column 9: no TOML: Invalid value; write forks = "many"'),
    ("a\n", "line 1, column 2: no TOML: "),
    ("retries = 1\ntime = 4h # long", "line 2, column "),
    ("retries = 1\ntime = 4h # long", '; write time = "4h"'),
    ('x = "', "no TOML: "),
    ("forks = 1\nforks = 2", "line 2, column 10: no TOML: Cannot overwrite a value"),
    ("fork = 1", "line 1: unknown key 'fork'; did you mean 'forks'?"),
    ("on_error = 'halt'", "line 1: unknown key 'on_error'; did you mean 'on-error'?"),
    (
        "\npartition = 'x'",
        "line 2: unknown key 'partition'; did you mean 'options'? (an option of ",
    ),
    ("queue = 'x'", "line 1: unknown key 'queue'; there are cpus, "),
    ("queue = 'x'", "an option of the scheduler stands in the table `options`"),
    ("workdir = 'x'", "line 1: 'workdir' is for one run; give it on the command line: --workdir"),
    ("resume = true", "line 1: 'resume' is for one run; give it on the command line: --resume"),
    ('forks = "2"', 'line 1: forks: it must be a whole number of at least 1, not "2"'),
    ("forks = 0", "line 1: forks: it must be a whole number of at least 1, not 0"),
    ("forks = true", "line 1: forks: it must be a whole number of at least 1, not true"),
    ("forks = 1979-05-27", 'line 1: forks: it must be a whole number of at least 1, not "1979'),
    ("retries = -1", "line 1: retries: it must be a whole number of at least 0, not -1"),
    ("cpus = 1.5", "line 1: cpus: it must be a whole number of at least 1, not 1.5"),
    ("on-error = 'stop'", 'on-error: it must be "continue" or "retry" or "halt", not "stop"'),
    ("time = '5x'", "line 1: time: time '5x': 'x' is no unit"),
    ("time = []", 'line 1: time: it must be an amount such as "90m", or a list of them, not []'),
    ("memory = ['4G', '8X']", "line 1: memory: memory '8X': 'X' is no unit"),
    ("memory = true", 'line 1: memory: it must be an amount such as "4 GiB"'),
    ("no-progress = 'yes'", 'line 1: no-progress: it must be true or false, not "yes"'),
    ("scheduler = 3", 'line 1: scheduler: it must be a text such as "slurm", not 3'),
    ("on-finish = ' '", 'on-finish: it must be a text such as "echo done", not " "'),
    ("max-failures = 0", "max-failures: it must be a number of jobs, or a share"),
    ("max-failures = 'x'", "max-failures: it must be a number of jobs, or a share"),
    ("max-failures = '101%'", 'max-failures: it must be at most "100%", not "101%"'),
    ("env = 'A=1'", 'line 1: env: it must be a table such as { LANG = "C" }, not "A=1"'),
    ("[env]\nA = 1\nB = true", "line 3: env: B must be a text or a number, not true"),
    ("env = { 1A = 'x' }", "line 1: env: '1A' is no name of an environment variable"),
    ("options = ['a=1']", "line 1: options: it must be a table such as { partition = "),
    ("[options]\na = 1\nb = 1979-05-27", "line 3: options: b cannot be 1979-05-27; write it as a"),
    ("[options]\nb = nan", "line 2: options: b cannot be nan; write it as a text, in quotes"),
    ("profile = 1", "line 1: profile: write a table [profile.NAME]"),
    (
        "[profile]\nforks = 1",
        "line 2: the profile 'forks' is no table [profile.forks]; forks = ...",
    ),
    ("[profile]\nbig = 1", "line 2: the profile 'big' is no table [profile.big]"),
    ("forks = 1\n[profile.big]\ncpu = 1", "line 3: unknown key 'cpu'; did you mean 'cpus'?"),
    ("[profile.'a b']\nforks = 0", "line 2: forks: it must be a whole number of at least 1"),
    ("[profile.'']\nforks = 1", "line 1: a profile needs a name: [profile.NAME]"),
    ("[profile.x.options]\n  a = {}\n  b = inf", "line 3: options: b cannot be infinity"),
]


@pytest.mark.parametrize("text, message", BAD)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        settings_layers([parse_document(text.encode(), "sched.toml")])
    assert str(caught.value).startswith("sched.toml")
    assert message in str(caught.value)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(OptionError, match=r"^f, line 2: no UTF-8, which TOML has to be$"):
        parse_document(b"forks = 1\ntime = '\xff'", "f")


def test_byte_order_mark_and_windows_lines() -> None:
    document = parse_document(b"\xef\xbb\xbfforks = 1\r\n[profile.a]\r\ncpus = 2\r\n", "f")
    assert document.where("profile", "a", "cpus") == "f, line 3"


@given(st.text())
def test_any_text_is_settings_or_an_error(text: str) -> None:
    with contextlib.suppress(OptionError):
        settings_layers([parse_document(text.encode(errors="replace"), "f")])


def test_lines_of_dotted_keys_and_of_what_looks_like_one() -> None:
    text = 'options.a = 1\n"options"."b" = """\nforks = 1\n"""\n[profile.p]\noptions.c = 1'
    document = parse_document(text.encode(), "f")
    assert document.where("options", "b") == "f, line 2"
    assert document.where("profile", "p", "options", "c") == "f, line 6"
    assert document.where("none") == "f"


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "there is no profile 'bg': write [profile.bg] into sched.toml"),
        (
            "[profile.big]\n[profile.far]",
            "there is no profile 'bg'; did you mean 'big'? There are big (sched.toml), far (sched.toml)",
        ),
        ("[profile.x]", "there is no profile 'bg'; there are x (sched.toml)"),
    ],
)
def test_no_such_profile(text: str, message: str) -> None:
    write(text)
    with pytest.raises(OptionError) as caught:
        read_settings("bg")
    assert message == str(caught.value)


def test_no_such_profile_where_there_is_no_file() -> None:
    with pytest.raises(OptionError, match=r"write \[profile.x\] into a sched.toml$"):
        read_settings("x")


def test_scheduler_that_is_not_installed_matters_where_it_is_used() -> None:
    write("\nscheduler = 'locl'")
    with pytest.raises(NoSuchSchedulerError, match=r"^sched.toml, line 2: there is no scheduler"):
        read_settings()
    assert read_settings(None, "local").of("scheduler") == "locl"


def test_errors_that_come_later_tell_the_place() -> None:
    write("forks = 3\n[options]\npartitio = 'x'")
    settings = read_settings()
    error = OptionError("the scheduler local has no option partitio; it takes forks")
    assert str(located(error, settings, ())).endswith("forks (partitio: sched.toml, line 3)")
    other = OptionError("something else of forks")
    assert located(other, settings, ()) is other
    assert located(OptionError("forks 3: no"), settings, ("forks",)).args == ("forks 3: no",)


def test_names_of_profiles(user_folder: Path) -> None:
    write("[profile.a]", user_folder / "sched.toml")
    write("[profile.b]")
    assert profile_words() == ["a", "b"]


def test_nothing_is_in_effect_where_there_is_no_file() -> None:
    assert merge_layers([]) == Settings({})
    assert in_effect() == {}
    (check,) = check_settings()
    assert check[1] is True
    assert check[2].startswith("none, neither sched.toml here or above nor ")


def test_doctor_tells_what_is_in_effect_and_what_is_wrong(user_folder: Path) -> None:
    write("[profile.a]\n[profile.b]", user_folder / "sched.toml")
    write("forks = 0")
    assert list(check_settings()) == [
        ("settings", True, f"{user_folder}/sched.toml is in effect; profiles: a, b"),
        (
            "settings",
            False,
            "sched.toml, line 1: forks: it must be a whole number of at least 1, not 0",
        ),
    ]


def test_every_option_of_run_is_a_key_or_of_one_run() -> None:
    from sched_meta.cli.run import run

    names = {option.lstrip("-") for p in run.params for option in p.opts if option[:2] == "--"}
    assert names <= KEYS.keys() | PER_RUN


def test_run_and_resume_with_a_profile(sched: Sched) -> None:
    write("""
        env = { A = "file", B = "file" }
        no-progress = true
        [profile.two]
        forks = 2
    """)
    command = ("--", "sh", "-c", "echo $A $B")
    done = sched("run", "-w", "r", "--cat", "--profile", "two", "--env", "A=typed", *command)
    assert done.stdout == "typed file\n"
    assert "1 job on local, 2 at a time" in done.stderr
    assert "local, 2 at a time" in sched("resume", "r").stderr
    write("[profile.two]\nforks = 3")
    assert "local, 2 at a time" in sched("resume", "r").stderr
    assert "local, 3 at a time" in sched("resume", "r", "--profile", "two").stderr


def test_wrong_settings_start_nothing(sched: Sched) -> None:
    write("[options]\npartitio = 1")
    said = sched("run", "--", "true", code=2).stderr
    assert "has no option partitio;" in said
    assert said.endswith(" (partitio: sched.toml, line 2)\n")
    write("scheduler = 'locl'")
    said = sched("run", "--", "true", code=3).stderr
    assert said.startswith("sched: error: sched.toml, line 1: there is no scheduler 'locl'; did")
    assert not Path("sched-runs").exists()


def test_what_only_reads_needs_no_settings(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    write("forks =")
    sched("status", "r")
    assert "FAIL  settings: sched.toml, line 1, " in sched("doctor", code=1).stdout


def test_options_for_another_scheduler_are_left_out_and_told(sched: Sched) -> None:
    write("scheduler = 'slurm'\nforks = 7")
    said = sched("run", "-s", "local", "--", "true").stderr
    assert "sched: sched.toml, line 2: forks is for slurm, and left out with local\n" in said
    assert " 7 at a time" not in said


def test_what_is_left_out_is_told_once_of_a_run_in_the_background(sched: Sched) -> None:
    write("scheduler = 'slurm'\nforks = 7")
    said = sched("run", "-s", "local", "-w", "r", "-d", "--", "true").stderr
    assert said.count("forks is for slurm, and left out with local") == 1
    sched("wait", "r")
