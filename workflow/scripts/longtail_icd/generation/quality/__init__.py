"""What the synthetic notes are like: measured, shown, and put before reviewers."""
