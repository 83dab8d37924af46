"""Waiting readers look up over TLS as well."""

import datetime
import ipaddress
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.engine_server import EngineServer, Exchange, saying
from chatbot.engines.openai_engine import OpenAIEngine, Patience
from tests.chatbot.engine_prompts import ask
from tests.patience import PATIENCE


def certified(folder: Path) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


def test_a_reply_over_tls_is_read_and_cancelled_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()

    def stalling(exchange: Exchange) -> None:
        exchange.start()
        exchange.delta("One ")
        exchange.wait(0.2)  # longer than a look
        exchange.delta("two ")
        gone.set()
        exchange.wait()

    file = certified(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with EngineServer(saying("Three ", "days."), stalling, tls=context).running() as server:
        engine = OpenAIEngine(server.url, "deepseek", patience=Patience(*[PATIENCE] * 4))
        assert list(engine.stream(ask("How long?"), lambda: False)) == ["Three ", "days."]
        assert "".join(engine.stream(ask("How long?"), gone.is_set)) in ("One ", "One two ")
        assert server.exchanges[1].left.wait(PATIENCE)
        engine.close()
