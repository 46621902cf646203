"""Files, awaited: what the packages ``fs`` of ``pyuv.asyncio`` and of ``pyuv.trio`` have in common."""
