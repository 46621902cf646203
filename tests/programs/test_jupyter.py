"""Jupyter's kernel on pyuv's event loop, and a client on another: ZeroMQ's sockets are watched."""

import asyncio
import contextlib
import json
import sys

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from onloop import run

pytestmark = pytest.mark.timeout(120)
KERNEL = {
    "argv": [sys.executable, "-m", "pyuv.asyncio", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python on pyuv",
    "language": "python",
    "interrupt_mode": "signal",
}


@contextlib.asynccontextmanager
async def kernel(folder):
    """A kernel's manager and a client of it."""
    spec = folder / "pyuv"
    spec.mkdir()
    (spec / "kernel.json").write_text(json.dumps(KERNEL))
    specs = KernelSpecManager(kernel_dirs=[str(folder)])
    manager = AsyncKernelManager(kernel_name="pyuv", kernel_spec_manager=specs)
    log = folder / "log"
    with log.open("wb") as output:
        await manager.start_kernel(cwd=folder, stdout=output, stderr=output)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        yield manager, client
    finally:
        client.stop_channels()
        await manager.shutdown_kernel()
        manager.context.destroy()
    assert "Traceback" not in log.read_text(), log.read_text()


async def execute(client, code):
    """What a cell printed, and its value or the name of its error."""
    printed, value = [], None

    def output(message):
        nonlocal value
        content = message["content"]
        match message["msg_type"]:
            case "stream":
                printed.append(content["text"])
            case "execute_result":
                value = content["data"]["text/plain"]
            case "error":
                value = content["ename"]

    await client.execute_interactive(code, output_hook=output, timeout=60)
    return "".join(printed), value


def test_cells_that_await(tmp_path):
    async def main():
        async with kernel(tmp_path) as (_, client):
            return [
                await execute(client, code)
                for code in (
                    "import asyncio\ntype(asyncio.get_running_loop()).__module__",
                    "await asyncio.sleep(0.01)\nprint('slept')",
                    "sum(await asyncio.gather(*(asyncio.sleep(0.01, n) for n in range(100))))",
                    "event = asyncio.Event()\ntask = asyncio.create_task(event.wait())\ntask.done()",
                    "event.set()\nawait task",
                    "process = await asyncio.create_subprocess_exec('echo', 'from a child', stdout=-1)\n"
                    "(await process.communicate())[0]",
                    "await asyncio.sleep(0)\n1 / 0",
                )
            ]

    assert run(main()) == [
        ("", "'pyuv.asyncio._event_loop'"),
        ("slept\n", None),
        ("", "4950"),
        ("", "False"),
        ("", "True"),
        ("", r"b'from a child\n'"),
        ("", "ZeroDivisionError"),
    ]


def test_a_cell_is_interrupted(tmp_path):
    async def main():
        async with kernel(tmp_path) as (manager, client):
            started = asyncio.Event()

            def output(message):
                if message["msg_type"] == "stream":
                    started.set()

            code = "import asyncio\nprint('started', flush=True)\nawait asyncio.sleep(600)"
            running = asyncio.create_task(client.execute_interactive(code, output_hook=output))
            await started.wait()
            await manager.interrupt_kernel()
            reply = await running
            return reply["content"]["ename"], await execute(client, "await asyncio.sleep(0, 'goes on')")

    error, after = run(main())
    assert error in ("CancelledError", "KeyboardInterrupt")
    assert after == ("", "'goes on'")
