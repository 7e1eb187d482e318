"""What is counted of calls."""

from prometheus_client import Counter, Histogram

SESSIONS = Counter("v2v_call_sessions_total", "Calls that are over, by how they ended", ["state", "reason"])
ANSWER = Histogram(
    "v2v_call_answer_seconds",
    "From the first ring to the answer",
    buckets=(1, 2.5, 5, 10, 15, 20, 30, 60),
)
