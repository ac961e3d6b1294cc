from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sched_core.testing.importing import side_effects


def test_t44_an_import_does_nothing_else() -> None:
    assert side_effects("sched_core", "sched_core.testing.contract") == []


@pytest.mark.parametrize(
    "code, told",
    [
        ("import socket; socket.socket().close()", "socket.__new__"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import threading as t; t.Thread(target=t.Event().wait, daemon=True).start()", "threads"),
        ("import signal; signal.signal(signal.SIGCHLD, print)", "signal handlers"),
        ("import logging; logging.basicConfig()", "logging handlers"),
        ("import logging; logging.getLogger('sched').addHandler(logging.StreamHandler())", "sched"),
        ("import os; os.environ['A_NEW_ONE'] = '1'", "environment"),
        ("open('left', 'w').close()", "open "),
        ("import os; os.mkdir('left')", "os.mkdir"),
        ("def __getattr__(name): open('left', 'w')\n__all__ = ['late']", "open "),
    ],
)
def test_t44_what_an_import_does_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    (tmp_path / "busy.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert any(told in effect for effect in side_effects("busy"))


def test_what_cannot_be_imported_is_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        side_effects("no_such_package")


@pytest.mark.parametrize(
    "module, code",
    [
        ("pytest", "import sched_core.testing.contract"),
        (
            "trio",
            "from sched_core.testing import simulator as s; s.simulate(s.Scenario(1, backend='trio'))",
        ),
    ],
)
def test_what_only_tests_need_is_named_with_its_extra(module: str, code: str) -> None:
    without = f"import sys\nsys.modules[{module!r}] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", without + code], capture_output=True, text=True, check=False
    )
    told = f"sched_core.testing needs {module} here: pip install 'sched-core[testing]'"
    assert done.stderr.splitlines()[-1] == f"ImportError: {told}"
