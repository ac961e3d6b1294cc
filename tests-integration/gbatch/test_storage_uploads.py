"""Resumable uploads, spoken by hand where the library would not do it."""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
from contextlib import closing

import pytest
from google.api_core.exceptions import BadRequest, PreconditionFailed

from .storage import StorageEmulator
from .storage_client import Bucket

UNIT = 256 * 1024
CONTENT = os.urandom(3 * UNIT + 100)


class Upload:
    """A resumable upload, request by request."""

    def __init__(self, storage: StorageEmulator, name: str, query: str = "") -> None:
        self._address = ("127.0.0.1", storage.port)
        self.path = f"/upload/storage/v1/b/bucket/o?uploadType=resumable{query}"
        answer = self.ask("POST", json.dumps({"name": name}).encode())
        self.path = answer.headers["Location"].removeprefix(storage.url)

    def ask(self, method: str, body: bytes = b"", said: str = "") -> http.client.HTTPResponse:
        headers = {"Content-Range": said} if said else {}
        with closing(http.client.HTTPConnection(*self._address, timeout=30)) as connection:
            connection.request(method, self.path, body, headers)
            answer = connection.getresponse()
            self.answered = answer.read()
            return answer

    def put(self, start: int, end: int, total: int | str = "*") -> tuple[int, str | None]:
        """Send a piece, and return the status and what has come so far."""
        answer = self.ask("PUT", CONTENT[start:end], f"bytes {start}-{end - 1}/{total}")
        return answer.status, answer.headers["Range"]

    def progress(self) -> tuple[int, str | None]:
        answer = self.ask("PUT", said="bytes */*")
        return answer.status, answer.headers["Range"]

    def break_off(self, start: int, end: int, sent: int) -> None:
        """Begin to send a piece, and end the connection in its middle."""
        with socket.create_connection(self._address) as connection:
            head = f"PUT {self.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {end - start}\r\n"
            head += f"Content-Range: bytes {start}-{end - 1}/*\r\n\r\n"
            connection.sendall(head.encode() + CONTENT[start : start + sent])
            connection.shutdown(socket.SHUT_WR)
            connection.recv(4096)


def test_the_library_uploads_in_pieces(bucket: Bucket, storage: StorageEmulator) -> None:
    blob = bucket.blob("a", chunk_size=UNIT)
    blob.upload_from_file(io.BytesIO(CONTENT), if_generation_match=0)

    assert bucket.get_blob("a").download_as_bytes(checksum="md5") == CONTENT
    assert storage.counts()["upload"] == 5


def test_the_library_uploads_what_it_does_not_know_the_size_of(bucket: Bucket) -> None:
    with bucket.blob("a").open("wb", chunk_size=UNIT) as file:
        file.write(CONTENT)
    assert bucket.blob("a").download_as_bytes() == CONTENT


def test_pieces_follow_each_other(bucket: Bucket, storage: StorageEmulator) -> None:
    upload = Upload(storage, "a")
    assert upload.progress() == (308, None)
    assert upload.put(UNIT, 2 * UNIT) == (503, None)  # one is missing before it
    assert upload.put(0, UNIT) == (308, f"bytes=0-{UNIT - 1}")
    assert upload.put(0, 2 * UNIT) == (308, f"bytes=0-{2 * UNIT - 1}")  # sent again, and more
    assert not bucket.blob("a").exists()
    assert upload.put(2 * UNIT, len(CONTENT), len(CONTENT)) == (200, None)

    assert bucket.blob("a").download_as_bytes() == CONTENT
    assert upload.progress() == (200, None)  # the answer was lost: it is told again
    assert json.loads(upload.answered)["size"] == str(len(CONTENT))


def test_a_piece_that_breaks_off_is_kept_in_part(bucket: Bucket, storage: StorageEmulator) -> None:
    upload = Upload(storage, "a")
    upload.break_off(0, 3 * UNIT, sent=UNIT + 77)
    assert upload.progress() == (308, f"bytes=0-{UNIT - 1}")
    assert upload.put(UNIT, len(CONTENT), len(CONTENT)) == (200, None)
    assert bucket.blob("a").download_as_bytes() == CONTENT


def test_a_condition_holds_when_the_upload_ends(bucket: Bucket, storage: StorageEmulator) -> None:
    first, second = (Upload(storage, "a", "&ifGenerationMatch=0") for _ in range(2))
    assert first.put(0, 5, 5) == (200, None)
    assert second.put(0, 7, 7) == (412, None)
    assert bucket.blob("a").download_as_bytes() == CONTENT[:5]
    with pytest.raises(PreconditionFailed):
        bucket.blob("a", chunk_size=UNIT).upload_from_file(
            io.BytesIO(CONTENT), if_generation_match=0
        )


def test_an_upload_is_given_up(bucket: Bucket, storage: StorageEmulator) -> None:
    upload = Upload(storage, "a")
    upload.put(0, UNIT)
    assert upload.ask("DELETE").status == 499
    assert upload.progress() == (410, None)
    assert not bucket.blob("a").exists()


def test_damaged_content_is_refused(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.md5_hash = "1B2M2Y8AsgTpgAmY7PhCfg=="
    with pytest.raises(BadRequest, match=r"Provided MD5 .* doesn't match calculated"):
        blob.upload_from_string("x")
    assert not blob.exists()
