"""The numbers that the engine works with; settings give them, tests change them."""

from dataclasses import dataclass, field

from v2v.realtime.ratelimit import Limit


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Times in seconds, sizes in the unit of their name."""

    heartbeat_interval_s: float = 15.0
    heartbeat_timeout_s: float = 45.0  # silent for so long: presence `timeout`
    stale_s: float = 90.0  # silent for so long: closed
    sweep_interval_s: float = 5.0
    register_timeout_s: float = 10.0
    command_deadline_s: float = 2.5  # a durable command that takes longer is answered `unavailable`
    slow_reader_s: float = 5.0  # a socket that takes nothing for so long is closed with 4431
    token_warning_s: float = 60.0  # `token_expiring` comes so long before the end

    unregistered_per_address: int = 100
    control_frames: int = 1024  # waiting for one slow reader, with
    control_bytes: int = 1024 * 1024  # so many bytes at the most
    backlog_commands: int = 64  # of one connection, waiting for their turn
    pool_threads: int = 8
    pool_waiting: int = 256
    malformed_in_a_row: int = 10

    location: Limit = Limit(rate=5.0, burst=10)
    message: Limit = Limit(rate=3.0, burst=6)
    signalling: Limit = Limit(rate=2.0, burst=40)  # the burst lets ICE candidates through
    call: Limit = Limit(rate=0.2, burst=5)  # calls begun; to hang up has no limit of its own
    emergency: Limit = Limit(rate=0.1, burst=1)
    alert_update: Limit = Limit(rate=1.0, burst=3)  # of alerts that were raised already
    refresh: Limit = Limit(rate=2.0, burst=5)
    other: Limit = Limit(rate=5.0, burst=20)
    refused: Limit = Limit(rate=10.0, burst=100)  # refused messages of one connection; past it 4429
    failed_auth: Limit = Limit(rate=1 / 6, burst=10)  # of one address

    origins: frozenset[str] = field(default_factory=frozenset)  # full origins beside the server's own
