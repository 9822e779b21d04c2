"""The shipped access list and TLS, by a real Mosquitto: a device speaks as itself and as nobody else."""

import datetime
import ipaddress
from pathlib import Path

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from paho.mqtt.enums import MQTTProtocolVersion

from edge.settings import MqttSettings

SHIPPED = Path(__file__).parents[2] / "firmware_configs" / "mosquitto"
ROOT = "threshold/v1/shop-1"
TOPIC = f"{ROOT}/camera/door/detections"


@pytest.fixture
def guarded(make_mosquitto):
    """Mosquitto with the shipped access list; a client is believed its user name."""
    broker = make_mosquitto(
        f"listener {{port}} 127.0.0.1\nallow_anonymous true\nacl_file {SHIPPED / 'threshold.acl'}\n"
    )
    broker.start()
    return broker


def test_a_device_writes_its_own_topics_only(guarded, gateway, device):
    """Forged topics do not reach the gateway: another device's, another kind's, the gateway's own, a stranger's."""
    hub = gateway(guarded, settings=MqttSettings(host=guarded.host, port=guarded.port, username="gateway")).start()
    camera = device(guarded, username="camera/door", protocol=MQTTProtocolVersion.MQTTv5).connect()
    forged = [
        f"{ROOT}/camera/window/detections",
        f"{ROOT}/pos/door/transaction",
        f"{ROOT}/camera/door/ack",
        f"{ROOT}/gateway/gateway/status",
        "frigate/events",
    ]
    camera.publish_all([(topic, b"forged") for topic in forged])
    assert all(reason.is_failure for reason in camera.answers)
    device(guarded).connect().publish_all([(TOPIC, b"anonymous")])
    device(guarded, username="+/+").connect().publish_all([(TOPIC, b"wildcard")])
    camera.publish_all([(TOPIC, b"own")])
    assert hub.next()[:2] == (TOPIC, b"own")
    assert hub.inbox.empty()


def test_a_device_hears_its_own_answers_only(guarded, gateway, device):
    """A mirror does not hear what is recommended at another mirror, nor a till's sales."""
    hub = gateway(guarded, settings=MqttSettings(host=guarded.host, port=guarded.port, username="gateway")).start()
    mirror = device(guarded, username="mirror/fit-1").connect("threshold/v1/#")
    till = device(guarded, username="pos/till-1").connect()
    till.publish_all([(f"{ROOT}/pos/till-1/transaction", b"sale")])
    assert hub.next()[1] == b"sale"
    for number in (2, 1):
        assert hub.client.publish(f"{ROOT}/mirror/fit-{number}/recommendation", b"%d" % number)
    assert mirror.heard.get(timeout=30)[:2] == (f"{ROOT}/mirror/fit-1/recommendation", b"1")
    assert mirror.heard.empty()


def test_a_denied_publish_is_an_error(guarded, gateway, until):
    """On MQTT 5 the gateway learns that the broker did not let its message through, and counts it."""
    settings = MqttSettings(host=guarded.host, port=guarded.port, username="camera/door")
    with structlog.testing.capture_logs() as logs:
        hub = gateway(guarded, settings=settings).start()
        assert hub.client.publish(f"{ROOT}/camera/door/ack", b"{}")
        until(lambda: hub.client.counts.publishes_refused == 1, what="the refusal")
    assert "publish_refused" in [log["event"] for log in logs]


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder):
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test shop CA")])
        own = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        ski = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        own = own.add_extension(usage, True).add_extension(ski, False)
        self.file = self._write("ca.pem", own.sign(self._key, hashes.SHA256()))

    def issue(self, common_name, file, *, server=False):
        """Certificate and key files for `common_name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = self._builder(subject, key).add_extension(x509.ExtendedKeyUsage([usage]), False)
        builder = builder.add_extension(aki, False)
        if server:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), False)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self._folder / f"{file}.key").write_bytes(pem)
        return self._write(f"{file}.pem", builder.sign(self._key, hashes.SHA256())), self._folder / f"{file}.key"

    def _builder(self, subject, key):
        now = datetime.datetime.now(datetime.UTC)
        return x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - datetime.timedelta(days=1),
            not_valid_after=now + datetime.timedelta(days=1),
        )

    def _write(self, name, certificate):
        (self._folder / name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return self._folder / name


@pytest.fixture
def locked(make_mosquitto, tmp_path):
    """Mosquitto with the shipped TLS listener, its paths and port replaced; and the authority that it trusts."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("127.0.0.1", "broker", server=True)
    text = (SHIPPED / "listener-tls.conf").read_text("utf-8").replace("listener 8883", "listener {port} 127.0.0.1")
    for shipped, ours in {
        "/etc/mosquitto/ca_certificates/shop-ca.pem": authority.file,
        "/etc/mosquitto/certs/broker.pem": certificate,
        "/etc/mosquitto/certs/broker.key": key,
        "/etc/mosquitto/threshold.acl": SHIPPED / "threshold.acl",
    }.items():
        assert shipped in text
        text = text.replace(shipped, str(ours))
    broker = make_mosquitto(text)
    broker.start()
    return broker, authority


def secured(broker, authority, pair=(None, None)):
    return MqttSettings(
        host=broker.host, port=broker.port, ca_file=authority.file, certificate_file=pair[0], key_file=pair[1]
    )


def test_certificates_say_who_speaks(locked, gateway, device):
    """Over TLS the certificate's name is the user: the gateway hears the door camera, which writes as itself only."""
    broker, authority = locked
    hub = gateway(broker, settings=secured(broker, authority, authority.issue("gateway", "gw"))).start()
    camera = device(broker)
    certificate, key = authority.issue("camera/door", "camera")
    camera.client.tls_set(str(authority.file), str(certificate), str(key))
    camera.connect().publish_all([(f"{ROOT}/camera/window/detections", b"forged"), (TOPIC, bytes(200_000))])
    topic, payload, receipt = hub.next()
    assert (topic, len(payload)) == (TOPIC, 200_000)
    hub.client.ack(receipt)


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_a_certificate_there_is_no_way_in(locked, gateway, until):
    """Without a certificate the broker refuses; with a certificate authority of its own the client refuses the broker."""
    broker, authority = locked
    other = authority._folder / "other"
    other.mkdir()
    for settings in (secured(broker, authority), secured(broker, Authority(other))):
        with structlog.testing.capture_logs() as logs:
            hub = gateway(broker, settings=settings)
            hub.client.start()
            assert not hub.client.wait_connected(1)
            hub.client.stop()
        assert "bus_connected" not in [log["event"] for log in logs]
