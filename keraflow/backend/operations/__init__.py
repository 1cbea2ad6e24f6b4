"""The operations of the contract, one family in each file: their definitions, and those that follow from others.

keraflow's plugins have files with the same names.
"""
