"""The emulator by other ways in: encrypted, as JSON, and by the gcloud command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import batch_v1

from ..engines import or_skip
from .batch import BatchEmulator
from .batch_access import make_account, make_certificate
from .batch_calls import PARENT, Caller, calling, group_of
from .batch_rig import caller, emulator, store

__all__ = ["caller", "emulator", "store"]

JobState = batch_v1.JobStatus.State

OUTSIDER = """
import sys
from google.cloud import batch_v1
client = batch_v1.BatchServiceClient(client_options={"api_endpoint": sys.argv[1]})
print([job.name for job in client.list_jobs(parent="projects/p/locations/l")])
"""


@pytest.fixture
def guarded(tmp_path: Path, store: Path) -> Iterator[tuple[BatchEmulator, dict[str, str]]]:
    """An emulator that lets in only one account, and the environment by which a client finds in."""
    certificate, key = make_certificate(tmp_path)
    account, signer = make_account(tmp_path)
    work = tmp_path / "batch"
    emulator = BatchEmulator(store, work, certificate=certificate, key=key, signer=signer)
    with or_skip():
        emulator.start()
    try:
        yield (
            emulator,
            {
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate),
                "GOOGLE_APPLICATION_CREDENTIALS": str(account),
            },
        )
    finally:
        emulator.stop()


def list_from_outside(emulator: BatchEmulator, env: dict[str, str]) -> str:
    """List jobs with a client of which nothing is told but the endpoint."""
    done = subprocess.run(
        [sys.executable, "-c", OUTSIDER, emulator.endpoint],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout or done.stderr


def test_a_client_to_which_nothing_is_injected(
    guarded: tuple[BatchEmulator, dict[str, str]],
) -> None:
    assert list_from_outside(*guarded) == "[]\n"


def test_a_token_that_another_key_has_signed(
    guarded: tuple[BatchEmulator, dict[str, str]], tmp_path: Path
) -> None:
    emulator, env = guarded
    (tmp_path / "other").mkdir()
    account, _ = make_account(tmp_path / "other")
    told = list_from_outside(emulator, env | {"GOOGLE_APPLICATION_CREDENTIALS": str(account)})
    assert "401 Request is missing required authentication credential" in told


def test_a_client_without_a_token(guarded: tuple[BatchEmulator, dict[str, str]]) -> None:
    with calling(guarded[0]) as caller, pytest.raises(exceptions.Unauthenticated):
        caller.create(group_of("true"))


def test_the_client_by_json(caller: Caller) -> None:
    options = ClientOptions(api_endpoint=caller.emulator.url)
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]  # it has no types
    client = batch_v1.BatchServiceClient(
        transport="rest", client_options=options, credentials=nobody
    )
    by_json = Caller(caller.emulator, client)
    job = by_json.run("exit 4", tasks=3)
    assert by_json.get(job) == caller.get(job)
    assert by_json.get(job).status.state == JobState.FAILED
    assert by_json.tasks(job, page_size=2) == caller.tasks(job)
    assert by_json.task(job, 2) == caller.task(job, 2)
    assert [found.name for found in client.list_jobs(parent=PARENT)] == [f"{PARENT}/jobs/{job}"]
    by_json.delete(job).result(timeout=30)
    with pytest.raises(exceptions.NotFound):
        by_json.get(job)
    with pytest.raises(exceptions.BadRequest, match="Job ID"):
        by_json.create(group_of("true"), job_id="NONE")


# Where gcloud is not installed there is no such test: it is none of what has to be installed.
if shutil.which("gcloud"):

    def test_the_command_gcloud(emulator: BatchEmulator, tmp_path: Path) -> None:
        definition = {"taskGroups": [{"taskSpec": {"runnables": [{"script": {"text": "exit 3"}}]}}]}
        (tmp_path / "job.json").write_text(json.dumps(definition))
        gcloud = Gcloud(emulator, tmp_path)
        gcloud.run("jobs", "submit", "j", f"--config={tmp_path}/job.json")
        emulator.wait("j")
        assert gcloud.json("jobs", "describe", "j")["status"]["state"] == "FAILED"
        (listed,) = gcloud.json("jobs", "list")
        assert listed["name"] == f"{PARENT}/jobs/j"
        (task,) = gcloud.json("tasks", "list", "--job=j")
        assert task["status"]["statusEvents"][-1]["taskExecution"] == {"exitCode": 3}
        gcloud.run("jobs", "delete", "j")
        emulator.wait("j", "DELETED")


class Gcloud:
    """The command line, with a configuration of its own."""

    def __init__(self, emulator: BatchEmulator, folder: Path) -> None:
        self._env = os.environ | {
            "CLOUDSDK_CONFIG": str(folder / "gcloud"),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_BATCH": f"{emulator.url}/",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_PROJECT": "p",
        }

    def run(self, *words: str) -> str:
        location = f"--location={PARENT.rpartition('/')[2]}"
        return subprocess.run(
            ["gcloud", "batch", *words, location, "--format=json"],
            env=self._env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words))
