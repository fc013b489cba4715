"""The local CA and the server's certificate, verified as strictly as Python 3.13 does."""

import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from cryptography import x509

from studio.supervisor import tls

HOSTS = ["127.0.0.1", "::1", "localhost", "studio.example.com"]


@pytest.fixture
def files(tmp_path):
    return tls.ensure(tmp_path, hosts=HOSTS)


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def handshake(files, host):
    """Speak TLS over a socket pair, the client verifying strictly against our bundle."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    client = ssl.create_default_context(cafile=str(files.bundle))
    client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    ours, theirs = socket.socketpair()

    def answer():
        try:
            with server.wrap_socket(theirs, server_side=True) as stream:
                stream.sendall(b"ok")
        except ssl.SSLError:
            theirs.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=host) as stream:
            return stream.recv(2)
    finally:
        ours.close()
        thread.join()


@pytest.mark.parametrize("host", HOSTS)
def test_strict_verification_passes_for_every_host(files, host):
    assert handshake(files, host) == b"ok"


def test_strict_verification_refuses_another_host(files):
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(files, "elsewhere.example.com")


def test_openssl_agrees(files, require):
    verified = subprocess.run(
        [
            require("openssl"),
            "verify",
            "-x509_strict",
            "-CAfile",
            files.authority,
            files.certificate,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stderr


def test_certificates_carry_what_strict_clients_ask_for(files):
    authority, leaf = certificate(files.authority), certificate(files.certificate)
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = authority.extensions.get_extension_for_class(x509.KeyUsage)
    assert constraints.critical and constraints.value.ca
    assert usage.critical and usage.value.key_cert_sign
    subject_key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    issuer_key = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert issuer_key.key_identifier == subject_key.digest
    assert leaf.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)


def test_keys_are_readable_by_their_owner_alone(files):
    assert {oct(file.stat().st_mode & 0o777) for file in (files.key, files.authority_key)} == {
        "0o600"
    }


def test_bundle_holds_the_public_roots_and_ours(files):
    bundle = files.bundle.read_text()
    assert files.authority.read_text() in bundle
    with open(certifi.where()) as roots:  # noqa: PTH123
        assert roots.read() in bundle


def test_second_start_changes_nothing(files, tmp_path):
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    tls.ensure(tmp_path, hosts=HOSTS)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_changed_hosts_renew_the_certificate_under_the_same_authority(files, tmp_path):
    authority = files.authority.read_bytes()
    tls.ensure(tmp_path, hosts=[*HOSTS, "other.example.com"])
    assert files.authority.read_bytes() == authority
    assert handshake(files, "other.example.com") == b"ok"


@pytest.mark.parametrize(("days_later", "renewed"), [(360, False), (370, True)])
def test_certificate_is_renewed_in_its_last_30_days(files, tmp_path, days_later, renewed):
    before = files.certificate.read_bytes()
    tls.ensure(tmp_path, hosts=HOSTS, now=datetime.now(UTC) + timedelta(days=days_later))
    assert (files.certificate.read_bytes() != before) is renewed


@pytest.mark.parametrize("damaged", ["ca.pem", "ca.key", "server.pem", "server.key"])
def test_a_damaged_or_lost_file_is_made_again(files, tmp_path, damaged):
    (tmp_path / damaged).write_text("not a certificate")
    tls.ensure(tmp_path, hosts=HOSTS)
    assert handshake(files, "localhost") == b"ok"


def test_wildcard_addresses_are_no_host_names():
    names = tls.local_hosts("0.0.0.0", "studio.example.com", "")  # noqa: S104
    assert not {"0.0.0.0", ""} & set(names)  # noqa: S104
    assert names.count("localhost") == 1 and "studio.example.com" in names


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_international_host_names_are_encoded(tmp_path):
    files = tls.ensure(tmp_path, hosts=["스튜디오.example.com"])
    names = certificate(files.certificate).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName)[0].startswith("xn--")


def test_bundle_holds_what_this_machine_trusts_besides(files, tmp_path, monkeypatch):
    """Behind a proxy of a company that speaks TLS itself, pip in a step goes by our bundle."""
    for name in tls.TRUSTED_BY:
        monkeypatch.delenv(name, raising=False)
    tls.ensure(files.folder, hosts=[])
    plain = files.bundle.read_text()
    (tmp_path / "company").mkdir()
    other = tls.ensure(tmp_path / "company", hosts=[]).authority
    both = tmp_path / "both.pem"
    both.write_text(Path(certifi.where()).read_text() + 2 * other.read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(both))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files.bundle))
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "missing.pem"))
    for _ in range(2):
        tls.ensure(files.folder, hosts=[])
        bundle = files.bundle.read_text()
        assert bundle.count(other.read_text().strip()) == 1
        assert bundle.count("BEGIN") == plain.count("BEGIN") + 1
    assert ssl.create_default_context(cafile=str(files.bundle)).cert_store_stats()["x509_ca"]
