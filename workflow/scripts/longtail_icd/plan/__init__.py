"""Plan: train labels and taxonomy → which notes to write, with which codes."""
