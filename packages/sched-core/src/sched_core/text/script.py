"""The script of one attempt: text that a person can read, and run with `bash job.wrapped.local`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

from .container import ContainerScript

__all__ = ["TOKEN_VARIABLE", "JobScript", "recorder_text", "render"]

TOKEN_VARIABLE = "SCHED_JOB_TOKEN"
"""The variable that marks every process of an attempt: its whole tree is found by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobScript:
    """All that a job's script says; every path is as the job sees it.

    `before` and `after` are the user's bash around the command: `before` may change the array
    `cmd`, `after` sees `rc`. `jid`, `host` and `restart` are bash expressions for the engine's own
    id, its name for the host and its count of restarts (trusted: they are a backend's). `timeout` and `grace` are seconds. `umask` is
    the command's, octal, empty to inherit; `record_umask` that of the records and outputs. Where
    `root` is given, the run's folder may lie elsewhere: `metadir`, `recorder`, `spool` and the
    variables named in `places`, all below it, are found from where the script itself lies.
    `secrets` names the files below `secrets_folder` that hold variables' values, by the variables.
    """

    index: int
    attempt: int
    run: str
    metadir: str
    recorder: str
    cmd: Sequence[str]
    token: str
    name: str | None = None
    envs: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    secrets_folder: str = ""
    cwd: str | None = None
    before: str = ""
    after: str = ""
    timeout: float | None = None
    grace: float = 10.0
    spool: str | None = None
    events: Literal["always", "fallback"] = "always"
    jid: str = ""
    host: str = ""
    restart: str = "0"
    umask: str = ""
    record_umask: str = "077"
    shebang: str = "#!/bin/bash -p"
    root: str = ""
    places: Collection[str] = ()
    container: ContainerScript | None = None


def recorder_text() -> bytes:
    """Return what every script of a run sources: recorder.bash and container.bash."""
    return _recorder_text()


@cache
def _recorder_text() -> bytes:
    texts = [files(__package__).joinpath(f"{name}.bash") for name in ("container", "recorder")]
    return b"\n".join([text.read_bytes() for text in texts])


def render(script: JobScript) -> str:
    """Return the text of a job's script; write it with `os.fsencode`."""
    s = script
    recorder = _place(s, s.recorder)
    values = [(k, _place(s, v) if k in s.places else _quote(v)) for k, v in s.envs.items()]
    exports = "".join([f" \\\n    {key}={value}" for key, value in values])
    return f"""{s.shebang}
# {_title(s)}.  By hand: bash job.wrapped.*
[[ $- == *p* ]] || exec "$BASH" -p "$0" "$@"
{_FIND_ROOT if s.root else ""}_sched_index={s.index} _sched_attempt={s.attempt}
_sched_dir={_place(s, s.metadir)}
_sched_cmd=({" ".join(map(_quote, s.cmd))})
_sched_env() {{
  export {TOKEN_VARIABLE}={_quote(s.token)}{exports}
}}
_sched_cwd={_quote(s.cwd) if s.cwd else "''"}
_sched_before={_quote(s.before) if s.before else "''"}
_sched_after={_quote(s.after) if s.after else "''"}
_sched_timeout={_seconds(s.timeout) if s.timeout else "''"} _sched_grace={_seconds(s.grace)}
_sched_spool={_place(s, s.spool) if s.spool else "''"} _sched_events={s.events}
_sched_jid="{s.jid}" _sched_restart="{s.restart}"
_sched_umask={s.umask or "''"} _sched_records={s.record_umask}
{_secrets(s) if s.secrets else _NO_SECRETS}{_container(s, s.container) if s.container else _NO_CONTAINER}[[ ${{_sched_loaded-}} == {recorder} ]] || . {recorder} && _sched_loaded={recorder}
{_host(s) if s.host else ""}sched_job "$@"
"""


# Said as well, since a slot sources one script after the other.
_NO_SECRETS = "_sched_secrets='' "
_NO_CONTAINER = "_sched_engine=''\n"

# Expansions alone where the path is absolute, as it is but by hand.
_FIND_ROOT = """_sched_root=${BASH_SOURCE[0]}
[[ $_sched_root == /* ]] || _sched_root=$(cd -- "$(dirname -- "$_sched_root")" && pwd)/.
_sched_root=${_sched_root%/*/*}
"""
_LONGEST = 10 * 365 * 86400.0
_PLAIN = re.compile(r"[A-Za-z0-9_./:=@%+,-]+", re.ASCII).fullmatch


def _quote(text: str) -> str:
    # As shlex.quote, at half its price; a name alone is never taken for anything else here.
    return text if _PLAIN(text) else "'" + text.replace("'", "'\\''") + "'"


def _place(s: JobScript, path: str) -> str:
    """Return a path as text, from the root on where that is to be found."""
    rest = path.removeprefix(s.root)
    if not s.root or (rest == path) or (rest and not rest.startswith("/")):
        return _quote(path)
    return '"$_sched_root"' + (_quote(rest) if rest else "")


def _host(s: JobScript) -> str:
    # The recorder has found the host's own name out, which stays where the engine says nothing.
    return f'_sched_name="{s.host}" _sched_host=${{_sched_name:-$_sched_host}}\n'


def _secrets(s: JobScript) -> str:
    # Names of variables and of their files, neither of which has anything to quote.
    pairs = " ".join([f"{name}={file}" for name, file in s.secrets.items()])
    return f"_sched_secrets='{pairs}' _sched_secrets_folder={_place(s, s.secrets_folder)}\n"


def _container(s: JobScript, c: ContainerScript) -> str:
    def words(values: Sequence[str]) -> str:
        return " ".join([_with_root(s, value) for value in values])

    return f"""_sched_engine={c.kind} _sched_client={_quote(c.client)} _sched_token={_quote(s.token)}
_sched_reuse={"1" if c.reuse else "''"} _sched_container_name={_quote(c.name) or "''"} _sched_user={_quote(c.user) or "''"}
_sched_container=({words(c.start)})
_sched_image=({words(c.image)})
_sched_inner_script={_place(s, c.script)}
"""


def _with_root(s: JobScript, word: str) -> str:
    """Return a word in which the run's folder is found from the script, wherever it stands in it."""
    if not s.root:
        return _quote(word)
    pieces = re.split(f"{re.escape(s.root)}(?=[/,]|$)", word)
    return '"$_sched_root"'.join([_quote(piece) if piece else "" for piece in pieces]) or "''"


def _title(s: JobScript) -> str:
    title = f"Job {s.index}" + (f" ({s.name})" if s.name else "")
    title += f", attempt {s.attempt} of run {s.run}"
    return title if title.isprintable() else repr(title)


def _seconds(value: float) -> str:
    # `read -t 0` would only ask whether there is input, and what bash cannot count is refused.
    return f"{min(max(value, 0.001), _LONGEST):.3f}".rstrip("0").rstrip(".")
