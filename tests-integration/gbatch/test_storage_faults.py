"""What tests can have the emulator do wrong, and what it counts."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from google.api_core.exceptions import (
    Forbidden,
    PreconditionFailed,
    ServiceUnavailable,
    TooManyRequests,
)
from google.auth.exceptions import InvalidOperation
from google.oauth2.credentials import Credentials
from requests.exceptions import ChunkedEncodingError, ReadTimeout
from requests.exceptions import ConnectionError as Disconnected

from .conftest import BUCKET
from .storage import StorageEmulator
from .storage_client import Bucket, Client


def test_a_status(bucket: Bucket, storage: StorageEmulator) -> None:
    storage.fault(method="GET", path="/o/a", status=429, count=2)
    bucket.blob("a").upload_from_string("x")
    for _ in range(2):
        with pytest.raises(TooManyRequests, match="exceeds the rate limit"):
            bucket.blob("a").reload(retry=None)
    bucket.blob("a").reload(retry=None)


def test_a_library_that_tries_again_sees_nothing(bucket: Bucket, storage: StorageEmulator) -> None:
    bucket.blob("a").upload_from_string("x")
    storage.fault(method="GET", status=503)
    bucket.blob("a").reload()
    assert storage.pending_faults() == []


def test_only_later_ones(bucket: Bucket, storage: StorageEmulator) -> None:
    storage.fault(path="list", skip=10)
    storage.fault(method="POST", path="name=b|upload", skip=1)
    bucket.blob("a").upload_from_string("x", retry=None)
    with pytest.raises(ServiceUnavailable):
        bucket.blob("b").upload_from_string("x", retry=None)
    assert len(storage.pending_faults()) == 1
    storage.clear_faults()
    assert storage.pending_faults() == []


def test_a_lost_answer(bucket: Bucket, storage: StorageEmulator) -> None:
    storage.fault("lost", path="upload")
    with pytest.raises(Disconnected):
        bucket.blob("a").upload_from_string("x", if_generation_match=0, retry=None)
    assert bucket.blob("a").download_as_text() == "x"
    storage.fault("lost", path="upload")
    with pytest.raises(PreconditionFailed):  # its own first attempt is what it meets
        bucket.blob("b").upload_from_string("x", if_generation_match=0)


def test_a_connection_that_is_reset(bucket: Bucket, storage: StorageEmulator) -> None:
    storage.fault("reset", path="upload")
    with pytest.raises(Disconnected):
        bucket.blob("a").upload_from_string("x", retry=None)
    assert not bucket.blob("a").exists()


def test_an_answer_that_breaks_off(bucket: Bucket, storage: StorageEmulator) -> None:
    bucket.blob("a").upload_from_string("x" * 100_000)
    storage.fault("cut", path="alt=media")
    with pytest.raises((ChunkedEncodingError, Disconnected)):
        bucket.blob("a").download_as_bytes(retry=None)
    assert len(bucket.blob("a").download_as_bytes()) == 100_000


def test_a_delay(bucket: Bucket, storage: StorageEmulator) -> None:
    bucket.blob("a").upload_from_string("x")
    storage.fault("delay", seconds=0.5, count=2)
    with pytest.raises(ReadTimeout):
        bucket.blob("a").reload(timeout=0.05, retry=None)
    start = time.monotonic()
    bucket.blob("a").reload(timeout=10, retry=None)
    assert time.monotonic() - start >= 0.5


def test_a_part_of_a_batch(bucket: Bucket, storage: StorageEmulator) -> None:
    for name in "abc":
        bucket.blob(name).upload_from_string(name)
    storage.fault(method="DELETE", path=r"/o/b\?", status=503)
    with bucket.client.batch(raise_exception=False) as batch:
        for name in "abc":
            bucket.blob(name).delete()
    assert [response.status_code for response in batch._responses] == [204, 503, 204]
    assert [blob.name for blob in bucket.list_blobs()] == ["b"]


def test_counts(bucket: Bucket, storage: StorageEmulator) -> None:
    bucket.blob("a").upload_from_string("x")
    bucket.blob("a").download_as_bytes()
    bucket.blob("a").reload()
    list(bucket.list_blobs())
    with bucket.client.batch():
        bucket.blob("a").delete()
    counts = storage.counts()
    assert counts == {
        "upload": 1,
        "download": 1,
        "get": 1,
        "list": 1,
        "batch": 1,
        "batch parts": 1,
        "batch delete": 1,
    }
    assert storage.requests() == 5
    storage.reset_counts()
    assert storage.counts() == {}


def test_rights_are_taken_away(bucket: Bucket, storage: StorageEmulator) -> None:
    bucket.blob("a").upload_from_string("x")
    asked = ["storage.objects.get", "storage.objects.list"]
    assert bucket.test_iam_permissions(asked) == asked
    storage.deny({BUCKET: ["storage.objects.list"]})
    assert bucket.test_iam_permissions(asked) == ["storage.objects.get"]
    with pytest.raises(Forbidden, match=r"Permission 'storage.objects.list' denied"):
        list(bucket.list_blobs())
    bucket.blob("a").reload()
    storage.deny({BUCKET: ["*"]})
    with pytest.raises(Forbidden):
        bucket.blob("a").reload()
    storage.deny({})
    bucket.blob("a").reload()


def test_a_token_is_required(bucket: Bucket, storage: StorageEmulator) -> None:
    storage.require_authorization()
    with pytest.raises(InvalidOperation):  # told that it is nobody, it looks for another token
        list(bucket.list_blobs())
    client = Client(project="p", credentials=Credentials("token"))  # type: ignore[no-untyped-call]  # Google's
    assert list(client.bucket(BUCKET).list_blobs()) == []
    client.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1; its key is in the same folder."""
    made = tmp_path / "cert.pem"
    options = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    files = ["-out", str(made), "-keyout", str(tmp_path / "key.pem")]
    subprocess.run(
        ["openssl", "req", *options.split(), "-addext", "subjectAltName=IP:127.0.0.1", *files],
        check=True,
        capture_output=True,
    )
    return made


def test_tls(tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = certificate.with_name("key.pem")
    with StorageEmulator(tmp_path / "root", BUCKET, certificate=certificate, key=key) as storage:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.fspath(certificate))
        client = Client()
        client.bucket(BUCKET).blob("a").upload_from_string("x")
        client.close()
        assert storage.counts()["upload"] == 1


def test_it_ends_with_its_input_and_when_it_is_told(tmp_path: Path) -> None:
    emulator = StorageEmulator(tmp_path)
    emulator.stop()
    emulator.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(emulator.pid, 0)
    with StorageEmulator(tmp_path) as told:
        os.kill(told.pid, signal.SIGTERM)
