"""Verifies an exported log of Chopmark and the seals in it, as a stranger would who has the file and the public keys.

    python verify_log.py tests/conformance/vectors/sealed-log.jsonl tests/conformance/vectors/sealed-log.jwks.json

Written from docs/reference/log-format.md alone. Prints what it found; exits with 1 if anything is not as it must be.
"""

import base64
import hashlib
import json
import struct
import sys
import uuid

from verify_leases import Refused, key_id, load, signed_by

SEAL = "chopmark-seal+jwt"
CLAIMS = ("stream", "revision", "id", "records", "chain")
DECODER = json.JSONDecoder()


class Wrong(Exception):
    """What is not as it must be."""


def members(line):
    """The members of an object on one line, each value as the text that stands there."""
    found, at = {}, 1
    while line[at - 1] != "}":
        name, at = DECODER.raw_decode(line, at)
        _, end = DECODER.raw_decode(line, at + 1)
        found[name] = line[at + 1 : end]
        at = end + 1
    return found


def content(record, name):
    """The bytes of data or metadata."""
    if name in record:
        return record[name].encode()
    return base64.b64decode(json.loads(record[name + "_base64"]), validate=True)


def link(value, record):
    """The next value of the chain."""
    parts = [json.loads(record["stream"]).encode(), json.loads(record["kind"]).encode()]
    parts += [content(record, "data"), content(record, "metadata")]
    digest = hashlib.sha256(value)
    digest.update(struct.pack(">4Q", *map(len, parts)))
    digest.update(uuid.UUID(json.loads(record["id"])).bytes)
    digest.update(struct.pack(">Q", int(record["revision"])))
    digest.update(b"".join(parts))
    return digest.digest()


def verify(lines, keys):
    """The number of records and of seals; raises Wrong."""
    header = json.loads(lines[0])
    if (header["format"], header["version"]) != ("chopmark-log", 1):
        raise Wrong("it is no exported log of version 1")
    trailer = json.loads(lines[-1])
    if hashlib.sha256(b"".join(lines[:-1])).hexdigest() != trailer["sha256"]:
        raise Wrong("its bytes are others than those of its last line")
    value, places, seals, revisions = bytes(32), [], [], {}
    for line in lines[1:-1]:
        record = members(line.decode().rstrip("\n"))
        stream, revision = json.loads(record["stream"]), int(record["revision"])
        if revision != revisions.get(stream, 0):
            raise Wrong(f"revision {revision} of {stream} is out of place")
        revisions[stream] = revision + 1
        value = link(value, record)
        places.append((stream, revision, json.loads(record["id"]), value.hex()))
        if stream == "seals":
            seals.append(json.loads(content(record, "data")))
    if (trailer["records"], trailer["chain"]) != (len(places), value.hex()):
        raise Wrong("its records are others than those of its last line")
    for seal in seals:
        claims = {name: seal[name] for name in CLAIMS}
        if signed_by(seal["seal"], SEAL, keys) != claims:
            raise Wrong("what is signed is not what stands beside it")
        covered = places[claims["records"] - 1]
        if covered != (claims["stream"], claims["revision"], claims["id"], claims["chain"]):
            raise Wrong(f"the first {claims['records']} records are not those that were sealed")
    return len(places), len(seals)


def main(path, jwks):
    with open(jwks, encoding="utf-8") as file:
        keys = {key_id(key["x"]): load(key["x"]) for key in json.load(file)["keys"]}
    with open(path, "rb") as file:
        lines = file.readlines()
    try:
        records, seals = verify(lines, keys)
    except (Wrong, Refused) as wrong:
        sys.exit(f"wrong: {wrong}")
    print(f"{records} records, {seals} seals, all as they must be")


if __name__ == "__main__":
    main(*sys.argv[1:])
