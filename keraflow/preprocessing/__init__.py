"""Prepare sequences, texts and images for a model. Random numbers are drawn from :mod:`keraflow.random`."""
import keraflow.preprocessing.image as image
import keraflow.preprocessing.sequence as sequence
import keraflow.preprocessing.text as text

__all__ = ['image', 'sequence', 'text']
