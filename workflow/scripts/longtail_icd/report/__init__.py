"""Report: everything → figures, tables, one page to read."""
