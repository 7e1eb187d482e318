"""What is counted of messages."""

from prometheus_client import Counter, Histogram

STORED = Counter("v2v_messages_stored_total", "Messages stored, by the way they came in", ["via"])
EXPIRED = Counter("v2v_messages_expired_total", "Messages that expired before a recipient had them")
DELIVERY = Histogram(
    "v2v_text_delivery_seconds",
    "From a message's storing to its recipient's word that it came",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600, 86400),
)
