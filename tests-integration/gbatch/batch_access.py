"""Who may call: certificates, keys of service accounts, and the tokens that they sign."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from .batch_service import Auth

__all__ = ["authority", "make_account", "make_certificate"]

_DAY = dt.timedelta(days=1)


def authority(signer: Path | None) -> Auth:
    """Return who is let in: whoever shows a token that the key has signed, or everybody."""
    if signer is None:
        return lambda _: True
    from google.auth import exceptions, jwt

    key = signer.read_bytes()

    def is_let_in(authorization: str) -> bool:
        try:
            jwt.decode(  # type: ignore[no-untyped-call]  # it ships none
                authorization.removeprefix("Bearer "), certs=key
            )
        except (ValueError, exceptions.GoogleAuthError):
            return False
        return True

    return is_let_in


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of this machine, signed by itself, and return its file and that of its key."""
    key = _new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - _DAY)
        .not_valid_after(today + _DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "certificate.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(_pem(key))
    return files


def make_account(folder: Path, project: str = "p") -> tuple[Path, Path]:
    """Make the key of a service account, and return its file and that of its public part.

    No server of tokens is needed: the client signs its own.
    """
    key = _new_key()
    account = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "1",
        "private_key": _pem(key).decode(),
        "client_email": f"tests@{project}.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    files = folder / "account.json", folder / "account.pem"
    files[0].write_text(json.dumps(account))
    files[1].write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return files


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
