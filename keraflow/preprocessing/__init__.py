"""Sequences, texts and images made ready for a model. What is random is drawn from :mod:`keraflow.random`."""
import keraflow.preprocessing.image as image
import keraflow.preprocessing.sequence as sequence
import keraflow.preprocessing.text as text

__all__ = ['image', 'sequence', 'text']
