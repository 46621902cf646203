"""Shows what each key sends: `python echo_tty.py`. Ctrl-D ends it."""

import signal
import sys

import pyuv

END = b"\x04"


def main() -> None:
    loop = pyuv.Loop()
    tty = pyuv.TTY(loop, sys.stdin)
    resized = pyuv.Signal(loop)

    def show_size(*_: object) -> None:
        columns, rows = tty.get_winsize()
        tty.write(f"{columns} columns, {rows} rows\n".encode())

    def on_key(tty: pyuv.TTY, data: bytes, error: int | None) -> None:
        if error is None:
            tty.write(f"{data!r}\n".encode())
        if error is not None or END in data:
            resized.close()
            tty.shutdown(lambda tty, error: tty.close())  # which brings the mode back

    tty.set_mode(pyuv.UV_TTY_MODE_RAW)
    resized.start(show_size, signal.SIGWINCH)
    show_size()
    tty.start_read(on_key)
    loop.run()


if __name__ == "__main__":
    main()
