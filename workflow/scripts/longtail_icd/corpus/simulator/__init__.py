"""A hospital that does not exist, in the files of MIMIC-III or MIMIC-IV, at any size."""
