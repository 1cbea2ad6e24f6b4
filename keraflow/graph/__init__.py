"""Kensors, the calls that made them, and what a run of layers knows of its tensors."""
