from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path

import pytest

from ...environments import Environment
from ..__main__ import main
from .miniature import Miniature

LOCAL = "packages/sched-local"


def run(repository: Miniature, *arguments: str) -> int:
    return main(["--root", str(repository.root), *arguments])


def test_a_plan_tells_all_and_does_nothing(
    repository: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    before = repository.state()
    assert run(repository, "plan") == 0
    assert repository.state() == before
    told = capsys.readouterr().out
    for line in (
        "  sched-local 0.1.0: first release; tag sched-local-v0.1.0",
        "  - sched-local is new. (#1)",
        "  git push origin main",
        "  git push origin sched-meta-v0.1.0",
        "  git reset --keep HEAD~1",
    ):
        assert line in told.splitlines()


def test_packages_are_released_again_and_again(
    repository: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(repository, "release") == 0
    assert repository.git.tags() == ["sched-core-v0.1.0", "sched-local-v0.1.0", "sched-meta-v0.1.0"]
    repository.change("sched-core", "2.fixed.md")
    assert run(repository, "release") == 0
    assert repository.read(f"{LOCAL}/pyproject.toml").count(">=0.1,<0.2") == 1
    repository.change("sched-core", "3.changed.md")
    assert run(repository, "release") == 0
    assert repository.git.tags() == [
        *("sched-core-v0.1.0", "sched-core-v0.1.1", "sched-core-v0.2.0"),
        *("sched-local-v0.1.0", "sched-local-v0.2.0", "sched-meta-v0.1.0", "sched-meta-v0.2.0"),
    ]
    assert '"sched-core>=0.2,<0.3"' in repository.read(f"{LOCAL}/pyproject.toml")
    assert "- Needs sched-core>=0.2,<0.3." in repository.read(f"{LOCAL}/CHANGELOG.md")
    assert repository.git("status", "--porcelain") == ""
    capsys.readouterr()
    assert run(repository, "notes", "sched-core-v0.2.0") == 0
    assert capsys.readouterr().out == "### Changed\n\n- What 3.changed.md tells. (#3)\n"
    assert run(repository, "release") == 0
    assert capsys.readouterr().out == "Nothing to release.\n"


def test_a_tag_holds_the_changes(repository: Miniature) -> None:
    run(repository, "release", "sched-core")
    message = repository.git("tag", "--list", "--format=%(contents)", "sched-core-v0.1.0")
    assert message == "sched-core 0.1.0\n\n### Added\n\n- sched-core is new. (#1)"
    assert repository.git("cat-file", "-t", "sched-core-v0.1.0") == "tag"


def test_a_release_that_was_interrupted_goes_on(repository: Miniature) -> None:
    run(repository, "release")
    repository.git("tag", "--delete", "sched-local-v0.1.0", "sched-meta-v0.1.0")
    released = repository.git("rev-parse", "HEAD")
    repository.write("more.txt", "")
    repository.commit()
    after = repository.git("rev-parse", "HEAD")
    assert run(repository, "release") == 0
    assert repository.git("rev-parse", "HEAD") == after
    for name in ("sched-core", "sched-local", "sched-meta"):
        assert repository.git("rev-parse", f"{name}-v0.1.0^{{commit}}") == released


def test_what_is_told_undoes_a_release(
    repository: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    before = repository.state()
    run(repository, "release")
    assert repository.state() != before
    told = capsys.readouterr().out.split("as long as nothing is pushed:\n")[1]
    for line in told.splitlines():
        assert line.split()[0] == "git"
        repository.git(*line.split()[1:])
    assert repository.state() == before


@pytest.mark.parametrize(
    "arguments,file,text,problem",
    [
        ([], "packages/sched-core/new.py", "", "there are changes that are not committed"),
        (["sched-local"], None, "", "no release of sched-core is in >=0.1,<0.2"),
        (["--set", "sched-core=0.0.1"], None, "", "0.0.1 is below the version of pyproject.toml"),
    ],
)
def test_nothing_is_done_where_a_release_is_refused(
    repository: Miniature,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    file: str | None,
    text: str,
    problem: str,
) -> None:
    if file:
        repository.write(file, text)
    before = repository.state()
    assert run(repository, "release", *arguments) == 1
    assert problem in capsys.readouterr().err
    assert repository.state() == before


def test_nothing_is_done_where_the_outcome_would_not_agree(
    repository: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write(f"{LOCAL}/LICENSE", "Other\n")
    repository.commit()
    before = repository.state()
    assert run(repository, "release") == 1
    assert "what it would write does not agree:\nsched-local: LICENSE" in capsys.readouterr().err
    assert repository.state() == before


def test_no_release_is_made_on_no_branch(
    repository: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.git("checkout", "--quiet", "--detach")
    assert run(repository, "release") == 1
    assert "no branch is checked out" in capsys.readouterr().err
    assert not repository.git.tags()


@pytest.mark.parametrize(
    "arguments,problem",
    [
        (["plan", "sched-x"], "there is no package 'sched-x'; there are sched-core, sched-local"),
        (["plan", "--set", "sched-x=1.0"], "there is no package 'sched-x'"),
        (
            ["plan", "--set", "sched-core=big"],
            "'big' is no version and none of patch, minor, major",
        ),
    ],
)
def test_a_wrong_word_is_told(
    repository: Miniature, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        run(repository, *arguments)
    assert problem in capsys.readouterr().err


def test_a_backend_is_tried_with_the_core_of_a_tag(
    repository: Miniature, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    repository.change("sched-core", "2.fixed.md")
    assert run(repository, "release") == 0
    repository.write(f"{LOCAL}/tests", "import sched_core; print(sched_core.CHANGE)\n")
    repository.change("sched-core", "3.added.md")
    wants = "sched-local, which wants sched-core>=0.1,<0.2, with"
    capfd.readouterr()
    assert run(repository, "try-ranges") == 0
    assert capfd.readouterr().out.splitlines() == [
        "2.fixed.md",
        f"{wants} 0.1.0: passes",
        f"{wants} the 0.1.0 of the tree: CI's own tests say so",
    ]
    repository.write(f"{LOCAL}/tests", "import sched_core; sched_core.NEW\n")
    repository.commit()
    assert run(repository, "try-ranges", "sched-local") == 1
    assert f"{wants} 0.1.0: fails" in capfd.readouterr().out


def test_what_was_released_is_installed_from_an_index(
    repository: Miniature, tmp_path: Path
) -> None:
    repository.change("sched-core", "2.fixed.md")
    assert run(repository, "release") == 0
    for name in ("sched-core", "sched-local", "sched-meta"):
        assert run(repository, "build", name, "--outdir", str(tmp_path / "simple" / name)) == 0
    with served(tmp_path) as address:
        env = Environment.made(tmp_path / "env", "3.11", "--no-config", "--no-cache")
        env.install("--default-index", f"{address}/simple", "sched-meta==0.1.*")
    installed = {each.name: each.version for each in distributions(path=[str(env.site)])}
    assert installed == dict.fromkeys(("sched-core", "sched-local", "sched-meta"), "0.1.0")
    asked = ("-c", "import sched_core; print(sched_core.CHANGE)")
    printed = env.run("python", *asked, home=tmp_path)
    assert printed == "2.fixed.md\n"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Show a folder as an index of packages."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
