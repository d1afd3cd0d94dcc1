"""What is kept: people, their watches and feedback, the slates they were shown, and which messages were handled.

Begin with `records` and `changes` (the values), then `store` (what can be asked and done), `applying` (one message's
transaction), `database` (what SQLite and PostgreSQL promise) and `tables` (the schema). `redis` and what stands on it,
`cache` and `limits`, hold what may be lost. Knows no models and no chat platforms.
"""
