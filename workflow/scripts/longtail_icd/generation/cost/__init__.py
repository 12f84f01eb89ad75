"""What a plan's notes will cost before they are written."""
