"""The installed `sched`, called as by a person."""

import subprocess

__all__ = ["printed", "refused"]


def printed(*arguments: str, code: int = 0) -> str:
    """Return what it prints, where it ends with that exit code."""
    done = _call(*arguments)
    assert done.returncode == code, done
    return done.stdout


def refused(*arguments: str) -> str:
    """Return the one line that it says where a scheduler cannot be used."""
    done = _call(*arguments)
    assert done.returncode == 3, done
    assert (done.stdout, done.stderr.count("\n")) == ("", 1), done
    return done.stderr


def _call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sched", *arguments], check=False, capture_output=True, text=True)
