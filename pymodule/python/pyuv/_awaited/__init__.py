"""What is awaited, whoever runs the tasks: the files and the DNS of ``pyuv.asyncio`` and ``pyuv.trio``."""
