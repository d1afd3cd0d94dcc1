"""What a message means: one frozen dataclass an intent, and `Situation`, what one must know to read it.

Films are still words here (linking them is the dialogue's), dates and marks are values where words alone decide them.
Knows no store, no engine and no platform.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Asked(StrEnum):
    """What the bot's open question is about."""

    WHICH_FILM = "which-film"
    WATCHED_OR_LIKE = "watched-or-like"
    WHICH_SHOWN = "which-shown"
    ADD_FILM = "add-film"
    LINK = "link"
    UNLINK = "unlink"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Situation:
    """What `understand` may know: the open question (None: none) and how many choices it has; how many films the list
    shown last has, a slate or the watchlist; whether a film was just talked about, so that “it” means something, and
    whether it was logged, so that “and Heat” goes on with that; the titles of the films told last, in that order, and
    how many of them by the last message that told any; whether the list is the watchlist, so that “clear it” is about
    that."""

    asked: Asked | None = None
    choices: int = 0
    shown: int = 0
    film_in_mind: bool = False
    just_logged: bool = False
    recent: tuple[str, ...] = ()
    told: int = 0
    watchlist: bool = False


class State(StrEnum):
    """How a film was watched; the values are storage's."""

    FINISHED = "finished"
    ABANDONED = "abandoned"
    REWATCH = "rewatch"


class Reaction(StrEnum):
    """What somebody thought of a film."""

    LOVED = "loved"
    LIKED = "liked"
    FINE = "fine"
    DISLIKED = "disliked"
    HATED = "hated"


@dataclass(frozen=True, slots=True)
class LogWatches:
    """“Watched Alien and Aliens last night, 8/10”. `whole` runs from the films to the end of what was said, for titles
    that end in what looks like a date or a mark. `doubtful`: said with a question mark, or an everyday word: ask."""

    films: str
    whole: str
    when: str | None = None
    state: State = State.FINISHED
    rating: float | None = None
    """0 to 5 stars."""
    reaction: Reaction | None = None
    doubtful: bool = False
    questioned: bool = False
    """It ends in a question mark, which is a doubt unless the title has it."""
    firm: bool = False
    """A verb or a day stands right beside the film."""
    opinion: bool = False
    """Said of a film rather than of watching it (“I loved Alien”): it joins a watch that is known."""


@dataclass(frozen=True, slots=True)
class React:
    """“Loved it”, “8/10”: about the films logged just before, in this message or the last."""

    reaction: Reaction | None = None
    rating: float | None = None
    state: State | None = None
    of: str = ""
    """The title of the film that it is about, of those told before; none: the one talked about."""

    def details(self) -> dict[str, Any]:
        """Its fields by name."""
        return {"reaction": self.reaction, "rating": self.rating, "state": self.state}


class Age(StrEnum):
    """Older or newer than what was asked for before, or else than what was shown."""

    OLDER = "older"
    NEWER = "newer"


class Refining(StrEnum):
    """How a wish changes the one before it: it adds to its genres (“but funny”), or puts others in their place (“a
    comedy instead”). Whatever else it says takes the place of what was said; the rest stays."""

    ADDING = "adding"
    REPLACING = "replacing"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a recommendation should be like, in words. Years are inclusive; `recent` is “so many years back”."""

    count: int | None = None
    like: tuple[str, ...] = ()
    like_places: tuple[int, ...] = ()
    like_it: bool = False
    without_films: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    without_genres: tuple[str, ...] = ()
    years: tuple[int | None, int | None] = (None, None)
    without_years: tuple[tuple[int, int], ...] = ()
    recent: int | None = None
    adventurousness: float | None = None
    names: tuple[str, ...] = ()
    """Directors and actors."""
    players: tuple[str, ...] = ()
    """Those of them who are to play in it: “with Tom Hanks”."""
    words: tuple[str, ...] = ()
    """What is left: tags, if the catalogue has them."""
    unwanted: tuple[str, ...] = ()
    """“Not too gory”."""
    unanswerable: tuple[str, ...] = ()
    """Keys of things that the data does not hold: runtime, language, service, group."""
    age: Age | None = None
    """“Something older”, of a list that was shown."""
    compared: tuple[str, ...] = ()
    """“Funnier”, “scarier”, as “funny” and “scary”; what they mean otherwise is in genres and words, too."""
    softer: tuple[str, ...] = ()
    """Words by which genres are left out that may only tone them down: “not too scary”."""

    @property
    def says_something(self) -> bool:
        """Whether anything was asked for beyond “a film”."""
        return self != Wish()


@dataclass(frozen=True, slots=True)
class Recommend:
    """“What next?”, “a 90s horror under the radar”, “something like Alien”."""

    wish: Wish = field(default_factory=Wish)
    bare: str = ""
    """The words, when nothing but they say that it is a wish: “Like Water for Chocolate” is a film."""
    weak: bool = False
    """Said so that it is a wish only beside another: “a 90s horror, not too gory”, but not “not yet”."""
    again: bool = False
    """The list shown last there is as good, if nothing was watched since: for pages that are looked at often."""
    surprise: bool = False
    """“Surprise me”: films that not everybody is shown, and others every time."""
    refines: Refining | None = None
    """It changes the wish that the list shown last came from: “something older”, “but not horror”."""


@dataclass(frozen=True, slots=True)
class Together:
    """A recommendation for the people whom the message names as well; `vote`: to choose one of them together."""

    wish: Wish = field(default_factory=Wish)
    vote: bool = False


@dataclass(frozen=True, slots=True)
class LogFound:
    """Log the films that somebody's text names, without anything else that it says."""

    text: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A named argument whose value can't be read; the rest of the command is done."""

    argument: str
    value: str


@dataclass(frozen=True, slots=True)
class AdjustPlace:
    """What holds for a whole server: a channel to answer in, one not to any more, in all of them, the usual dial.

    Nothing at all: show it.
    """

    allow: str = ""
    allow_name: str = ""
    disallow: str = ""
    everywhere: str = ""
    adventurousness: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """“Why the second one?”: a place on the slate, a film, or neither (all of them)."""

    places: tuple[int, ...] = ()
    film: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """“Seen 2”, “seen it”: films of the slate; no places: the one that was shown or talked about."""

    places: tuple[int, ...] = ()
    every: bool = False
    when: str | None = None
    reaction: Reaction | None = None
    rating: float | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Dismiss:
    """“Not interested in 3”: films of the slate, or one that was named."""

    places: tuple[int, ...] = ()
    film: str | None = None
    every: bool = False
    off: bool = False
    """“Remove 3”: of the watchlist that is all that is meant."""
    instead: bool = False
    """“No, the third”: right after another was chosen, that one in its place."""


@dataclass(frozen=True, slots=True)
class More:
    """The next films of the same request."""

    count: int | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back the last change; `that`: only if it is what is talked about (“not that one”)."""

    that: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What was watched; `search` names a film (“have I seen Alien?”), `when` a time (“in October”), `of` the genres and
    years of films (“how many westerns”); `it`: the film just talked about."""

    search: str | None = None
    when: str | None = None
    it: bool = False
    of: Wish | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a film out of the history."""

    film: str


@dataclass(frozen=True, slots=True)
class Meant:
    """“No, I meant the remake”: another film than the last one logged, or a word that tells it; or, of that film,
    another day, mark, reaction or manner (“it was yesterday”)."""

    text: str = ""
    when: str | None = None
    rating: float | None = None
    reaction: Reaction | None = None
    state: State | None = None
    by: float | None = None
    """Stars that its mark is to be higher by: “knock half a star off”."""
    of: str = ""
    """The title of the film that it is about, of those told before; none: the one talked about."""


@dataclass(frozen=True, slots=True)
class Watchlist:
    """What is on the watchlist; `best`: what of it to watch next; `search`: whether a film is on it."""

    best: bool = False
    search: str | None = None


@dataclass(frozen=True, slots=True)
class Want:
    """“Save the second one”, “add Alien to my watchlist”: films of the list, one that was named, or neither (“it”)."""

    places: tuple[int, ...] = ()
    film: str | None = None
    every: bool = False
    whole: str = ""
    """All that was said: “Save the Last Dance” is a film."""
    quiet: bool = False
    """Said where the watchlist is the person's alone: so is the answer."""


@dataclass(frozen=True, slots=True)
class Unwant:
    """“Remove Alien from my watchlist”; `clear`: all that is on it."""

    places: tuple[int, ...] = ()
    film: str | None = None
    every: bool = False
    clear: bool = False
    quiet: bool = False


class Setting(StrEnum):
    """A setting of a person's own; the values are storage's."""

    TIME_ZONE = "time_zone"
    LOCALE = "locale"
    ADVENTUROUSNESS = "adventurousness"
    VISIBILITY = "visibility"
    GROUP_OPT_IN = "group_opt_in"


@dataclass(frozen=True, slots=True)
class Settings:
    """What are my settings? `strange` is what was to be set and is no setting."""

    strange: str = ""


@dataclass(frozen=True, slots=True)
class Adjust:
    """“Set my time zone to Europe/Berlin”: a setting and what it should be, in words."""

    setting: Setting
    value: str


@dataclass(frozen=True, slots=True)
class Privacy:
    """What do you know about me?"""


@dataclass(frozen=True, slots=True)
class Export:
    """Everything about me, as a file."""


@dataclass(frozen=True, slots=True)
class Import:
    """Take in the files that came with the message."""


@dataclass(frozen=True, slots=True)
class LinkAccounts:
    """Make a code for another account, or, with a code, become one person with the account that made it."""

    code: str = ""


@dataclass(frozen=True, slots=True)
class UnlinkAccount:
    """Take this account out of those that are one person."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Erase everything about me."""


@dataclass(frozen=True, slots=True)
class Help:
    """What can this do? `who`: who or what is this?"""

    who: bool = False


@dataclass(frozen=True, slots=True)
class Greeting:
    """Hello."""


class Pleasantry(StrEnum):
    """What is said when there is nothing to do: thanks, that something was heard, goodbye, or talk of other things."""

    THANKS = "thanks"
    HEARD = "heard"
    BYE = "bye"
    SMALL_TALK = "small-talk"


@dataclass(frozen=True, slots=True)
class Thanks:
    """Thanks, ok, bye, “I'm sad”: nothing to do."""

    said: Pleasantry = Pleasantry.THANKS


class AnswerKind(StrEnum):
    """How a question was answered."""

    PLACE = "place"
    WORDS = "words"
    NONE = "none"
    CANCEL = "cancel"
    """Not “none of these” but “never mind”."""
    YES = "yes"
    ALL = "all"
    WATCHED = "watched"
    SIMILAR = "similar"
    ANYWAY = "anyway"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to the bot's own question. WORDS may turn out to be something else: a title, say."""

    kind: AnswerKind
    place: int = 0
    text: str = ""
    when: str | None = None
    rating: float | None = None
    reaction: Reaction | None = None
    state: State | None = None


class NotWatched(StrEnum):
    """Why a film that was named is not a watch."""

    PLAN = "plan"
    QUESTION = "question"
    NEGATION = "negation"
    HYPOTHETICAL = "hypothetical"
    OTHERS = "others"
    PASSING = "passing"


@dataclass(frozen=True, slots=True)
class NotAWatch:
    """A film was named and nothing is to be logged."""

    kind: NotWatched
    film: str
    otherwise: LogWatches | None = None
    """The watch that it is, if the words after the verb are the name of a film."""


@dataclass(frozen=True, slots=True)
class BareTitle:
    """Nothing but a title, perhaps; `fond` when it was said to be liked."""

    text: str
    fond: bool = False
    whole: str = ""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Words without a meaning for us; `empty` when there are none at all."""

    text: str = ""
    empty: bool = False


Intent = (
    LogWatches
    | React
    | Recommend
    | Together
    | LogFound
    | Unread
    | AdjustPlace
    | Why
    | Seen
    | Dismiss
    | More
    | Undo
    | History
    | Remove
    | Meant
    | Watchlist
    | Want
    | Unwant
    | Settings
    | Adjust
    | Privacy
    | Export
    | Import
    | LinkAccounts
    | UnlinkAccount
    | Forget
    | Help
    | Greeting
    | Thanks
    | Answer
    | NotAWatch
    | BareTitle
    | NotUnderstood
)
