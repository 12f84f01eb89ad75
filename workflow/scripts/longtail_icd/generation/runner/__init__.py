"""Asking a language model for many answers: how fast, how long, where, and when to stop."""
