"""What can go wrong between Amili and us, named for what the caller should do.

AmiliError
├── Later           ask again: Amili is away, busy or broken
│   ├── Busy            asked too often
│   └── Paused          not even asked: no request may go out at the moment
├── Refused         a person must act: the question itself was turned down
│   ├── Forbidden       our credentials may not see this
│   ├── KeysRefused     our credentials are not accepted at all
│   └── Conflict        not as things stand at Amili
├── NotThere        Amili does not know what we ask for
│   └── Gone            and says that it will not come back
└── NotUnderstood   an answer came that we cannot read

Each message is one plain sentence that holds no secret and nothing from the answer's body.
"""


class AmiliError(Exception):
    """Anything that keeps a question to Amili from being answered.

    `status` is 0 where no answer came; `retry_after` is how many seconds Amili wants us to wait, where it says so.
    """

    trouble = ""

    def __init__(
        self, message: str, *, status: int = 0, request_id: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.request_id, self.retry_after = status, request_id, retry_after


class Later(AmiliError):
    """The same question may be answered later."""

    trouble = "unreachable"


class Busy(Later):
    """We ask too much."""

    trouble = "busy"


class Paused(Later):
    """The question did not go out: for `until` seconds from now, none may."""

    def __init__(self, message: str, *, until: float) -> None:
        super().__init__(message)
        self.until = until


class Refused(AmiliError):
    """The question was turned down; asking again will not help before somebody has acted."""

    trouble = "refused"


class Forbidden(Refused):
    """Our credentials are good, but may not see this."""

    trouble = "forbidden"


class KeysRefused(Refused):
    """Our credentials are not accepted."""

    trouble = "keys_refused"


class Conflict(Refused):
    """The question does not fit the state that things are in at Amili."""

    trouble = "conflict"


class NotThere(AmiliError):
    """Amili does not know it (yet)."""

    trouble = "not_there"


class Gone(NotThere):
    """Amili knew it once and says that it is there no more."""

    trouble = "gone"


class NotUnderstood(AmiliError):
    """A successful answer that cannot be read as what was asked for."""

    trouble = "not_understood"


_MEANINGS: dict[int, type[AmiliError]] = {
    401: KeysRefused,
    403: Forbidden,
    404: NotThere,
    408: Later,
    409: Conflict,
    410: Gone,
    425: Later,
    429: Busy,
}


def error_for(status: int, *, who: str = "Amili", request_id: str = "", retry_after: float | None = None) -> AmiliError:
    """The error that an HTTP status other than success stands for.

    The bodies of Amili's failures are documented nowhere, so the status alone decides.
    """
    kind = _MEANINGS.get(status, Later if status >= 500 else Refused)
    return kind(f"{who} answered {status}", status=status, request_id=request_id, retry_after=retry_after)
