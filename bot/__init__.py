"""The conversation and the places where it is held; puts `engine` and `storage` together.

Start at `bot.conversation.dialogue` for what is said, `bot.app` for how it is put together, `bot.cli` for the command.
"""
