"""The enums of ``pyuv.dns``, made of the tables in ``pyuv-dns``."""

import enum

from .._pyuv.dns import flags, opcodes, rcodes, record_classes, record_types


class _Registry(enum.IntEnum):
    """An IntEnum that also takes the 16-bit numbers that have no name: ``TYPE1234``."""

    @classmethod
    def _missing_(cls, value):
        if isinstance(value, str):
            name = value.upper()
            if name in cls.__members__:
                return cls.__members__[name]
            digits = name.removeprefix(_PREFIXES[cls.__name__])
            if digits == name or not (digits.isascii() and digits.isdigit()):
                return None
            return cls(int(digits))
        if not isinstance(value, int) or not 0 <= value <= 0xFFFF:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"{_PREFIXES[cls.__name__]}{value}"
        member._value_ = int(value)
        # Two threads may get here at once: both must come out with the same member.
        return cls._value2member_map_.setdefault(member._value_, member)

    def __reduce_ex__(self, protocol):
        # By value: some releases of Python 3.11 pickle by name, which not every number has.
        return type(self), (self.value,)

    def __repr__(self):
        if self.name in type(self).__members__:
            return f"{type(self).__name__}.{self.name}"
        return f"{type(self).__name__}({self.value})"

    def __str__(self):
        return self.name

    def __format__(self, spec):
        # As a name, unless the format asks for a number.
        return format(self.value if spec[-1:] in _NUMERIC else self.name, spec)


_NUMERIC = set("bcdeEfFgGnoxX%")
_PREFIXES = {"RecordType": "TYPE", "RecordClass": "CLASS", "Rcode": "RCODE", "Opcode": "OPCODE"}

RecordType = _Registry("RecordType", record_types, module="pyuv.dns")
RecordType.__doc__ = "What a record holds: ``A``, ``MX``... An int; unnamed ones are ``TYPE1234``."

RecordClass = _Registry("RecordClass", record_classes, module="pyuv.dns")
RecordClass.__doc__ = "The class of a question or record, nearly always ``IN``."

Rcode = _Registry("Rcode", rcodes, module="pyuv.dns")
Rcode.__doc__ = "How the server answered: ``NOERROR``, ``NXDOMAIN``..."

Opcode = _Registry("Opcode", opcodes, module="pyuv.dns")
Opcode.__doc__ = "What kind of message it is, nearly always ``QUERY``."


class _Flags(enum.IntFlag):
    def __repr__(self):
        known = [f"{type(self).__name__}.{flag.name}" for flag in self]
        rest = self.value - sum(flag.value for flag in self)
        if rest or not known:
            known.append(f"{type(self).__name__}({rest})")
        return "|".join(known)


Flags = _Flags("Flags", flags, module="pyuv.dns")
Flags.__doc__ = "The flags of a message's header, at the bits they have on the wire."
