"""What is counted of alerts; drills are not."""

from prometheus_client import Counter

EMERGENCIES = Counter("v2v_emergencies_total", "Alerts that were raised", ["type", "severity", "via"])
ESCALATIONS = Counter("v2v_emergency_escalations_total", "Times that nobody had taken an alert in time", ["level"])
