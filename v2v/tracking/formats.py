"""Positions as GPX 1.1, GeoJSON (RFC 7946) and CSV, part by part: never the whole of it in memory."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

import msgspec

from v2v.protocol.epoch import epoch_ms
from v2v.tracking.history import Row

Parts = Iterator[list[Row]]

CSV_HEADER = (
    "vehicleId",
    "fleet",
    "time",
    "receivedAt",
    "lat",
    "lng",
    "speedMps",
    "headingDeg",
    "accuracyM",
    "altitudeM",
    "batteryPercent",
    "signalPercent",
    "ignition",
    "alarm",
    "source",
)
_NEW_SEGMENT = timedelta(minutes=10)  # without a position for so long, GPX draws no line
_GPX_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="V2V" xmlns="http://www.topografix.com/GPX/1/1"
 xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:schemaLocation="http://www.topografix.com/GPX/1/1 http://www.topografix.com/GPX/1/1/gpx.xsd
 http://www.garmin.com/xmlschemas/TrackPointExtension/v2 http://www.garmin.com/xmlschemas/TrackPointExtensionv2.xsd">
"""
_encode = msgspec.json.Encoder().encode


def csv_rows(parts: Parts) -> Iterator[list[tuple[object, ...]]]:
    """Rows below `CSV_HEADER`; times in ISO 8601, UTC."""
    for rows in parts:
        yield [(row.vehicle_id, row.fleet, _iso(row.recorded_at), _iso(row.received_at), *row[5:]) for row in rows]


def gpx_parts(parts: Parts) -> Iterator[str]:
    """A track a vehicle, in segments between which nothing was heard for 10 minutes.

    Speed (m/s) and course are in Garmin's TrackPointExtension: GPX 1.1 has no place of its own for them.
    """
    yield _GPX_HEAD
    last: Row | None = None
    for rows in parts:
        lines = []
        for row in rows:
            if last is None or row.vehicle_pk != last.vehicle_pk:
                lines.append("" if last is None else "</trkseg></trk>\n")
                lines.append(f"<trk><name>{escape(row.vehicle_id)}</name><trkseg>\n")
            elif row.recorded_at - last.recorded_at > _NEW_SEGMENT:
                lines.append("</trkseg><trkseg>\n")
            lines.append(_track_point(row))
            last = row
        yield "".join(lines)
    yield "</gpx>\n" if last is None else "</trkseg></trk>\n</gpx>\n"


def _track_point(row: Row) -> str:
    # With fixed places: the schema takes decimals, and Python writes a very small number with an exponent.
    altitude = "" if row.altitude is None else f"<ele>{row.altitude:.2f}</ele>"
    speed = "" if row.speed is None else f"<gpxtpx:speed>{row.speed:.2f}</gpxtpx:speed>"
    course = "" if row.heading is None else f"<gpxtpx:course>{row.heading:.2f}</gpxtpx:course>"
    extensions = ""
    if speed or course:
        extension = f"<gpxtpx:TrackPointExtension>{speed}{course}</gpxtpx:TrackPointExtension>"
        extensions = f"<extensions>{extension}</extensions>"
    inner = f"{altitude}<time>{_iso(row.recorded_at)}</time>{extensions}"
    return f'<trkpt lat="{row.lat:.7f}" lon="{row.lng:.7f}">{inner}</trkpt>\n'


def geojson_parts(parts: Parts) -> Iterator[str]:
    """A FeatureCollection of points, each with what was reported there, and its time in epoch milliseconds."""
    yield '{"type":"FeatureCollection","features":['
    separator = "\n"
    for rows in parts:
        if rows:
            yield separator + ",\n".join(_encode(_feature(row)).decode() for row in rows)
            separator = ",\n"
    yield "\n]}\n"


def _feature(row: Row) -> dict[str, object]:
    coordinates = [row.lng, row.lat] if row.altitude is None else [row.lng, row.lat, row.altitude]
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": coordinates},
        "properties": row_fields(row, without=("lat", "lng", "altitude")),
    }


def row_fields(row: Row, *, without: tuple[str, ...] = ()) -> dict[str, object]:
    """The row by its names on the wire; what was not reported is left out."""
    fields: dict[str, object] = {
        "vehicleId": row.vehicle_id,
        "fleet": row.fleet,
        "ts": epoch_ms(row.recorded_at),
        "receivedTs": epoch_ms(row.received_at),
        "lat": row.lat,
        "lng": row.lng,
        "speed": row.speed,
        "heading": row.heading,
        "accuracy": row.accuracy,
        "altitude": row.altitude,
        "battery": row.battery,
        "signal": row.signal,
        "ignition": row.ignition,
        "alarm": row.alarm or None,
        "source": row.source,
    }
    return {name: value for name, value in fields.items() if value is not None and name not in without}


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
