"""The conversation in Slack: events in, messages, modals and a Home tab out.

Start at `bot.slack.bot`, which connects and writes events down before it acknowledges them; `answering` asks the
conversation and `sending` puts its replies where they belong; `views` says how a reply looks, `pages` how modals and
the Home tab do; `manifest` is what Slack is told of the app. Decides nothing that the conversation decides.
"""
