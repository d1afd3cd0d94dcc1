"""A message in, a reply out: understand → link titles → act → say. No platform in here.

Start at `bot.conversation.dialogue`; what people say and what is said back are data in `phrases/`.
"""
