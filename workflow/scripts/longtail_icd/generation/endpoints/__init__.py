"""Where prompts may go and what may leave this machine."""
