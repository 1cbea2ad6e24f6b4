"""Compile, fit, evaluate and predict."""
