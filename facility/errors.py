"""Every error Busway raises on purpose, one class per remedy.

BuswayError
├── ConfigError             mend the file it names; start-up is refused
│   ├── SiteFileError
│   ├── ProfileError
│   └── RuleFileError
├── DeviceError             the device is marked, its poll is booked as failed, others go on
│   ├── DeviceUnreachable   no connection: check address, cabling, firewall
│   ├── DeviceTimeout       connected, but silent past the deadline
│   ├── DeviceRefused       the device answered with its own error: check the profile against it
│   └── DeviceGarbled       the answer breaks the protocol: the connection is closed and opened anew
├── StreamError
│   ├── BrokerUnavailable   wait and try again; the outbox keeps everything meanwhile
│   │   └── BrokerRefused   the same, and mend what it names: password, certificate, rights
│   ├── MessageUndecodable  the message goes to the dead-letter topic, reading goes on
│   ├── OutboxFull          the stated policy decides: drop the oldest (counted) or stop polling
│   ├── OutboxCorrupt       restore or move the file it names
│   └── OutboxInUse         stop the other process, or give this one a directory of its own
├── LakeError
│   ├── LakeUnavailable     directory not writable, catalogue locked for too long
│   ├── LakeSchemaNewer     a newer Busway wrote this lake: upgrade this one
│   └── FenceLost           another sink owns these offsets now: stop writing
├── HookError               a notification has not reached whom it is for
│   ├── HookUnavailable     it is tried again, later and later
│   └── HookRefused         what it says is refused: it is given up and counted
├── AlertQueueUnusable      make room on the disk it names; alerts wait in memory meanwhile
├── DaemonUnreachable       start the process it names, or give its address
├── HookUnknown             the site file has no hook of this name
├── AlertUnknown            no alert has this id: `busway alert list` gives those there are
└── QueryError              the question cannot be answered as put; the sentence says what can
    └── QueryTooSlow        it was interrupted at its time limit: give it more, or ask for less
"""

from __future__ import annotations


class BuswayError(Exception):
    """Root of every error Busway raises on purpose."""


class ConfigError(BuswayError):
    """A file of the site's is wrong; the message names file, line, place, finding and remedy."""


class SiteFileError(ConfigError):
    """The site file or its inventory is wrong."""


class ProfileError(ConfigError):
    """A device profile is wrong or missing."""


class RuleFileError(ConfigError):
    """A file of alert rules is wrong."""


class DeviceError(BuswayError):
    """A device did not give what its profile promises; `kind` labels the counter."""

    kind = "error"


class DeviceUnreachable(DeviceError):
    """No connection to the device could be made."""

    kind = "unreachable"


class DeviceTimeout(DeviceError):
    """The device did not answer before its deadline."""

    kind = "timeout"


class DeviceRefused(DeviceError):
    """The device answered with an error of its own."""

    kind = "refused"


class DeviceGarbled(DeviceError):
    """The device's answer breaks the protocol."""

    kind = "garbled"


class StreamError(BuswayError):
    """Something between outbox and broker failed."""


class BrokerUnavailable(StreamError):
    """The broker cannot be reached or refuses us for now."""


class BrokerRefused(BrokerUnavailable):
    """The broker is there and does not let us in, or is not who it must be."""

    def __init__(self, remedy: str, said: str) -> None:
        super().__init__(f"{remedy}. It said: {said}")
        self.remedy = remedy
        """The same for as long as the reason is."""


class MessageUndecodable(StreamError):
    """A message is not what its topic promises."""


class OutboxFull(StreamError):
    """The outbox has reached its bound."""


class OutboxCorrupt(StreamError):
    """The outbox file cannot be read."""


class OutboxInUse(StreamError):
    """Another process holds the outbox."""


class LakeError(BuswayError):
    """The lake cannot do what was asked."""


class LakeUnavailable(LakeError):
    """The lake cannot be opened or written now."""


class LakeSchemaNewer(LakeError):
    """The lake was written by a newer Busway."""


class FenceLost(LakeError):
    """The stored offsets are not those this sink wrote last: another sink has taken over."""


class HookError(BuswayError):
    """A notification has not reached whom it is for."""


class HookUnavailable(HookError):
    """The receiver cannot take it now."""

    def __init__(self, said: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(said)
        self.retry_after_s = retry_after_s
        """Not sooner, says the receiver."""


class HookRefused(HookError):
    """The receiver will never take this notification."""


class AlertQueueUnusable(BuswayError):
    """The queue of notifications cannot be read or written now."""


class DaemonUnreachable(BuswayError):
    """A process of ours that is to do something does not answer."""


class HookUnknown(BuswayError):
    """The site file has no hook of the name that was given."""


class AlertUnknown(BuswayError):
    """No alert has the id that was named."""


class QueryError(BuswayError):
    """The question cannot be answered as it was put."""


class QueryTooSlow(QueryError):
    """It was interrupted at its time limit."""
