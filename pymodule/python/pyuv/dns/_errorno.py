"""A c-ares code that says what was wrong."""


class ErrorNumber(int):
    """A c-ares code as a callback gets it, where more is known: which record of which server's answer could
    not be read, for instance. `reason` says it, and `strerror` of the code.
    """

    reason: str

    def __new__(cls, code: int, reason: str) -> "ErrorNumber":
        made = super().__new__(cls, code)
        made.reason = reason
        return made

    def __reduce__(self) -> tuple[type["ErrorNumber"], tuple[int, str]]:
        return ErrorNumber, (int(self), self.reason)
