"""Pictures of graphs of layers, drawn without another program: as SVG, and as pages for a browser."""
from keraflow.plots.diagram import Box, Diagram, Edge
from keraflow.plots.families import family_of
from keraflow.plots.picture import Picture, shown_in_notebook
from keraflow.plots.settings import settings_text

__all__ = ['Box', 'Diagram', 'Edge', 'Picture', 'family_of', 'settings_text', 'shown_in_notebook']
