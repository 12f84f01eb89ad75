"""Prediction: a model folder, and notes that are new to it → codes with their evidence; cards."""
