"""Models: graphs of layers that are trained, saved and changed."""
from keraflow.models.models import Model, Sequential

__all__ = ['Model', 'Sequential']
