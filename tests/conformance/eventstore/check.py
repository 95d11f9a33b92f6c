"""Holds the double of EventStoreDB against a client of another hand: what that one takes for a server, it must be like.

check.py esdb://HOST:PORT?tls=false

Ends well if every answer is as the client's own documentation says of a server.
"""

import sys
import uuid

from kurrentdbclient import Checkpoint, KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.exceptions import NotFoundError, WrongCurrentVersionError


def same(found, expected):
    if found != expected:
        sys.exit(f"found {found!r}, expected {expected!r}")


def fails(error, call):
    try:
        call()
    except error as failed:
        return failed
    sys.exit(f"no {error.__name__}")


def event(kind="said.v1", data=b'{"n":1}', **more):
    return NewEvent(type=kind, data=data, id=uuid.uuid4(), **more)


def appends(client):
    """Expected versions, by both calls: one event goes by Append, several by BatchAppend."""
    first, others = event(metadata=b"\xff\x00"), [event(), event(data=b"\x00", content_type="application/octet-stream")]
    begun = client.append_to_stream("a", events=first, current_version=StreamState.NO_STREAM)
    ended = client.append_to_stream("a", events=others, current_version=0)
    if not 0 < begun < ended:
        sys.exit(f"positions do not grow: {begun}, {ended}")
    for wrong in [StreamState.NO_STREAM, 0, 1, 7]:
        fails(WrongCurrentVersionError, lambda: client.append_to_stream("a", events=event(), current_version=wrong))
        fails(WrongCurrentVersionError, lambda: client.append_to_stream("a", events=[event()], current_version=wrong))
    fails(WrongCurrentVersionError, lambda: client.append_to_stream("none", events=event(), current_version=0))
    fails(WrongCurrentVersionError, lambda: client.append_to_stream("none", events=[event()], current_version=StreamState.EXISTS))
    # The same once more is no second time, and has the first answer.
    same(client.append_to_stream("a", events=first, current_version=StreamState.NO_STREAM), begun)
    same(client.append_to_stream("a", events=others, current_version=0), ended)
    fails(WrongCurrentVersionError, lambda: client.append_to_stream("a", events=[first, event()], current_version=StreamState.NO_STREAM))
    client.append_to_stream("b", events=[event("other.v1")], current_version=StreamState.ANY)
    client.append_to_stream("b", events=event("other.v1"), current_version=StreamState.EXISTS)
    same(client.get_current_version("a"), 2)
    same(client.get_current_version("b"), 1)
    same(client.get_current_version("none"), StreamState.NO_STREAM)
    return [first, *others]


def streams(client, appended):
    read = client.get_stream("a")
    same([(e.id, e.type, e.data, e.metadata, e.content_type) for e in read],
         [(e.id, e.type, e.data, e.metadata, e.content_type) for e in appended])
    same([e.stream_position for e in read], [0, 1, 2])
    same([e.stream_name for e in read], ["a"] * 3)
    if any(e.recorded_at is None or e.commit_position is None for e in read):
        sys.exit("an event of a stream has no time or no position")
    same([e.stream_position for e in client.get_stream("a", stream_position=1, limit=1)], [1])
    same([e.stream_position for e in client.get_stream("a", backwards=True)], [2, 1, 0])
    same([e.stream_position for e in client.get_stream("a", backwards=True, stream_position=1)], [1, 0])
    fails(NotFoundError, lambda: client.get_stream("none"))


def everything(client):
    """$all: what a server writes for itself is there, and is left out on request."""
    every = list(client.read_all(filter_exclude=()))
    own = list(client.read_all())
    if len(every) <= len(own) or not any(e.type.startswith("$") for e in every):
        sys.exit("the double says nothing of its own")
    same([e.stream_name for e in own], ["a", "a", "a", "b", "b"])
    positions = [e.commit_position for e in every]
    same(positions, sorted(set(positions)))
    same([e.id for e in client.read_all(backwards=True)], [e.id for e in reversed(own)])
    same([e.id for e in client.read_all(commit_position=own[2].commit_position)], [e.id for e in own[2:]])
    same([e.id for e in client.read_all(commit_position=own[2].commit_position, backwards=True)], [e.id for e in reversed(own[:2])])
    same([e.type for e in client.read_all(filter_include=("other.*",))], ["other.v1"] * 2)
    same([e.stream_name for e in client.read_all(filter_include=("b",), filter_by_stream_name=True)], ["b"] * 2)
    same(client.get_commit_position(), own[-1].commit_position)
    return own


def subscriptions(client, own):
    """A subscription goes on after its position, and tells what comes later; checkpoints go through what is left out."""
    subscription = client.subscribe_to_all(commit_position=own[1].commit_position)
    same([next(subscription).id for _ in own[2:]], [e.id for e in own[2:]])
    later = [event("later.v1") for _ in range(3)]
    from_end = client.subscribe_to_all(from_end=True)
    for n, news in enumerate(later):
        client.append_to_stream(f"later {n}", events=[news], current_version=StreamState.NO_STREAM)
    for hearing in [subscription, from_end]:
        same([next(hearing).id for _ in later], [e.id for e in later])
        hearing.stop()
    told = client.subscribe_to_all(filter_include=("later.*",), include_checkpoints=True, window_size=2)
    if not any(isinstance(next(told), Checkpoint) for _ in range(4)):
        sys.exit("a filtered subscription has no checkpoints")
    told.stop()


def metadata(client):
    same(client.get_stream_metadata("a"), ({}, StreamState.NO_STREAM))
    client.set_stream_metadata("a", metadata={"$maxCount": 10}, current_version=StreamState.NO_STREAM)
    same(client.get_stream_metadata("a"), ({"$maxCount": 10}, 0))


def main():
    client = KurrentDBClient(sys.argv[1])
    appended = appends(client)
    streams(client, appended)
    own = everything(client)
    subscriptions(client, own)
    metadata(client)
    client.close()
    print("as a server is")


if __name__ == "__main__":
    main()
