"""Why a message did not go out."""


class NotSent(Exception):  # noqa: N818 - named for what became of it
    """Why, in our own words: what a server says may hold anything. What is final will not go better later."""

    def __init__(self, problem: str, *, is_final: bool = False) -> None:
        super().__init__(problem)
        self.is_final = is_final
