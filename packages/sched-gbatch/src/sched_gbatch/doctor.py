"""What `sched doctor gbatch` looks at. Everything here blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sched_core.errors import BackendError

from .service import BatchService

__all__ = ["check_cloud"]

Finding = tuple[str, bool | None, str]

_RIGHTS = """storage.objects.create storage.objects.delete storage.objects.get
storage.objects.list""".split()


def check_cloud(service: BatchService, workdir: str | None) -> Sequence[Finding]:
    """Return name, verdict (None: a warning) and detail of each check."""
    credentials = _credentials()
    findings = [credentials]
    if credentials[1] is not False:
        findings += [_service(service), *_bucket(workdir)]
    return findings


def _credentials() -> Finding:
    import os

    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return "credentials", None, "STORAGE_EMULATOR_HOST is set: an emulator is used, without any"
    try:
        found, project = google.auth.default()
    except DefaultCredentialsError:
        return (
            "credentials",
            False,
            (
                "there are none: gcloud auth application-default login, or have "
                "GOOGLE_APPLICATION_CREDENTIALS name a key"
            ),
        )
    account = getattr(found, "service_account_email", None) or type(found).__name__
    return "credentials", True, f"{account}" + (f", project {project}" if project else "")


def _service(service: BatchService) -> Finding:
    try:
        service.check()
    except BackendError as error:
        return "Batch API", False, str(error)
    return "Batch API", True, f"{service.parent} can be used"


def _bucket(workdir: str | None) -> Iterator[Finding]:
    if workdir is None:
        yield "bucket", None, "none was named: -w gs://bucket/folder has one checked"
        return
    from sched_core.ports.cloudstorage import as_os_errors, storage_client

    name = workdir.removeprefix("gs://").partition("/")[0]
    try:
        with as_os_errors(workdir):
            granted = storage_client().bucket(name).test_iam_permissions(_RIGHTS)
    except (OSError, BackendError) as error:
        yield "bucket", False, str(error)
        return
    missing = [right for right in _RIGHTS if right not in granted]
    if missing:
        role = "grant the account the role Storage Object Admin (roles/storage.objectAdmin)"
        yield "bucket", False, f"gs://{name} does not allow {', '.join(missing)}: {role}"
    else:
        yield "bucket", True, f"objects of gs://{name} can be read, made and removed"
