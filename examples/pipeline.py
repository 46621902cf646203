"""Three programs in a row, as a shell's pipe runs them: `python pipeline.py < FILE`.

Counts the words of its input, most frequent first. The output of each program becomes the input of the
next through this process, which could look at it or change it on the way.
"""

import sys
from collections.abc import Callable

import pyuv

PROGRAMS = [
    ["tr", "-cs", "A-Za-z", "\\n"],
    ["sort"],
    ["uniq", "-c"],
]
MUCH = 1 << 20
"""Reading pauses while so many bytes wait to be written."""


class Pipeline:
    """Programs, each reading what the one before writes; `output` is called with what the last does."""

    def __init__(self, loop: pyuv.Loop, programs: list[list[str]], output: Callable[[bytes], object]) -> None:
        self.statuses: dict[str, int] = {}
        self.output = output
        self.inputs = [pyuv.Pipe(loop) for _ in programs]
        outputs = [pyuv.Pipe(loop) for _ in programs]
        for args, reads, writes in zip(programs, self.inputs, outputs, strict=True):
            stdio = [
                pyuv.StdIO(reads, flags=pyuv.UV_CREATE_PIPE | pyuv.UV_READABLE_PIPE),
                pyuv.StdIO(writes, flags=pyuv.UV_CREATE_PIPE | pyuv.UV_WRITABLE_PIPE),
                pyuv.StdIO(fd=2, flags=pyuv.UV_INHERIT_FD),
            ]
            process = pyuv.Process.spawn(loop, args, stdio=stdio, exit_callback=self.ended)
            process.name = args[0]
        for source, target in zip(outputs, [*self.inputs[1:], None], strict=True):
            self.connect(source, target)

    def connect(self, source: pyuv.Pipe, target: pyuv.Pipe | None) -> None:
        """Have what `source` reads written to `target`, or given to the output."""

        def written(target: pyuv.Pipe, error: int | None) -> None:
            if error is not None:  # the program has ended without reading all
                for pipe in (source, target):
                    if not pipe.closed:
                        pipe.close()
            elif not source.closed and target.write_queue_size < MUCH:
                source.start_read(read)

        def read(source: pyuv.Pipe, data: bytes, error: int | None) -> None:
            if error is not None:
                source.close()
                self.end(target)
            elif target is None:
                self.output(data)
            else:
                target.write(data, written)
                if target.write_queue_size >= MUCH:
                    source.stop_read()

        source.start_read(read)

    def end(self, target: pyuv.Pipe | None) -> None:
        """End a program's input, after what is still to be written."""
        if target is not None:
            target.shutdown(lambda target, error: target.close())

    def ended(self, process: pyuv.Process, exit_status: int, term_signal: int) -> None:
        self.statuses[process.name] = exit_status or -term_signal
        process.close()


def main() -> int:
    loop = pyuv.Loop()
    counted = bytearray()
    pipeline = Pipeline(loop, PROGRAMS, counted.extend)
    first = pipeline.inputs[0]
    while data := sys.stdin.buffer.read(1 << 16):
        first.write(data)
        loop.run(pyuv.UV_RUN_NOWAIT)
    pipeline.end(first)
    loop.run()
    lines = sorted(counted.decode().splitlines(), key=lambda line: (-int(line.split()[0]), line))
    print(*lines, sep="\n")
    return max(map(abs, pipeline.statuses.values()))


if __name__ == "__main__":
    sys.exit(main())
