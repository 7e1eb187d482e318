"""Frames of RFC 6455 as bytes, right ones and wrong ones: what no library lets a client send."""

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
MASK = b"\x01\x02\x03\x04"


def frame(opcode: int, payload: bytes, *, fin: bool = True, mask: bytes | None = MASK, rsv: int = 0) -> bytes:
    """A client's frame; without a `mask` a server's. `rsv` is the reserved bits in their place (0x40, 0x20, 0x10)."""
    head = bytes([(0x80 if fin else 0) | rsv | opcode]) + _length(len(payload), 0x80 if mask else 0)
    if mask is None:
        return head + payload
    repeated = mask * (len(payload) // 4 + 1)
    size = len(payload)
    masked = int.from_bytes(payload) ^ int.from_bytes(repeated[:size])
    return head + mask + masked.to_bytes(size)


def _length(size: int, masked: int) -> bytes:
    if size < 126:
        return bytes([masked | size])
    if size < 1 << 16:
        return bytes([masked | 126]) + size.to_bytes(2)
    return bytes([masked | 127]) + size.to_bytes(8)


def fragments(opcode: int, *payloads: bytes, between: bytes = b"") -> bytes:
    """One message in fragments, with the bytes `between` them."""
    last = len(payloads) - 1
    return between.join(
        frame(CONTINUATION if index else opcode, payload, fin=index == last) for index, payload in enumerate(payloads)
    )
