import re
import socket
from pathlib import Path

import pytest
from pyuv import util
from pyuv.errno import UV_ENXIO
from pyuv.error import UVError

from util import linux


def test_interface_addresses_have_the_names_the_socket_module_sees():
    names = {name for _, name in socket.if_nameindex()}
    addresses = util.interface_addresses()
    assert {entry.name for entry in addresses} <= names
    for entry in addresses:
        family = socket.AF_INET6 if ":" in entry.address else socket.AF_INET
        assert socket.inet_pton(family, entry.address)
        assert socket.inet_pton(family, entry.netmask)
        assert re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", entry.mac)


@linux
def test_interface_addresses_have_the_hardware_address_of_sysfs():
    for entry in util.interface_addresses():
        assert entry.mac == Path(f"/sys/class/net/{entry.name}/address").read_text().strip()


def test_loopback_is_there_and_internal():
    (loopback,) = (entry for entry in util.interface_addresses() if entry.address == "127.0.0.1")
    assert loopback.is_internal is True
    assert loopback.netmask == "255.0.0.0"
    assert loopback == (loopback.name, True, "127.0.0.1", "255.0.0.0", loopback.mac)


def test_interface_names_are_found_by_index():
    for index, name in socket.if_nameindex():
        assert util.if_indextoname(index) == name
        assert util.if_indextoiid(index) == name


@pytest.mark.parametrize("function", [util.if_indextoname, util.if_indextoiid])
def test_an_interface_that_is_not_there_is_an_error(function):
    with pytest.raises(UVError, match="4294967295") as caught:
        function(2**32 - 1)
    assert caught.value.args[0] == UV_ENXIO
    for index in (-1, 2**32):
        with pytest.raises(ValueError, match=str(index)):
            function(index)
