"""Makes a program of a seed: plain Python, which can be run, read and cut down."""

from __future__ import annotations

import random
from pathlib import Path

import values
from idioms import IDIOMS, RARE
from stubs import Callable, Parameter, Stubs

PRELUDE = Path(__file__).with_name("prelude.py")
STUBS = Stubs()
# What can be in a variable, by how often it is chosen.
HANDLES = [
    "Async",
    "Check",
    "Idle",
    "Pipe",
    "Poll",
    "Prepare",
    "Process",
    "Signal",
    "TCP",
    "TTY",
    "Timer",
    "UDP",
]
KINDS = [
    *(f"pyuv.{name}" for name in HANDLES),
    *(
        "fs.FSEvent",
        "fs.FSPoll",
        "util.SignalChecker",
        "dns.Channel",
        "pyuv.StdIO",
    ),
    *(f"thread.{name}" for name in ("Mutex", "RWLock", "Condition", "Semaphore", "Barrier", "Queue")),
]
VARIABLES = {path.rpartition(".")[2].lower(): path for path in KINDS}
# For what is told more than once.
REPEATED = {"Async", "listen", "start", "start_read", "start_recv", "start_oneshot", "reinit"}
# What is started and then called on the main thread only, because it waits.
WAITING = {
    *("thread.Mutex.lock", "thread.RWLock.rdlock", "thread.RWLock.wrlock", "thread.Condition.wait"),
    *(
        "thread.Semaphore.wait",
        "thread.Barrier.wait",
        "thread.Queue.put",
        "thread.Queue.get",
        "thread.Queue.join",
    ),
    *("thread.Mutex.__enter__", "thread.RWLock.__enter__", "thread.Condition.__enter__"),
    *("thread.Semaphore.__enter__", "thread.Barrier.__enter__", "thread.Condition.timedwait"),
    *("pyuv.Stream.set_blocking",),
}
NEVER = {
    "pyuv.Loop.default_loop",
    "pyuv.Stream.set_blocking",
    "util.kill",
    "util.set_process_title",
    "util.thread_setpriority",
    "util.setpriority",
}


class Program:
    """The dice, and the names that there are."""

    def __init__(self, seed: int, without: frozenset[str] = frozenset()) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        dice = self.dice
        features = [name for name in IDIOMS if name not in without]
        self.features = [name for name in features if name in ("loops", "life") or dice.random() < 0.35]
        self.kinds = dice.sample(KINDS, dice.randrange(3, 9))
        if "exits" not in self.features:
            self.kinds.append("pyuv.Timer")
        self.bodies = [f"b{number}" for number in range(dice.randrange(3, 9))]
        self.loops = ["v.loop0", "v.loop1"][: dice.randrange(1, 3)]

    # What `values` makes arguments of.

    def loop(self) -> str:
        return self.dice.choice(self.loops)

    def body(self) -> str:
        return self.dice.choice(self.bodies)

    def variable(self, path: str) -> str:
        return f"v.{path.rpartition('.')[2].lower()}{int(self.dice.random() < 0.25)}"

    def instance(self, path: str) -> str:
        if path in ("pyuv.Handle", "pyuv.Stream"):
            return self.variable(self.dice.choice(self.kinds))
        if path in KINDS:
            return self.variable(path)
        if path == "fs.Dir":
            return "v.dir"
        if path in STUBS.classes:
            return self.make(path)
        return ""

    def any(self) -> str:
        """Something of pyuv's."""
        if self.dice.random() < 0.15:
            return self.dice.choice(["v.request", "v.work", "v.dir", "v.shared[-1]", "v.some", self.loop()])
        return self.variable(self.dice.choice(self.kinds))

    def anything(self) -> str:
        choice = self.dice.choice(
            ["None", "0", "-1", "1.5", "''", "b''", "[]", "()", "object()", "int", "float('nan')", "1 << 70"]
        )
        return self.dice.choice([choice, self.any(), f"Index({self.body()}, 0)", f"Call({self.body()})", "v"])

    # Statements.

    def arguments(self, function: Callable) -> str:
        path = function.path
        always = values.ALWAYS.get(path, set())
        given, by_name = [], False
        for parameter in function.parameters:
            chance = 0.75 if parameter.name == "callback" else 0.4
            if parameter.optional and parameter.name not in always and self.dice.random() > chance:
                by_name = True
                continue
            by_name |= parameter.by_name
            value = self.argument(function, parameter)
            given.append(f"{parameter.name}={value}" if by_name else value)
        if self.dice.random() < 0.02 and not always:
            given = given[: self.dice.randrange(len(given) + 1)]
        return ", ".join(given)

    def argument(self, function: Callable, parameter: Parameter) -> str:
        value = values.expression(self, function.path, parameter)
        if (
            value in self.bodies
            and function.name not in REPEATED
            and parameter.name in ("callback", "done_callback")
        ):
            return f"Once({value})"
        return value

    def make(self, path: str) -> str:
        """An expression that makes one."""
        made = STUBS.classes[path].make
        arguments = self.arguments(made) if made else ""
        if path == "pyuv.Process":
            return f"spawn({self.loop()}, 'true', exit_callback=Once({self.body()}))"
        chance = self.dice.random()
        for share, kind in ((0.04, "bare"), (0.1, "slotted"), (0.16, "dying"), (0.19, "twice")):
            if chance < share:
                return f"{kind}({path})({arguments})"
        if chance < 0.22:
            return f"{path}.__new__({path})"
        return f"{path}({arguments})"

    def construct(self) -> str:
        path = self.dice.choice(self.kinds)
        name = self.variable(path)
        made = self.make(path)
        if made.startswith("slotted"):
            return f"{name} = {made}; {name}.slot = Bomb({self.body()})"
        return f"{name} = {made}"

    def call(self) -> str:
        path = "pyuv.Loop" if self.dice.random() < 0.15 else self.dice.choice(self.kinds)
        target = self.loop() if path == "pyuv.Loop" else self.variable(path)
        methods = [each for each in STUBS.methods(path) if each.path not in NEVER]
        if not methods:
            return self.construct()
        method = self.dice.choice(methods)
        if method.path in WAITING:
            return f"wait({target}.{method.name})"
        if method.path == "pyuv.Process.spawn":
            return f"{target} = spawn({self.arguments(method)})"
        return f"{target}.{method.name}({self.arguments(method)})"

    def read(self) -> str:
        path = self.dice.choice(["pyuv.Loop", *self.kinds])
        target = self.loop() if path == "pyuv.Loop" else self.variable(path)
        return f"{target}.{self.dice.choice(STUBS.attributes(path) or ['__class__'])}"

    def assign(self) -> str:
        path = self.dice.choice(["pyuv.Loop", *self.kinds])
        target = self.loop() if path == "pyuv.Loop" else self.variable(path)
        settable = STUBS.settable(path)
        if not settable or self.dice.random() < 0.2:
            name = self.dice.choice(STUBS.attributes(path) or ["x"])
            return f"{target}.{name} = {self.anything()}"
        name = self.dice.choice(list(settable))
        value = values.expression(self, f"{path}.{name}", Parameter(name, settable[name], False, False))
        return f"{target}.{name} = {value}"

    def function(self) -> str:
        wanted = [
            module for module, feature in (("fs", "files"), ("dns", "names")) if feature in self.features
        ]
        functions = [
            each
            for each in STUBS.functions
            if each.path not in NEVER and (each.module in wanted or self.dice.random() < 0.2)
        ]
        chosen = self.dice.choice(functions or STUBS.functions)
        return f"v.request = {chosen.path}({self.arguments(chosen)})"

    def value(self) -> str:
        """A record, a result: what holds no handle."""
        others = [path for path in STUBS.classes if path not in KINDS and path != "pyuv.Loop"]
        return f"v.request = {self.make(self.dice.choice(others))}"

    def drop(self) -> str:
        return f"del {self.variable(self.dice.choice(self.kinds))}"

    def idiom(self) -> str:
        templates = IDIOMS[self.dice.choice(self.features)]
        template = self.dice.choice(templates)
        if template in RARE and self.dice.random() < 0.7:
            template = self.dice.choice(templates)
        return self.fill(template)

    def fill(self, template: str) -> str:
        variables = {name: self.variable(path) for name, path in VARIABLES.items()}
        return template.format(
            loop=self.loop(),
            body=self.body(),
            call=values.callback(self, ""),
            data=values.data(self, ""),
            items=f"Items({self.body()}, odd(Data, {self.body()}, b'x'))",
            path=values.place(self, ""),
            number=self.dice.randrange(16),
            many=self.dice.randrange(50),
            expression=self.call().rpartition(" = ")[2],
            any=self.any(),
            **variables,
        )

    def statement(self) -> str:
        kinds = {
            self.idiom: 45,
            self.call: 25,
            self.construct: 10,
            self.function: 5,
            self.assign: 4,
            self.read: 2,
            self.drop: 4,
            self.value: 1,
            lambda: f"turn({self.loop()})": 2,
            lambda: f"{self.loop()}.run(pyuv.UV_RUN_NOWAIT)": 8,
        }
        (kind,) = self.dice.choices(list(kinds), list(kinds.values()))
        return kind()

    def block(self, most: int, indent: str = "") -> list[str]:
        return [f"{indent}with quiet: {self.statement()}" for _ in range(self.dice.randrange(1, most + 1))]

    def text(self) -> str:
        """The whole program."""
        lines = [PRELUDE.read_text(), f"# Seed {self.seed}: {', '.join(self.features)}."]
        for name in self.bodies:
            lines += ["", "@body", f"def {name}():", *self.block(6, "    ")]
            if self.dice.random() < 0.15:
                lines.append("    raise ValueError('mine')")
            elif self.dice.random() < 0.2:
                lines.append(f"    return {self.anything()}")
        lines += ["", *(f"with quiet: {loop} = pyuv.Loop()" for loop in self.loops)]
        lines.append("with quiet: v.ours, v.theirs = socket.socketpair(); v.theirs.setblocking(False)")
        lines.append(f"with quiet: v.dir = fs.opendir({self.loop()}, 'd')")
        lines += [f"with quiet: {self.construct()}" for _ in self.kinds]
        for feature in self.features:
            makers = [
                template for template in IDIOMS[feature] if template.startswith("{") and " = " in template
            ]
            lines += [f"with quiet: {self.fill(self.dice.choice(makers))}" for _ in makers[:2]]
        lines += self.block(50)
        if "exits" in self.features:
            lines += self.block(5)
        else:
            lines.append("finish()")
        return "\n".join(lines) + "\n"
