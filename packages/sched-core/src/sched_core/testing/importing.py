"""What an import does besides defining names: nothing, where all is well."""

from __future__ import annotations

import json
import subprocess
import sys

__all__ = ["side_effects"]

_PROBE = """
import asyncio, importlib, json, logging, os, signal, sys, threading, warnings

watched = ("socket.", "subprocess.Popen", "os.system", "os.fork", "os.posix_spawn", "os.exec", "os.mkdir", "os.remove",
           "os.rename", "os.putenv", "os.unsetenv", "os.chdir", "urllib.Request")
done, looking = [], False

def hook(event, args):
    if looking and event.startswith(watched):
        done.append(f"{event} {args!r:.80}")
    elif looking and event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        done.append(f"open {args!r:.80}")

def state():
    umask = os.umask(0o077)
    os.umask(umask)
    return {
        "environment": dict(os.environ),
        "event loop policy": type(asyncio.get_event_loop_policy()).__qualname__,
        "excepthook": sys.excepthook,
        "logging handlers": list(logging.getLogger().handlers),
        "signal handlers": [signal.getsignal(number) for number in signal.valid_signals()],
        "sys.path": list(sys.path),
        "threads": threading.enumerate(),
        "umask": umask,
        "working directory": os.getcwd(),
    }

before = state()
sys.addaudithook(hook)
looking = True
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for member in getattr(module, "__all__", ()):
        getattr(module, member)
looking = False
after = state()
quiet = logging.NullHandler  # what the manual of logging has libraries add
noisy = [name for name, logger in logging.root.manager.loggerDict.items()
         if any(not isinstance(handler, quiet) for handler in getattr(logger, "handlers", ()))]
done += [what for what in before if before[what] != after[what]]
print(json.dumps(done + [f"handlers of the logger {name}" for name in noisy]))
"""


def side_effects(*packages: str) -> list[str]:
    """Import packages and all that they offer in a new Python, and tell what that has done besides.

    That is what it has opened to write, started or connected to, and whether signal handlers, the policy
    of event loops, handlers of logs, the environment or the like have changed. A package that a pipeline
    imports into its own process should do nothing of the kind: then the list is empty.

    Raises subprocess.CalledProcessError where the packages cannot be imported.
    """
    # -B: what Python itself writes into __pycache__ is no doing of the package.
    argv = [sys.executable, "-B", "-c", _PROBE, *packages]
    told = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    found: list[str] = json.loads(told)
    return found
