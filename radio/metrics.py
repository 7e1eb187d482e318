"""What is counted of the radio."""

from prometheus_client import Counter, Gauge

FRAMES = Counter("v2v_radio_frames_total", "Radio frames by what became of them", ["direction", "kind", "state"])
STORE_AWAY = Counter("v2v_radio_store_away_total", "Times that the bridge waited for the database")
DROPPED = Counter("v2v_radio_events_dropped_total", "Radio events for which there was no room")
LINK_UP = Gauge("v2v_radio_link_up", "1 while this process's modem is connected", multiprocess_mode="livemax")
