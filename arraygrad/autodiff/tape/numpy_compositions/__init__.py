"""NumPy's functions, spelt with those of the standard: a file for each subject, a table in each.

Each function takes the traced namespace first, then NumPy's own arguments, under NumPy's names.
"""
