"""The process of the emulator: `python -m tests-integration.gbatch.batch_main STORE WORK`, from the root
of the repository. It prints its ports as JSON, and ends, with all tasks, on TERM or at the end of its stdin.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from threading import Thread

from .batch_access import authority
from .batch_control import Control
from .batch_fleet import Fleet
from .batch_grpc import serve_grpc
from .batch_http import serve_http
from .batch_machine import Machines
from .batch_plan import Places
from .batch_podman import podman_words, remove_groups
from .batch_service import Service


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="batch_main")
    parser.add_argument("store", type=Path, help="folder whose folders are the buckets")
    parser.add_argument("work", type=Path, help="folder for what tasks run and print")
    parser.add_argument("--slots", type=int, default=4, help="tasks that run at once")
    parser.add_argument("--queue-delay", type=float, default=0.0, help="seconds a job is QUEUED")
    parser.add_argument("--schedule-delay", type=float, default=0.0, help="seconds it is SCHEDULED")
    parser.add_argument("--certificate", type=Path, help="PEM: serve an encrypted port, too")
    parser.add_argument("--key", type=Path, help="PEM: the certificate's key")
    parser.add_argument("--signer", type=Path, help="PEM: let in only whose token this key signed")
    parser.add_argument(
        "--images", type=Path, help="Podman's storage with the images that there are"
    )
    return parser.parse_args()


def _fleet(options: argparse.Namespace) -> Fleet:
    options.work.mkdir(parents=True, exist_ok=True)
    podman = podman_words(options.work, options.images) if options.images else ()
    places = Places(store=options.store, podman=podman)
    delays = (options.queue_delay, options.schedule_delay)
    return Fleet(Machines(options.work, places), options.slots, delays)


def _await_end_of_input(loop: asyncio.AbstractEventLoop, ending: asyncio.Event) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(ending.set)


async def _serve(options: argparse.Namespace) -> None:
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ending.set)
    loop.add_signal_handler(signal.SIGINT, ending.set)
    Thread(target=_await_end_of_input, args=(loop, ending), daemon=True).start()
    service = Service(_fleet(options), authority(options.signer))
    server, plain, encrypted = await serve_grpc(service, options.certificate, options.key)
    http = serve_http(service, Control(service), loop)
    ports = {"plain": plain, "encrypted": encrypted, "http": http}
    sys.stdout.write(f"{json.dumps(ports)}\n")
    sys.stdout.flush()
    await ending.wait()
    await server.stop(None)
    service.fleet.kill_all()
    if options.images:
        remove_groups()


if __name__ == "__main__":
    asyncio.run(_serve(_options()))
