"""aiodns' interface, by c-ares on the event loop: ``from pyuv.asyncio import aiodns`` in place of
``import aiodns``.

Names, arguments, results and errors are those of aiodns 4. ``compat`` has the results of `query`, which
pycares 4 had, ``pycares`` those of `query_dns`, which pycares 5 has. For a program of today's,
``pyuv.asyncio.dns`` knows more record types and tells more.
"""

from . import error
from ._resolver import DNSResolver, query_class_map, query_type_map

__all__ = ["DNSResolver", "error", "query_class_map", "query_type_map"]
