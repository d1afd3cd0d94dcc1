"""Everything about a person as one zip, and back.

`form` says what the file is, `exporting` writes it, `importing` reads it.
"""
