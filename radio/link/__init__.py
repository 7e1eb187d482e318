"""The radio link: from the bytes of a serial line to typed payloads and back, kept, acknowledged and repeated.

Free of Django. `open_link` starts one; what goes in is `Outgoing`, what comes out are the events of
`radio.link.traffic`.
"""
