"""longtail-icd: one package folder per stage of the workflow; all logic lives here.

Data flows one way: a stage imports only stages above it and ``common``.
corpus → terminology → plan → generation → training → evaluation → report
"""
