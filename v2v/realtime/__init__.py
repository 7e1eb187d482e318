"""The realtime engine: sockets, who is connected, and fan-out. It knows the protocol and no app."""
