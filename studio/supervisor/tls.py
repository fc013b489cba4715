"""The local certificate authority, created once, and the web server's certificate, renewed at
start.

Python 3.13 verifies strictly, so the authority has critical basicConstraints and keyUsage, and both
have key identifiers.
"""

import ipaddress
import os
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from studio.supervisor.datafolder import write_private

AUTHORITY_DAYS = 3650
LEAF_DAYS = 396  # plus the hour before now: below the 397 days that browsers accept
RENEW_BEFORE = timedelta(days=30)
CLOCK_SKEW = timedelta(hours=1)
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
TRUSTED_BY = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")


@dataclass(frozen=True)
class Files:
    """Paths below data/tls."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def authority_key(self) -> Path:
        return self.folder / "ca.key"

    @property
    def certificate(self) -> Path:
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"

    @property
    def bundle(self) -> Path:
        return self.folder / "ca-bundle.pem"


@dataclass(frozen=True)
class Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def local_hosts(*extra: str) -> list[str]:
    """The names of this machine that a caller may use, without wildcard addresses."""
    names = ["127.0.0.1", "::1", "localhost", socket.gethostname(), *extra]
    return list(dict.fromkeys(name for name in names if name not in ("", "0.0.0.0", "::")))  # noqa: S104


def ensure(folder: Path, *, hosts: Iterable[str], now: datetime | None = None) -> Files:
    """Create what is missing, does not cover `hosts`, or ends within 30 days."""
    now = now or datetime.now(UTC)
    files = Files(folder)
    authority = _load(files.authority, files.authority_key)
    if authority is None or _ends_before(authority, now + timedelta(days=LEAF_DAYS)):
        authority = _make_authority(now)
        _store(authority, files.authority, files.authority_key)
    leaf = _load(files.certificate, files.key)
    if leaf is None or not _fits(leaf, authority, hosts) or _ends_before(leaf, now + RENEW_BEFORE):
        _store(_make_leaf(authority, hosts, now), files.certificate, files.key)
    bundle = _trusted_here(files.bundle) + b"\n" + files.authority.read_bytes()
    if not files.bundle.exists() or files.bundle.read_bytes() != bundle:
        write_private(files.bundle, bundle)
    return files


def _trusted_here(ours: Path) -> bytes:
    """The public roots and those of this machine: our bundle replaces its variables in steps, which
    may have to use a proxy that inspects TLS."""
    roots = Path(certifi.where()).read_bytes()
    known = set(CERTIFICATE.findall(roots))
    for name in TRUSTED_BY:
        path = Path(os.environ.get(name) or ours)
        if path.is_file() and not (ours.exists() and path.samefile(ours)):
            found = dict.fromkeys(CERTIFICATE.findall(path.read_bytes()))
            roots += b"".join(b"\n" + each + b"\n" for each in found if each not in known)
            known.update(found)
    return roots


def _load(certificate: Path, key: Path) -> Pair | None:
    """The pair in these files; None if they are missing, damaged or do not match."""
    try:
        public = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return None
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        return None
    return Pair(public, private) if public.public_key() == private.public_key() else None


def _store(pair: Pair, certificate: Path, key: Path) -> None:
    write_private(
        key,
        pair.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    write_private(certificate, pair.certificate.public_bytes(serialization.Encoding.PEM))


def _ends_before(pair: Pair, moment: datetime) -> bool:
    return pair.certificate.not_valid_after_utc < moment


def _fits(leaf: Pair, authority: Pair, hosts: Iterable[str]) -> bool:
    try:
        leaf.certificate.verify_directly_issued_by(authority.certificate)
        names = leaf.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return set(names.value) == set(_general_names(hosts))


def _make_authority(now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Pipeline Studio local CA")
    certificate = (
        _builder(name, name, key, now, days=AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return Pair(certificate, key)


def _make_leaf(authority: Pair, hosts: Iterable[str], now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name("Pipeline Studio"), authority.certificate.subject, key, now, days=LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_general_names(hosts)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    return Pair(certificate, key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    return [_general_name(host) for host in dict.fromkeys(hosts)]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode() if not host.isascii() else host)
