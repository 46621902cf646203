"""The options of a :class:`Resolver`: those of :class:`pyuv.dns.Channel`, for who checks types."""

import ipaddress
from collections.abc import Iterable
from os import PathLike
from typing import TypedDict


class Options(TypedDict, total=False):
    """What a channel can be told; docs/dns.md says what each means. Times are in seconds."""

    query_cache_max_ttl: int | None
    timeout: float | None
    max_timeout: float | None
    tries: int | None
    ndots: int | None
    flags: int | None
    domains: Iterable[str] | None
    lookups: str | None
    sortlist: Iterable[str] | None
    rotate: bool | None
    udp_port: int | None
    tcp_port: int | None
    max_in_flight: int | None
    resolvconf_path: str | PathLike[str] | None
    hosts_path: str | PathLike[str] | None
    edns_size: int | None
    socket_send_buffer_size: int | None
    socket_receive_buffer_size: int | None
    udp_max_queries: int | None
    server_retry_chance: int | None
    server_retry_delay: float | None
    local_ip4: str | ipaddress.IPv4Address | None
    local_ip6: str | ipaddress.IPv6Address | None
    local_dev: str | None
