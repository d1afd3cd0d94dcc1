"""Films and recommendations: a history and a request in, a ranked slate out, computed by a model on disk.

Begin with `requests` (the values), then `recommender` (how a slate is made); `films` and `titles` say what a film is
and what people call it, `bundle` and `inference` how a model is opened and run. Knows no chat, no database and no
network.
"""
