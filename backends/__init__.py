"""The backends that come with keraflow, found by the entry points ``keraflow.backends``."""
