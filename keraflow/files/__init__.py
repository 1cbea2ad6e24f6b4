"""Files: paths on one side, plain data and arrays on the other.

It knows nothing of layers or models, imports nothing that a file names and calls nothing that a file chose.

============  ==============================================================
`plaindata`   JSON and YAML text, to and from plain Python data
`tensors`     the weights file: named arrays in the safetensors layout
`atomic`      writing: a file is replaced whole, or not at all
============  ==============================================================
"""

__all__ = ['atomic', 'plaindata', 'tensors']
