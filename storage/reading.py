"""What is known, read inside one transaction: a person's snapshot, a slate, what a message changed.

Plain functions over a connection that sees one state.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, exists, or_, select

from storage.changes import GiveFeedback, MessageChanges, SetPreference, TakeBackFeedback
from storage.ids import event_hash
from storage.records import (
    AddedFilm,
    Ballot,
    Companion,
    FeedbackKind,
    IdentityKey,
    LinkOffer,
    MessageId,
    MessageKey,
    PersonId,
    PlaceKey,
    PlaceSettings,
    Preference,
    Preferences,
    ShownPick,
    ShownSlate,
    SlateId,
    Snapshot,
    Visibility,
    Watch,
)
from storage.tables import (
    added_films,
    contexts,
    erased_events,
    feedback,
    identities,
    link_codes,
    messages,
    people,
    place_settings,
    preferences,
    registrations,
    slate_members,
    slate_picks,
    slates,
    watches,
)

_WATCH = [watches.c[name] for name in Watch.__dataclass_fields__]


def person_of(identity: IdentityKey) -> Select[int]:
    """The person of an account."""
    return select(identities.c.person_id).where(
        identities.c.platform == identity.platform,
        identities.c.workspace == identity.workspace,
        identities.c.user_id == identity.user,
    )


def earlier_reply(connection: Connection, message: MessageKey, asker: PersonId | None = None) -> str | None:
    """The reply to a message that was handled before, None when it is new.

    It is empty when it is not kept any more, and for anybody but the person (`asker`) whose message it was.
    """
    found = connection.execute(
        select(messages.c.person_id, messages.c.reply).where(
            messages.c.platform == message.platform,
            messages.c.workspace == message.workspace,
            messages.c.event_id == message.event_id,
        )
    ).first()
    if found is not None:
        return str(found.reply) if found.person_id == asker else ""
    erased = connection.scalar(select(exists().where(erased_events.c.event_hash == event_hash(message))))
    return "" if erased else None


def snapshot(
    connection: Connection, identity: IdentityKey, place: PlaceKey, message: MessageKey, moment: datetime
) -> Snapshot:
    """What is known about a person, in one place; of the context only what has not run out at `moment`."""
    found = connection.execute(
        select(people).where(people.c.person_id == person_of(identity).scalar_subquery())
    ).first()
    there = settings_of(connection, place.platform, place.workspace)
    if found is None:
        return Snapshot(None, 0, earlier_reply=earlier_reply(connection, message), place=there)
    person = PersonId(found.person_id)
    dismissed, wanted = opinions_of(connection, person)
    own = _own_films(connection, person)
    context = connection.scalar(
        select(contexts.c.payload).where(_in_place(contexts, person, place), contexts.c.expires_at > moment)
    )
    # One that waits for its people, or did, was never shown.
    was_shown = or_(slates.c.open_to_votes.is_(None), exists().where(slate_picks.c.slate_id == slates.c.slate_id))
    shown = slate(connection, and_(_in_place(slates, person, place), was_shown))
    return Snapshot(
        person=person,
        version=found.version,
        history=history(connection, person),
        history_version=found.history_version,
        dismissed=dismissed,
        wanted=wanted,
        preferences=preferences_of(connection, person),
        added_films=tuple(film for film, counts in own if counts),
        undone_films=tuple(film for film, counts in own if not counts),
        context=context,
        last_slate=None if shown is None else shown[1],
        place=there,
        earlier_reply=earlier_reply(connection, message, person),
    )


def history(connection: Connection, person: PersonId) -> tuple[Watch, ...]:
    """The watches of a person, oldest first, by one index."""
    rows = connection.execute(
        select(*_WATCH)
        .where(watches.c.person_id == person, watches.c.live.is_(True))
        .order_by(watches.c.sorted_on, watches.c.told_at, watches.c.position, watches.c.watch_id)
    )
    return tuple(Watch(*row) for row in rows)


def opinions_of(connection: Connection, person: PersonId) -> tuple[frozenset[int], tuple[int, ...]]:
    """The films that a person does not want to be shown, and the watchlist in its order."""
    opinions = connection.execute(
        select(feedback.c.film_id, feedback.c.kind)
        .where(feedback.c.person_id == person, feedback.c.live.is_(True))
        .order_by(feedback.c.row_id)
    ).all()
    return (
        frozenset(row.film_id for row in opinions if row.kind is FeedbackKind.DISMISSED),
        # What was taken back and given again is there twice once the taking back is undone.
        tuple(dict.fromkeys(row.film_id for row in opinions if row.kind is FeedbackKind.WANTED)),
    )


def preferences_of(connection: Connection, person: PersonId) -> Preferences:
    """The settings of a person."""
    rows = connection.execute(
        select(preferences.c.name, preferences.c.value)
        .where(preferences.c.person_id == person, preferences.c.live.is_(True))
        .order_by(preferences.c.row_id)
    )
    values: dict[Preference, Any] = {row.name: row.value for row in rows}
    visibility = values.get(Preference.VISIBILITY)
    return Preferences(
        time_zone=values.get(Preference.TIME_ZONE),
        locale=values.get(Preference.LOCALE),
        adventurousness=values.get(Preference.ADVENTUROUSNESS),
        visibility=Visibility(visibility) if visibility else None,
        group_opt_in=bool(values.get(Preference.GROUP_OPT_IN)),
    )


def added_films_of(connection: Connection, person: PersonId) -> tuple[AddedFilm, ...]:
    """The films that a person added, by their ids, but for those whose adding was undone."""
    return tuple(film for film, counts in _own_films(connection, person) if counts)


def _own_films(connection: Connection, person: PersonId) -> list[tuple[AddedFilm, bool]]:
    """All films that a person ever added, by their ids, and whether each counts.

    It does while the message that added it is in force, or a watch or an opinion that holds is about it.
    """
    watched = select(watches.c.film_id).where(watches.c.person_id == person, watches.c.live.is_(True))
    judged = select(feedback.c.film_id).where(feedback.c.person_id == person, feedback.c.live.is_(True))
    counts = or_(messages.c.in_force, added_films.c.film_id.in_(watched), added_films.c.film_id.in_(judged))
    rows = connection.execute(
        select(added_films.c.film_id, added_films.c.title, added_films.c.year, counts.label("counts"))
        .join(messages, messages.c.message_id == added_films.c.message_id)
        .where(added_films.c.person_id == person)
        .order_by(added_films.c.film_id)
    )
    return [(AddedFilm(row.film_id, row.title, row.year), bool(row.counts)) for row in rows]


def _in_place(table: Table, person: int, place: PlaceKey) -> ColumnElement[bool]:
    return and_(
        table.c.person_id == person,
        table.c.platform == place.platform,
        table.c.workspace == place.workspace,
        table.c.channel == place.channel,
        table.c.thread == place.thread,
    )


def slate(connection: Connection, which: ColumnElement[bool]) -> tuple[PersonId, ShownSlate] | None:
    """The last shown of those slates, and to whom."""
    found = connection.execute(
        select(slates)
        .join(messages, messages.c.message_id == slates.c.message_id)
        .where(which)
        .order_by(slates.c.shown_at.desc(), messages.c.version.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    members = connection.scalars(
        select(slate_members.c.person_id)
        .where(slate_members.c.slate_id == found.slate_id)
        .order_by(slate_members.c.person_id)
    )
    picks = connection.execute(
        select(slate_picks.c.rank, slate_picks.c.film_id, slate_picks.c.score, slate_picks.c.reason)
        .where(slate_picks.c.slate_id == found.slate_id)
        .order_by(slate_picks.c.rank)
    )
    return PersonId(found.person_id), ShownSlate(
        slate_id=SlateId(found.slate_id),
        message_id=MessageId(found.message_id),
        bundle=found.bundle,
        request=found.request,
        picks=tuple(ShownPick(*pick) for pick in picks),
        shown_at=found.shown_at,
        members=tuple(map(PersonId, members)),
        open_to_votes=found.open_to_votes,
    )


def ballot(connection: Connection, slate_id: SlateId) -> Ballot | None:
    """The vote on a slate; None when there never was one."""
    found = slate(connection, slates.c.slate_id == slate_id)
    if found is None or found[1].open_to_votes is None:
        return None
    votes = connection.execute(
        select(slate_members.c.person_id, slate_members.c.vote)
        .where(slate_members.c.slate_id == slate_id)
        .order_by(slate_members.c.person_id)
    ).all()
    rows = connection.execute(
        select(identities.c.platform, identities.c.workspace, identities.c.user_id)
        .where(identities.c.person_id.in_([vote.person_id for vote in votes]))
        .order_by(identities.c.platform, identities.c.workspace, identities.c.user_id)
    )
    return Ballot(
        *found, {PersonId(vote.person_id): vote.vote for vote in votes}, tuple(IdentityKey(*row) for row in rows)
    )


def companion(connection: Connection, account: IdentityKey) -> Companion:
    """Somebody whom a recommendation is to be for; of one who has not opted in nothing more than that."""
    person = connection.scalar(person_of(account))
    if person is None or not preferences_of(connection, PersonId(person)).group_opt_in:
        return Companion(account)
    return Companion(
        account,
        PersonId(person),
        opted_in=True,
        history=history(connection, PersonId(person)),
        dismissed=opinions_of(connection, PersonId(person))[0],
    )


def settings_of(connection: Connection, platform: str, workspace: str) -> PlaceSettings:
    """What is set for all in a server or workspace."""
    found = connection.execute(
        select(place_settings.c.channels, place_settings.c.adventurousness).where(
            place_settings.c.platform == platform, place_settings.c.workspace == workspace
        )
    ).first()
    return PlaceSettings() if found is None else PlaceSettings(found.channels, found.adventurousness)


def registered(connection: Connection, platform: str, application: str) -> str | None:
    """The fingerprint of the commands that a platform was told of last."""
    return connection.scalar(
        select(registrations.c.fingerprint).where(
            registrations.c.platform == platform, registrations.c.application == application
        )
    )


def message_changes(connection: Connection, message_id: MessageId) -> MessageChanges | None:
    """What a handled message changed; None when it is unknown."""
    message = connection.execute(select(messages).where(messages.c.message_id == message_id)).first()
    if message is None:
        return None
    touched = connection.execute(
        select(watches)
        .where(or_(watches.c.version_by == message_id, watches.c.removed_by == message_id))
        .order_by(watches.c.row_id)
    ).all()
    # Of several versions of a watch that one message made, the last is what it said; a removal says nothing.
    said = {
        row.watch_id: row for row in touched if row.version_by == message_id and row.removed_by != message_id
    }.values()
    opinions = connection.execute(
        select(feedback)
        .where(or_(feedback.c.message_id == message_id, feedback.c.removed_by == message_id))
        .order_by(feedback.c.row_id)
    ).all()
    settings = connection.execute(
        select(preferences.c.name, preferences.c.value)
        .where(preferences.c.message_id == message_id)
        .order_by(preferences.c.row_id)
    )
    undid = connection.scalars(
        select(messages.c.message_id).where(messages.c.undone_by == message_id).order_by(messages.c.version)
    )
    return MessageChanges(
        message_id=message_id,
        person=PersonId(message.person_id),
        reply=message.reply,
        undone=not message.in_force,
        logged=tuple(_watch(row) for row in said if row.message_id == message_id),
        rated=tuple(_watch(row) for row in said if row.message_id != message_id),
        removed=tuple(_watch(row) for row in touched if row.removed_by == message_id),
        # What was taken back by several is there for each of them.
        feedback=tuple(
            dict.fromkeys(GiveFeedback(row.film_id, row.kind) for row in opinions if row.message_id == message_id)
        ),
        feedback_taken_back=tuple(
            TakeBackFeedback(row.film_id, row.kind) for row in opinions if row.removed_by == message_id
        ),
        preferences=tuple(SetPreference(row.name, row.value) for row in settings),
        undid=tuple(MessageId(undone) for undone in undid),
    )


def _watch(row: Row[Any]) -> Watch:
    return Watch(*(row._mapping[column] for column in _WATCH))


def last_undoable(connection: Connection, person: PersonId) -> MessageId | None:
    """The person's last message whose changes are in force, not counting undos; so undoing twice goes back two."""
    found = connection.scalar(
        select(messages.c.message_id)
        .where(messages.c.person_id == person, messages.c.undoable.is_(True), messages.c.in_force.is_(True))
        .order_by(messages.c.version.desc())
        .limit(1)
    )
    return None if found is None else MessageId(found)


def link_offer(connection: Connection, code_hash: str, moment: datetime) -> LinkOffer | None:
    """Whom the code of a hash lets one join at that moment; None when it is none, or over."""
    person = connection.scalar(
        select(link_codes.c.person_id).where(link_codes.c.code_hash == code_hash, link_codes.c.expires_at > moment)
    )
    return None if person is None else LinkOffer(PersonId(person), accounts(connection, PersonId(person)))


def accounts(connection: Connection, person: PersonId) -> tuple[IdentityKey, ...]:
    """All accounts of a person."""
    rows = connection.execute(
        select(identities.c.platform, identities.c.workspace, identities.c.user_id)
        .where(identities.c.person_id == person)
        .order_by(identities.c.platform, identities.c.workspace, identities.c.user_id)
    )
    return tuple(IdentityKey(*row) for row in rows)
