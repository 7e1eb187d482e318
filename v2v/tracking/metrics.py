"""What the way into the database counts."""

from prometheus_client import Counter, Gauge, Histogram

DEPTH = Gauge("v2v_ingest_queue_depth", "Positions that wait to be stored", multiprocess_mode="mostrecent")
WAITING = Gauge("v2v_ingest_waiting", "Positions that wait in this server for the queue", multiprocess_mode="livesum")
DROPPED = Counter("v2v_ingest_dropped_total", "Positions of sockets given up: the queue was full or away for too long")
BATCH_SIZE = Histogram("v2v_ingest_batch_size", "Positions of a batch", buckets=(1, 5, 10, 25, 50, 100, 250, 500))
BATCH_SECONDS = Histogram(
    "v2v_ingest_batch_seconds", "One batch into the database", buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
)
WRITTEN = Counter("v2v_ingest_written_total", "Positions stored")
RETRIED = Counter("v2v_ingest_retried_total", "Positions whose storing was tried again")
DEAD = Counter("v2v_ingest_dead_total", "Positions laid aside as dead letters")
OUT_OF_ORDER = Counter("v2v_ingest_out_of_order_total", "Positions that came late, twice or too far off", ["kind"])
