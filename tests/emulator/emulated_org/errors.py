"""The errors the emulated services answer with."""


class AwsError(Exception):
    """An error as an AWS service would answer it.

    `code` is the name in the service's own vocabulary. The three conditions
    below are named differently by each protocol; `protocol.refusals` translates
    them. `fields` are what JSON services answer beside the message.
    """

    def __init__(self, code: str, message: str, status: int = 400, **fields: str) -> None:
        super().__init__(f"{code}: {message}")
        self.fields = fields
        self.code = code
        self.message = message
        self.status = status


class AccessDenied(AwsError):
    def __init__(self, message: str) -> None:
        super().__init__("AccessDenied", message, 403)


class InvalidCredentials(AwsError):
    def __init__(self, message: str = "The security token included in the request is invalid.") -> None:
        super().__init__("InvalidClientTokenId", message, 403)


class ExpiredCredentials(AwsError):
    def __init__(self) -> None:
        super().__init__("ExpiredToken", "The security token included in the request is expired", 403)


class NoAnswer(Exception):
    """The connection closes without an answer: its client is gone, or a test wants it so."""


class NotEmulated(AwsError):
    """The emulator, not AWS, has a gap here: fail loudly instead of guessing."""

    def __init__(self, what: str) -> None:
        super().__init__("EmulatorNotImplemented", f"the emulator does not support {what}", 501)


def constraint_violated(what: str, constraint: str, code: str = "ValidationError") -> AwsError:
    """The words in which most services refuse a parameter."""
    return AwsError(code, f"1 validation error detected: {what} failed to satisfy constraint: {constraint}")
