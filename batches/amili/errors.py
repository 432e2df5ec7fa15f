"""What can go wrong between Amili and us, named for what the caller should do.

AmiliError
├── Later           ask again: Amili is away, busy or broken
├── Refused         a person must act: the question itself was turned down
│   ├── Forbidden       our credentials may not see this
│   └── KeysRefused     our credentials are not accepted at all
├── NotThere        Amili does not know what we ask for
└── NotUnderstood   an answer came that we cannot read

Each message is one plain sentence that holds no secret and nothing from the answer's body.
"""


class AmiliError(Exception):
    """Anything that keeps a question to Amili from being answered."""

    trouble = ""


class Later(AmiliError):
    """The same question may be answered later."""

    trouble = "unreachable"


class Refused(AmiliError):
    """The question was turned down; asking again will not help before somebody has acted."""

    trouble = "refused"


class Forbidden(Refused):
    """Our credentials are good, but may not see this."""

    trouble = "forbidden"


class KeysRefused(Refused):
    """Our credentials are not accepted."""

    trouble = "keys_refused"


class NotThere(AmiliError):
    """Amili does not know it (yet)."""

    trouble = "not_there"


class NotUnderstood(AmiliError):
    """A successful answer that cannot be read as what was asked for."""

    trouble = "not_understood"


def error_for(status: int) -> AmiliError:
    """The error that an HTTP status other than success stands for.

    The bodies of Amili's failures are documented nowhere, so the status alone decides.
    """
    kind: type[AmiliError]
    if status in (404, 410):
        kind = NotThere
    elif status in (401, 403):
        kind = KeysRefused if status == 401 else Forbidden
    elif status in (408, 425, 429) or status >= 500:
        kind = Later
    else:
        kind = Refused
    return kind(f"Amili answered {status}")
