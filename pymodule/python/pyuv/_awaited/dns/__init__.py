"""DNS, awaited: what the packages ``dns`` of ``pyuv.asyncio`` and of ``pyuv.trio`` have in common."""
