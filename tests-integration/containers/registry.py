"""A registry of images on this machine: the little of its protocol that a pull takes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

__all__ = ["Registry", "serving"]

_DOCKER = "application/vnd.docker"
_MANIFEST = f"{_DOCKER}.distribution.manifest.v2+json"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_PATIENCE = 60.0
_UNKNOWN = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'


class Registry:
    """Has one image, under any name and tag."""

    def __init__(self, archive: Path, address: str) -> None:
        self.address = address
        self.asked: Counter[str] = Counter()
        """How often each was fetched: `manifest` (or looked at), `config`, `layer`."""
        self.open = threading.Event()
        """While it is not set, layers are kept back."""
        self.open.set()
        self._files = _alone(archive)
        self._layer = gzip.compress(self._files, 1)
        self.publish("1")

    def publish(self, version: str) -> None:
        """Have the image say so by its variable PUBLISHED."""
        layer = self._layer
        config = json.dumps(
            {
                "architecture": _MACHINES.get(platform.machine(), platform.machine()),
                "os": "linux",
                "config": {"Env": ["PATH=/bin:/usr/bin", f"PUBLISHED={version}"]},
                "rootfs": {"type": "layers", "diff_ids": [_digest(self._files)]},
            }
        ).encode()
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": _described(f"{_DOCKER}.container.image.v1+json", config),
                "layers": [_described(f"{_DOCKER}.image.rootfs.diff.tar.gzip", layer)],
            }
        ).encode()
        self.blobs = {_digest(config): ("config", config), _digest(layer): ("layer", layer)}

    @property
    def image(self) -> str:
        return f"{self.address}/image:1"


def _alone(archive: Path) -> bytes:
    """Return the archive with something in it that no other has: engines know layers again."""
    files = io.BytesIO(archive.read_bytes())
    with tarfile.open(fileobj=files, mode="a") as tar:
        tar.addfile(tarfile.TarInfo(f"./{uuid.uuid4()}"))
    return files.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: ClassVar[Registry]

    def do_HEAD(self) -> None:  # a name of http.server
        self.do_GET()

    def do_GET(self) -> None:
        registry, (*_, what, name) = self.registry, self.path.rsplit("/", 2)
        if what == "manifests" and "/image/" in self.path:
            registry.asked["manifest"] += 1
            self._answer(registry.manifest, _MANIFEST)
        elif what == "blobs" and name in registry.blobs:
            kind, content = registry.blobs[name]
            if self.command == "GET":
                registry.asked[kind] += 1
                if kind == "layer":
                    registry.open.wait(_PATIENCE)
            self._answer(content, "application/octet-stream")
        else:
            self._answer(_UNKNOWN, "application/json", 200 if self.path == "/v2/" else 404)

    def _answer(self, content: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Content-Digest", _digest(content))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


@contextmanager
def serving(archive: Path) -> Iterator[Registry]:
    """Have a registry for a while."""

    class Handler(_Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Handler.registry = Registry(archive, f"127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Handler.registry
        finally:
            Handler.registry.open.set()
            server.shutdown()
            thread.join()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _described(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "size": len(content), "digest": _digest(content)}
