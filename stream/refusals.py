"""What a Kafka client says of a broker that is not to be had, as what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

_REMEDIES = {
    "SaslAuthenticationFailed": "the broker does not take this user and password; check kafka.sasl",
    "UnsupportedSaslMechanism": "the broker does not offer this way to log in; change"
    " kafka.sasl.mechanism",
    "certificate has expired": "the broker's certificate has expired; have it renewed",
    "certificate is not yet valid": "the broker's certificate is not valid yet; check both clocks",
    "certificate is not valid for": "the broker's certificate is for another host; name the broker"
    " in kafka.bootstrap_servers as its certificate does, or have one issued for this name",
    "unable to get local issuer certificate": "no authority that is known vouches for the broker;"
    " give its authority as kafka.tls.ca_file",
    "self-signed certificate": "the broker vouches for itself only; give its certificate as"
    " kafka.tls.ca_file",
    "ALERT_CERTIFICATE_EXPIRED": "the broker says that our certificate has expired; renew"
    " kafka.tls.certificate_file",
    "ALERT_CERTIFICATE_UNKNOWN": "the broker does not take our certificate; check its dates, and"
    " that the broker knows the authority of kafka.tls.certificate_file",
    "ALERT_UNKNOWN_CA": "the broker does not know the authority of our certificate; check"
    " kafka.tls.certificate_file",
    "ALERT_BAD_CERTIFICATE": "the broker asks for a certificate of ours; give"
    " kafka.tls.certificate_file and key_file",
    "ALERT_CERTIFICATE_REQUIRED": "the broker asks for a certificate of ours; give"
    " kafka.tls.certificate_file and key_file",
    "Invalid frame length": "the broker speaks TLS at this port; add kafka.tls",
    "WRONG_VERSION_NUMBER": "the broker does not speak TLS at this port; take away kafka.tls, or"
    " give its TLS port",
    "EOF occurred in violation": "the broker does not speak TLS at this port; take away kafka.tls,"
    " or give its TLS port",
    "InvalidReplicationFactor": "fewer brokers run than each partition is to have copies; start"
    " them, or lower kafka.replication",
    "AuthorizationFailed": "the broker does not allow this to our user; let it describe, create,"
    " read and write the topics, and read as the group busway-sink",
}
"""By what is said, the most telling first."""
_HANGS_UP = "socket disconnected"
_SILENT = "timed out"


def diagnose(complaints: Sequence[str], *, logs_in: bool) -> tuple[str, str]:
    """Find what a person can do: the complaint that tells, and the remedy; both empty where none.

    `complaints` is what the client said while it tried to connect. `logs_in` is whether a user is
    given: a broker that does nothing but hang up on one has mostly refused the password.
    """
    for words, remedy in _REMEDIES.items():
        for complaint in complaints:
            if words in complaint:
                return complaint, remedy
    cut_off = [complaint for complaint in complaints if _HANGS_UP in complaint]
    if cut_off and all(_SILENT in complaint or complaint in cut_off for complaint in complaints):
        what = "kafka.sasl" if logs_in else "whether it wants kafka.sasl or kafka.tls"
        return cut_off[0], f"the broker hangs up on us; check {what}"
    return "", ""
