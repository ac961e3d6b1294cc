"""The client library, in one place since it has no types."""

from google.cloud.storage import Bucket, Client

__all__ = ["Bucket", "Client"]
