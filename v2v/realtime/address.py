"""Whose address it is, for limits by address."""

from ipaddress import IPv6Address, IPv6Network, ip_address


def network_of(address: str) -> str:
    """An IPv4 address as it is; of an IPv6 one the /64, which one customer has whole (RFC 6177).

    An IPv4 address that a socket of both kinds reports as IPv6 (::ffff:192.0.2.1) is that IPv4 address. What is no
    address, such as a test's or a Unix socket's, stays as it is.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    # By the number: a scope (fe80::1%eth0) is no part of a network.
    return str(IPv6Network((int(ip), 64), strict=False).network_address)
