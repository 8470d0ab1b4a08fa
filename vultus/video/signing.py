"""The key that signs what is made here: the user's own, or one made for this installation at first use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from vultus.core.errors import InputError, MissingPartError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

KEY_VARIABLE = "VULTUS_SIGNING_KEY"
"""Environment variable that names a PEM file with the user's own private key."""
CHAIN_VARIABLE = "VULTUS_SIGNING_CHAIN"
"""Environment variable that names a PEM file with the user's certificate, followed by those that vouch for it."""
HOME_VARIABLE = "VULTUS_HOME"
"""Environment variable that names the folder of this installation's own files."""
VALID_DAYS = 3650
"""Life of a certificate made here."""

_IDENTITY_FILE = "signing.pem"
_ALGORITHM_OF_CURVE = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Identity:
    """A private key and the certificates that go with it, as PEM text."""

    key_pem: bytes
    chain_pem: bytes
    """The signer's certificate first, its root last."""
    algorithm: str
    """C2PA name: es256, es384, es512, ps256 or ed25519."""

    @property
    def root_pem(self) -> bytes:
        """The certificate at the chain's end."""
        begin = b"-----BEGIN CERTIFICATE-----"
        return begin + self.chain_pem.rpartition(begin)[2]


def home_folder() -> Path:
    """This installation's folder: $VULTUS_HOME, else vultus under $XDG_CONFIG_HOME, else ~/.config/vultus."""
    if given := os.environ.get(HOME_VARIABLE):
        return Path(given)
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "vultus"


def signing_identity() -> Identity:
    """The user's key if one is named, else this installation's, made now if there is none yet.

    Raises InputError for a user's key that cannot be used, MissingPartError where none can be stored.
    """
    identity = known_identity()
    if identity is not None:
        return identity
    path = home_folder() / _IDENTITY_FILE
    partial = path.with_name(f"{path.stem}.part.{os.getpid()}.pem")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_new_identity_pem())
        partial.replace(path)
    except OSError as error:
        fix = f"name a writable folder in {HOME_VARIABLE}"
        raise MissingPartError("the key that signs videos cannot be stored", path.parent, fix) from error
    return _parsed(path, path)


def known_identity() -> Identity | None:
    """Like `signing_identity`, but None where no key has been made yet."""
    key, chain = os.environ.get(KEY_VARIABLE), os.environ.get(CHAIN_VARIABLE)
    if key and chain:
        return _parsed(Path(key), Path(chain))
    if key or chain:
        raise InputError(f"only one of {KEY_VARIABLE} and {CHAIN_VARIABLE} is set", fix="set both or none")
    path = home_folder() / _IDENTITY_FILE
    return _parsed(path, path) if path.is_file() else None


def _parsed(key_path: Path, chain_path: Path) -> Identity:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    path = key_path
    try:
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        path = chain_path
        chain = x509.load_pem_x509_certificates(chain_path.read_bytes())
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError("this is no usable signing key or certificate", path, "give unencrypted PEM") from error
    if key.public_key() != chain[0].public_key():
        raise InputError("the certificate belongs to another key", chain_path, "put the signer's certificate first")
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain_pem = b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in chain)
    return Identity(key_pem, chain_pem, _algorithm(key, key_path))


def _algorithm(key: object, path: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _ALGORITHM_OF_CURVE:
        return _ALGORITHM_OF_CURVE[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise InputError("C2PA does not sign with this kind of key", path, "use an elliptic-curve P-256 key")


def _new_identity_pem() -> bytes:
    """A fresh key, its certificate, and the root that issued it; the root's key is forgotten at once."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("vultus local root", root_key, issuer=None)
    leaf = _certificate("vultus local signer", key, issuer=(root, root_key))
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret + leaf.public_bytes(pem) + root.public_bytes(pem)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
) -> x509.Certificate:
    """A certificate of C2PA's profile (C2PA 2.1, 14.5.1): a root without `issuer`, a signer of claims with one."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    subject = _subject(name)
    is_root = issuer is None
    issuer_name, issuer_key = (subject, key) if issuer is None else (issuer[0].subject, issuer[1])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks differ
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(_key_usage(is_root), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_root:
        purposes = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _subject(name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    attributes = ((NameOID.ORGANIZATION_NAME, "vultus (self-signed)"), (NameOID.COMMON_NAME, name))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def _key_usage(is_root: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_root,
        key_cert_sign=is_root,
        crl_sign=is_root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
