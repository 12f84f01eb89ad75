"""Training: train and dev splits, synthetic notes → fine-tuned coders."""

from transformers.utils.logging import disable_progress_bar

# A rule's log gets a line every few seconds; bars would fill it with control characters.
disable_progress_bar()
