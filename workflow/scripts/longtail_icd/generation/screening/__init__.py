"""Which notes may go on, and which of their codes they state."""
