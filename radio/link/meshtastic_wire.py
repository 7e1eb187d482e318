"""The messages of a Meshtastic radio's serial stream that we use, and how they are framed.

Described anew from the published facts (field numbers, types and meanings: https://meshtastic.org/docs/development/
device/client-api and https://docs.rs/meshtastic). Fields that we do not read are skipped. The stream is 0x94 0xC3, the
length in two bytes, big-endian, then one message, ToRadio or FromRadio; between messages a radio may write its log as
plain text.
"""

from collections import Counter
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

START = b"\x94\xc3"
HEADER_BYTES = 4
MAX_MESSAGE_BYTES = 512
MAX_TEXT_BYTES = 233  # of Data.payload
BROADCAST = 0xFFFFFFFF
WAKE = b"\xc3" * 32  # wakes a radio that sleeps; no message begins so

Field = descriptor_pb2.FieldDescriptorProto

_PACKAGE = "v2v.meshtastic"
# message: field: (number, type). A type with a capital is a message of this table.
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "ToRadio": {"packet": (1, "MeshPacket"), "want_config_id": (3, "uint32"), "heartbeat": (7, "Heartbeat")},
    "FromRadio": {
        "packet": (2, "MeshPacket"),
        "my_info": (3, "MyNodeInfo"),
        "node_info": (4, "NodeInfo"),
        "config": (5, "Config"),
        "config_complete_id": (7, "uint32"),
        "rebooted": (8, "bool"),
        "queue_status": (11, "QueueStatus"),
    },
    "Heartbeat": {},
    "MyNodeInfo": {"my_node_num": (1, "uint32")},
    "NodeInfo": {"num": (1, "uint32"), "user": (2, "User"), "device_metrics": (6, "DeviceMetrics")},
    "User": {"id": (1, "string"), "long_name": (2, "string"), "short_name": (3, "string")},
    "DeviceMetrics": {"battery_level": (1, "uint32")},
    "Config": {"lora": (6, "LoRaConfig")},
    "LoRaConfig": {"hop_limit": (8, "uint32")},
    "QueueStatus": {
        "res": (1, "int32"),
        "free": (2, "uint32"),
        "maxlen": (3, "uint32"),
        "mesh_packet_id": (4, "uint32"),
    },
    "MeshPacket": {
        "sender": (1, "fixed32"),
        "to": (2, "fixed32"),
        "decoded": (4, "Data"),
        "encrypted": (5, "bytes"),
        "id": (6, "fixed32"),
        "rx_time": (7, "fixed32"),
        "rx_snr": (8, "float"),
        "hop_limit": (9, "uint32"),
        "want_ack": (10, "bool"),
        "priority": (11, "int32"),
        "rx_rssi": (12, "int32"),
        "hop_start": (15, "uint32"),
    },
    "Data": {"portnum": (1, "int32"), "payload": (2, "bytes"), "request_id": (6, "fixed32")},
    "Position": {
        "latitude_i": (1, "sfixed32"),
        "longitude_i": (2, "sfixed32"),
        "time": (4, "fixed32"),
        "timestamp": (7, "fixed32"),
        "ground_speed": (15, "uint32"),
        "ground_track": (16, "uint32"),
    },
    "Routing": {"error_reason": (3, "int32")},
}


class Port(IntEnum):
    """Which application a packet is for (PortNum)."""

    TEXT = 1
    POSITION = 3
    NODE_INFO = 4
    ROUTING = 5
    ALERT = 11


# Routing.Error, as far as one can do something about it.
ROUTING_ERRORS = {
    1: "no_route",
    2: "refused",
    3: "no_answer",
    4: "no_interface",
    5: "no_answer",  # the radio has sent it as often as it does
    6: "no_channel",
    7: "too_large",
    8: "no_response",
    9: "duty_cycle_limit",
    32: "bad_request",
    33: "not_authorized",
    34: "encryption_failed",
    35: "unknown_key",
}


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="v2v/meshtastic.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        described = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            entry = described.field.add(name=field, number=number, label=Field.LABEL_OPTIONAL)
            if kind in _MESSAGES:
                entry.type, entry.type_name = Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                entry.type = Field.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


_CLASSES = _classes()
ToRadio = _CLASSES["ToRadio"]
FromRadio = _CLASSES["FromRadio"]
MeshPacket = _CLASSES["MeshPacket"]
Position = _CLASSES["Position"]
Routing = _CLASSES["Routing"]
User = _CLASSES["User"]


def parse(kind: Any, data: bytes) -> Any:
    """A message of that kind, or None when the bytes are none."""
    try:
        return kind.FromString(data)
    except message.DecodeError:
        return None


def framed(to_radio: Any) -> bytes:
    """The bytes for the line."""
    data: bytes = to_radio.SerializeToString()
    return START + len(data).to_bytes(2) + data


class StreamDecoder:
    """Feed it what the line gives; it gives the messages. It holds at most one message and a header.

    There is no checksum in this stream: after a false start it looks for the next start within what it had taken.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """The messages (FromRadio) that these bytes complete, in order. To be run to its end."""
        self._buffer += data
        while True:
            start = self._buffer.find(START)
            if start < 0:
                del self._buffer[: len(self._buffer) - self._buffer.endswith(START[:1])]
                return
            del self._buffer[:start]
            if len(self._buffer) < HEADER_BYTES:
                return
            size = int.from_bytes(self._buffer[2:HEADER_BYTES])
            if size > MAX_MESSAGE_BYTES:
                self._counts["too_long"] += 1
                del self._buffer[: len(START)]
                continue
            end = HEADER_BYTES + size
            if len(self._buffer) < end:
                return
            found = parse(FromRadio, bytes(self._buffer[HEADER_BYTES:end]))
            if found is None:
                self._counts["coding"] += 1
                del self._buffer[: len(START)]
                continue
            del self._buffer[:end]
            self._counts["good"] += 1
            yield found
