"""What is kept: people, their watches and feedback, the slates they were shown, and which messages were handled.

Begin with `records` (the values), then `store` (what can be asked and done), `changes` (one message's transaction),
`database` (connections and migrations) and `tables` (the schema). Knows no models and no chat platforms.
"""
