"""What the engine counts. The hot paths add to plain integers; once a tick or so they go to Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

ACTIVE_VEHICLES = Gauge("v2v_active_vehicles", "Vehicles that are connected", multiprocess_mode="livesum")
CONNECTIONS = Gauge("v2v_ws_connections", "Open sockets by kind", ["kind"], multiprocess_mode="livesum")
PROCESSES = Gauge("v2v_ws_process_count", "Server processes", multiprocess_mode="livesum")
MESSAGES = Counter("v2v_messages_total", "Messages received on sockets")
RECEIVED = Counter("v2v_location_updates_received_total", "Positions received")
PROCESSED = Counter("v2v_location_updates_processed_total", "Positions that became the live one")
COALESCED = Counter("v2v_location_updates_coalesced_total", "Positions replaced by a newer one before their turn")
REJECTED = Counter("v2v_location_updates_rejected_total", "Positions refused", ["reason"])
DELIVERED = Counter("v2v_positions_delivered_total", "Positions sent to receivers")
LATENCY = Histogram(
    "v2v_message_delivery_latency_seconds",
    "From a position's receipt to the frames that carry it (sampled once a tick)",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5),
)
TICK = Histogram(
    "v2v_spatial_tick_seconds",
    "Index, pairs and differences of one tick",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1),
)
NARROW_TICKS = Counter("v2v_spatial_ticks_narrowed_total", "Ticks that looked less far because of a crowd")
SWEEP = Histogram("v2v_sweep_seconds", "One sweep", buckets=(0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5))
SLOW_CLOSED = Counter("v2v_ws_slow_closed_total", "Sockets closed because they did not read")
STALE = Counter("v2v_stale_connections_total", "Sockets closed because nothing was heard of them")
RATE_LIMITED = Counter("v2v_rate_limited_total", "Messages over a limit", ["kind"])
AUTH_FAILURES = Counter("v2v_auth_failures_total", "Refused registrations and log-ins", ["reason"])
REFUSED = Counter("v2v_refused_total", "Messages refused, by error code", ["code"])
PUBLISHED = Counter("v2v_pubsub_messages_published_total", "Messages and commands sent to Redis for other processes")
CONSUMED = Counter("v2v_pubsub_messages_consumed_total", "Messages of other processes that were taken", ["kind"])
SKIPPED = Counter("v2v_pubsub_messages_skipped_total", "Messages of other processes that were left", ["reason"])
RESYNCS = Counter("v2v_relay_resyncs_total", "Times that all clients got a fresh snapshot", ["reason"])
RELAY_UP = Gauge("v2v_relay_up", "Whether other processes are reached through Redis", multiprocess_mode="livemin")
ABUSE_CLOSED = Counter("v2v_abuse_closed_total", "Sockets closed for malformed or refused messages", ["code"])


class Tally:
    """Integers of the hot paths."""

    __slots__ = ("coalesced", "delivered", "messages", "processed", "received")

    def __init__(self) -> None:
        self.messages = self.received = self.processed = self.coalesced = self.delivered = 0

    def flush(self) -> None:
        """Add them to Prometheus's counters and begin again."""
        for name, counter in _COUNTERS.items():
            if count := getattr(self, name):
                counter.inc(count)
                setattr(self, name, 0)


_COUNTERS = {
    "messages": MESSAGES,
    "received": RECEIVED,
    "processed": PROCESSED,
    "coalesced": COALESCED,
    "delivered": DELIVERED,
}
