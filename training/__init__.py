"""From ratings on disk to a verified bundle: datasets → sequences → model → fit → export, and how good it is.

Start at `recipes/starter.toml` for what is decided, `training.fit` for how it is trained, `training.evaluate` for the
exam.
"""
