"""What a log says of an error that nobody foresaw: where it was, and nothing that a note says."""

import errno

import pytest
from longtail_icd.common.script import SHOW_ERRORS, describe

SECRET_TEXT = "Mrs Quillfeather was seen for a ruptured zeppelin"


def described(error):
    try:
        raise error
    except type(error) as raised:
        return describe(raised)


@pytest.mark.parametrize("error", [ValueError(SECRET_TEXT), OSError(SECRET_TEXT)])
def test_a_message_that_may_quote_a_note_is_withheld(error, monkeypatch):
    text = described(error)
    assert SECRET_TEXT not in text
    assert "test_script.py" in text and type(error).__name__ in text and SHOW_ERRORS in text
    monkeypatch.setenv(SHOW_ERRORS, "1")
    assert SECRET_TEXT in described(error)


def test_what_the_operating_system_says_is_shown():
    """A full disk has to be known as one; a library's own words are withheld even so."""
    assert described(OSError(errno.ENOSPC, SECRET_TEXT)).endswith(
        "OSError: No space left on device"
    )
    refused = described(PermissionError(errno.EACCES, SECRET_TEXT, "results/notes.parquet"))
    assert refused.endswith("PermissionError: Permission denied: results/notes.parquet")
