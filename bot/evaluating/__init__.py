"""How well the bot understands: cases typed into real conversations, and what came of each beside what should have.

Begin with `cases` (utterances and their expected parse), then `hearing` (one conversation, and its outcome), `scoring`
(the comparison and the figures) and `mentions` (film names cut out of real chat). `nextreel evaluate-understanding` and
`make bench-understanding` put them together.
"""
