"""Common: what every stage shares: tables, files, errors, configuration, code systems."""
