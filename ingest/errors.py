"""The one family of errors.

DriftnetError      something went wrong; exit code 1
  InputError       the caller's input or usage is wrong; exit code 2
"""


class DriftnetError(Exception):
    """A failure that a person can act on: the message names the thing and the remedy."""

    exit_code = 1


class InputError(DriftnetError):
    """The input or the usage is wrong; nothing was changed."""

    exit_code = 2
