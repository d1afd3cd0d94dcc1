"""The conversation in Discord: events in, messages and buttons out.

Start at `bot.discord.bot`, which logs in and hands events on; `answering` acknowledges, asks the conversation and sends
what it replies; `views` says how a reply looks; `commands` are the slash commands, `buttons` what is pressed. Decides
nothing that the conversation decides.
"""
