"""The event loops that docs/embedding.md has run a pyuv loop, each with what the page has for it.

All have the same methods: `embed(loop)` gives the page's object; `later(seconds, callback)` calls back once;
`run` runs until `stop`; `wait(seconds)` is an event loop of its own inside of a callback; `started(embedded)`
is what comes after something was started in a callback of the host's; `at_leisure(callback)` calls back when
nothing else is to be done.
"""

import os
import re
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pyuv

PAGE = Path(__file__).resolve().parents[2] / "docs" / "embedding.md"
QT, TK, ANY = re.findall(r"^```(?:py|\{testcode\})\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def definitions(code):
    """What a program of the page defines."""
    names = {"__name__": "a program of the page"}
    exec(compile(code, PAGE, "exec"), names)
    return SimpleNamespace(**names)


def run_once(host):
    """What it opens when it first waits for something is for good."""
    with pyuv.Loop() as loop, closing(host.embed(loop)) as embedded:
        timer = pyuv.Timer(loop)
        timer.start(lambda timer: None, 0.001)
        host.started(embedded)
        host.wait(0.01)


class Qt:
    """Qt's loop, without a display."""

    def __init__(self):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        self.page = definitions(QT)
        from PySide6.QtCore import QEventLoop, QTimer
        from PySide6.QtWidgets import QApplication

        self.timer, self.event_loop = QTimer, QEventLoop
        # One for the process.
        self.application = QApplication([])
        run_once(self)

    def embed(self, loop):
        return self.page.Embedded(loop)

    def window(self, embedded):
        return self.page.Window(embedded.loop, 0)

    def click(self, window):
        window.click()

    def text(self, window):
        return window.text()

    def later(self, seconds, callback):
        self.timer.singleShot(round(seconds * 1000), callback)

    def at_leisure(self, callback):
        self.timer.singleShot(0, callback)

    def run(self):
        self.application.exec()

    def stop(self):
        self.application.quit()

    def wait(self, seconds):
        inner = self.event_loop()
        self.later(seconds, inner.quit)
        inner.exec()

    def started(self, embedded):
        """Qt arms it."""


class Tk:
    """Tk's loop, on the display that DISPLAY names."""

    def __init__(self):
        self.page = definitions(TK)
        self.root = self.page.tkinter.Tk()
        self.waited = self.page.tkinter.IntVar(self.root)
        run_once(self)

    def embed(self, loop):
        return self.page.Embedded(loop, self.root)

    def window(self, embedded):
        return self.page.Window(self.root, embedded, 0)

    def click(self, window):
        window.invoke()

    def text(self, window):
        return window["text"]

    def later(self, seconds, callback):
        self.root.after(round(seconds * 1000), callback)

    def at_leisure(self, callback):
        self.root.after_idle(callback)

    def run(self):
        self.root.mainloop()

    def stop(self):
        self.root.quit()

    def wait(self, seconds):
        self.later(seconds, lambda: self.waited.set(1))
        self.root.wait_variable(self.waited)

    def started(self, embedded):
        embedded.arm()


class Any:
    """The page's own loop."""

    def __init__(self):
        self.page = definitions(ANY)
        self.host = self.page.Host()

    def embed(self, loop):
        return self.page.Embedded(loop, self.host)

    def later(self, seconds, callback):
        self.host.timers.enter(seconds, 0, callback)

    def at_leisure(self, callback):
        self.host.timers.enter(0, 1, callback)

    def run(self):
        self.host.run()

    def stop(self):
        self.host.stop()

    def wait(self, seconds):
        self.later(seconds, self.host.stop)
        self.host.run()
        self.host.going = True

    def started(self, embedded):
        embedded.arm()
