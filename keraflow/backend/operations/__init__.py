"""The operations of the contract, a family a file: their definitions, and those that follow from others.

The plugins of keraflow have files of the same names.
"""
