"""What is counted about geofences."""

from prometheus_client import Counter, Histogram

JUDGED = Counter("v2v_geofence_vehicles_judged", "Vehicles that were judged against the geofences, once a new fix")
STEP = Histogram(
    "v2v_geofence_step_seconds",
    "Judging a fifth of the vehicles against the geofences",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
)
EVENTS = Counter("v2v_geofence_events", "Events of geofences that were stored", ["type"])
