"""Training: train and dev splits, synthetic notes → fine-tuned coders."""
