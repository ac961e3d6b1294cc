"""What a Batch job is asked to be: its definition, as the REST API spells it. Pure."""

from __future__ import annotations

import math
import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sched_core import OptionError
from sched_core.model.resources import Resources
from sched_core.paths import Mount

from .fields import merge

__all__ = ["Needs", "Place", "Work", "definition", "region_of"]

_MARGIN = 300.0
"""Seconds that a task may take besides its command: to fetch its script, to bring up its files. These
may be tried again for a tenth of the command's time.
"""
_ZONE = re.compile(r"([a-z]+-[a-z]+\d+)-[a-z]")
# root mounts them: without modes a container of another user could not write, and no file be executed.
_MODES = ("-implicit-dirs", "-file-mode=777", "-dir-mode=777")
_MOUNT_OPTIONS = ("-o rw,allow_other", *_MODES)
_READ_ONLY = ("-o ro,allow_other", *_MODES)


@dataclass(frozen=True, slots=True)
class Place:
    """Where tasks run: options of the scheduler, by their names."""

    location: str
    service_account: str | None = None
    network: str | None = None
    subnetwork: str | None = None
    no_external_ip_address: bool | None = None
    machine_type: str | None = None
    accelerator_type: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What tasks run: a script of the VM, or with `image_uri` a container.

    `commands` has its three forms: see `GbatchScheduler`. `runnables` run before and after it.
    """

    image_uri: str | None = None
    entrypoint: str | None = None
    commands: tuple[str, ...] | str | None = None
    runnables: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        for name in ("entrypoint", "commands"):
            if getattr(self, name) is not None and self.image_uri is None:
                raise OptionError(f"{name} is for containers: name their image (image_uri), too")


@dataclass(frozen=True, slots=True)
class Needs:
    """What jobs must have in common to be tasks of one Batch job."""

    resources: Resources = field(default_factory=Resources)
    time: float | None = None
    """The limit of an attempt, in seconds."""
    model: str | None = None
    """The provisioning model: STANDARD, SPOT, ..."""


def region_of(location: str) -> str:
    """Return the region of a region or zone."""
    zone = _ZONE.fullmatch(location)
    return zone[1] if zone else location


def definition(
    needs: Needs,
    place: Place,
    work: Work,
    *,
    lang: str,
    script: str,
    mounts: Sequence[Mount],
    labels: Mapping[str, str],
    tasks: int,
    parallelism: int,
    grace: float,
    fields: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the definition of a job of so many tasks, each of which starts `script`.

    `fields` are the user's own, and win. Raises OptionError.
    """
    spec: dict[str, Any] = {
        "runnables": _runnables(work, lang, script),
        "maxRetryCount": 0,
        "volumes": [_volume(mount) for mount in mounts],
    }
    if compute := _compute(needs.resources):
        spec["computeResource"] = compute
    if needs.time is not None:
        spec["maxRunDuration"] = f"{math.ceil(needs.time * 1.1 + grace + _MARGIN)}s"
    job = {
        "labels": dict(labels),
        "allocationPolicy": _allocation(needs, place, labels),
        "logsPolicy": {"destination": "CLOUD_LOGGING"},
        "taskGroups": [
            {"taskSpec": spec, "taskCount": str(tasks), "parallelism": str(parallelism)}
        ],
    }
    merged: dict[str, Any] = merge(job, dict(fields))
    for instance in merged["allocationPolicy"]["instances"]:
        if "instanceTemplate" in instance:  # which stands in the place of a policy
            instance.pop("policy", None)
    return merged


def _compute(wanted: Resources) -> dict[str, str]:
    compute = {}
    if wanted.cpus is not None:
        compute["cpuMilli"] = str(math.ceil(wanted.cpus * 1000))
    if wanted.memory is not None:
        compute["memoryMib"] = str(_mebibytes(wanted.memory))
    if wanted.disk is not None:
        compute["bootDiskMib"] = str(_mebibytes(wanted.disk))
    return compute


def _mebibytes(size: int) -> int:
    return max(1, math.ceil(size / (1 << 20)))


def _volume(mount: Mount) -> dict[str, Any]:
    if not mount.source.startswith("gs://"):
        raise OptionError(
            f"mount {mount.source!r}: Google Batch mounts folders of buckets, "
            "'gs://bucket/folder:/mnt/disks/NAME' or 'NAME=gs://bucket/folder'"
        )
    options = _READ_ONLY if mount.read_only else _MOUNT_OPTIONS
    return {
        "gcs": {"remotePath": mount.source.removeprefix("gs://")},
        "mountPath": mount.target,
        "mountOptions": list(options),
    }


# --- what runs ---------------------------------------------------------------------------------------


def _runnables(work: Work, lang: str, script: str) -> list[dict[str, Any]]:
    """Return what runs, in order: those of a negative `order` before the jobs' own."""
    others = sorted(work.runnables, key=_order)
    bare = [{k: v for k, v in runnable.items() if k != "order"} for runnable in others]
    before = sum(_order(runnable) < 0 for runnable in others)
    return [*bare[:before], _main(work, lang, script), *bare[before:]]


def _order(runnable: Mapping[str, Any]) -> float:
    order = runnable.get("order", 0)
    if isinstance(order, bool) or not isinstance(order, int | float):
        raise OptionError(f"runnables: the order {order!r} is no number")
    return order


def _main(work: Work, lang: str, script: str) -> dict[str, Any]:
    if work.image_uri is None:
        words = " ".join(map(shlex.quote, (*shlex.split(lang), script)))
        # A bucket's file may be late, as the scheduler's own are.
        wait = f"for i in 1 2 3 4 5 6; do [ -s {shlex.quote(script)} ] || sleep 5; done"
        return {"script": {"text": f"#!/bin/sh\n{wait}\nexec {words}\n"}}
    entrypoint, commands = _command(work, shlex.split(lang), script)
    container: dict[str, Any] = {"imageUri": work.image_uri, "commands": commands}
    if entrypoint:  # else the image's own
        container["entrypoint"] = entrypoint
    return {"container": container}


def _command(work: Work, lang: list[str], script: str) -> tuple[str, list[str]]:
    """Return the entrypoint and the words after it, in the form that the user chose."""
    given = work.commands
    words = [given] if isinstance(given, str) else list(given or ())
    line = shlex.join([*lang, script])
    if any("{lang}" in word or "{script}" in word for word in words):
        filled = [
            w.replace("{lang}", shlex.join(lang)).replace("{script}", shlex.quote(script))
            for w in words
        ]
        return work.entrypoint or "", filled
    if work.entrypoint is None:
        return lang[0], [*lang[1:], *words, script]
    if words:
        return work.entrypoint, [*words, line]
    if posixpath.basename(work.entrypoint) == posixpath.basename(lang[0]):
        return work.entrypoint, [*lang[1:], script]
    return work.entrypoint, [*lang, script]


# --- where it runs -----------------------------------------------------------------------------------


def _allocation(needs: Needs, place: Place, labels: Mapping[str, str]) -> dict[str, Any]:
    policy: dict[str, Any] = {}
    if place.machine_type:
        policy["machineType"] = place.machine_type
    if needs.model:
        policy["provisioningModel"] = needs.model
    if needs.resources.gpus:
        policy["accelerators"] = [_accelerators(needs.resources.gpus, place)]
    instance: dict[str, Any] = {"policy": policy}
    if needs.resources.gpus:
        instance["installGpuDrivers"] = True
    allocation: dict[str, Any] = {"instances": [instance], "labels": dict(labels)}
    if place.location != region_of(place.location):
        allocation["location"] = {"allowedLocations": [f"zones/{place.location}"]}
    if place.service_account:
        allocation["serviceAccount"] = {"email": place.service_account}
    if network := _network(place):
        allocation["network"] = {"networkInterfaces": [network]}
    return allocation


def _accelerators(gpus: int, place: Place) -> dict[str, Any]:
    if place.accelerator_type is None:
        raise OptionError(
            f"a job asks for gpus={gpus}: say of which kind (accelerator_type='nvidia-tesla-t4')"
        )
    return {"type": place.accelerator_type, "count": str(gpus)}


def _network(place: Place) -> dict[str, Any]:
    network: dict[str, Any] = {}
    if place.network:
        network["network"] = place.network
    if place.subnetwork:
        network["subnetwork"] = place.subnetwork
    if place.no_external_ip_address is not None:
        network["noExternalIpAddress"] = place.no_external_ip_address
    return network
