"""The client library, in one place since it has no types."""

from google.cloud.storage import Bucket, Client  # type: ignore[import-untyped]  # it has none

__all__ = ["Bucket", "Client"]
