"""The one exception type that is shown to users without a traceback."""


class UserError(Exception):
    """Something a user can put right: bad input, a wrong setting, an unreachable server.

    The message names the file or the key, says what is wrong and what to do about it.
    It never quotes note text, a prompt or a key.
    """
