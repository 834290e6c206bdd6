"""Errors that a user can act on."""


class UserError(Exception):
    """Says what was wrong, where, and what to do; shown without a traceback."""
