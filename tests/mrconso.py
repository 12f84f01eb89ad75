"""Rows of a made-up MRCONSO.RRF. Every string and concept here is invented, none is of the UMLS."""

FIELDS = 18


def row(cui, string, *, sab="SRC", code="X1", lat="ENG", suppress="N"):
    """Return one line: CUI|LAT|TS|LUI|STT|SUI|ISPREF|AUI|…|SAB|TTY|CODE|STR|SRL|SUPPRESS|CVF|."""
    fields = [cui, lat, "P", "L1", "PF", "S1", "Y", "A1", "", "", "", sab, "PT", code, string]
    line = "|".join([*fields, "0", suppress, ""]) + "|\n"
    assert line.count("|") == FIELDS
    return line


LINES = [
    row("C0000001", "Weak pump of the heart", sab="ICD9CM", code="428.0"),
    row("C0000001", "Feeble pump"),
    row("C0000001", "FEEBLE  PUMP"),
    row("C0000001", "Pump weakness (disorder)", sab="SNOMEDCT_US"),
    row("C0000001", 'The "tired" pump'),
    row("C0000001", "Bomba débil", lat="SPA"),
    row("C0000001", "Pompe faible", lat="FRE"),
    row("C0000001", "Old pump", suppress="O"),
    row("C0000001", "Withdrawn pump", suppress="E"),
    row("C0000001", "Silent pump", suppress="Y"),
    # a second concept of the same code, and a code of several systems
    row("C0000002", "Wet lungs from the pump", sab="ICD9CM", code="428.0"),
    row("C0000002", "Soaked lungs"),
    row("C0000002", "Soaked lung state", sab="ICD10CM", code="I50.1"),
    # concepts whose code is suppressed, or is a range of codes
    row("C0000003", "Gone with its code", sab="ICD9CM", code="401.9", suppress="O"),
    row("C0000003", "Gone too"),
    row("C0000004", "Ills of the pump", sab="ICD9CM", code="420-429.99"),
    # a procedure, and a concept without any code of a classification
    row("C0000005", "Line into a vein", sab="ICD9CM", code="38.93"),
    row("C0000005", "Vein line"),
    row("C0000006", "Nothing to do with codes"),
    # the first concept once more: the file need not be sorted
    row("C0000001", "Late pump name"),
]
