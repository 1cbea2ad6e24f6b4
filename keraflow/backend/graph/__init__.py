"""A graph of tensors for libraries that have functions of arrays, and nothing to put them together.

A plugin gives a table of array functions, by the names of :mod:`~keraflow.backend.graph.operations`, and some verbs.
All else of the contract is here.
"""
