"""Verifies Chopmark's leases offline with PyJWT, as a program in Python would.

    python verify_leases.py crates/client/tests/vectors/leases.json

Reads the test vectors, judges each, and exits with 1 if a verdict differs from the one in the file.
"""

import base64
import hashlib
import json
import sys

import jwt
from jwt.algorithms import OKPAlgorithm
from jwt.exceptions import InvalidSubjectError

LEASE = "chopmark-lease+jwt"
ENDORSEMENT = "chopmark-key+jwt"
CHAIN_MAX = 16
LEEWAY_SECONDS = 300
# Times are judged below: PyJWT would give the end of a lease the same leeway as its beginning.
WITHOUT_TIMES = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}


class Refused(Exception):
    """Why a lease does not hold."""


def key_id(x):
    """The RFC 7638 thumbprint of an Ed25519 key."""
    members = '{"crv":"Ed25519","kty":"OKP","x":"%s"}' % x
    return base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()


def load(x):
    return OKPAlgorithm.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": x})


def trusted_keys(root, key_set):
    """The pinned key, and those that a trusted one vouches for, link by link."""
    trusted = {key_id(root["x"]): load(root["x"])}
    for _ in range(CHAIN_MAX):
        vouched = {
            key_id(key["x"]): load(key["x"])
            for key in key_set["keys"]
            if key.get("kty") == "OKP"
            and key.get("crv") == "Ed25519"
            and any(endorses(endorsement, key["x"], trusted) for endorsement in key.get("endorsements", []))
        }
        if vouched.keys() <= trusted.keys():
            break
        trusted.update(vouched)
    return trusted


def endorses(endorsement, x, trusted):
    try:
        stated = signed_by(endorsement, ENDORSEMENT, trusted, options=WITHOUT_TIMES)
    except Refused:
        return False
    return stated.get("kid") == key_id(x) and stated.get("x") == x


def signed_by(text, typ, trusted, **wanted):
    """The claims of a JWS: EdDSA and nothing else, of this type, by a trusted key, for whom it is wanted."""
    try:
        header = jwt.get_unverified_header(text)
        if header.get("alg") != "EdDSA":
            raise Refused("algorithm")
        if header.get("typ") != typ:
            raise Refused("type")
        if header.get("kid") not in trusted:
            raise Refused("unknown_key")
        return jwt.decode(text, trusted[header["kid"]], algorithms=["EdDSA"], **wanted)
    except jwt.InvalidSignatureError:
        raise Refused("signature") from None
    except jwt.InvalidIssuerError:
        raise Refused("issuer") from None
    except InvalidSubjectError:
        raise Refused("subject") from None
    except (jwt.InvalidAudienceError, jwt.MissingRequiredClaimError):
        raise Refused("product") from None
    except jwt.InvalidTokenError:
        raise Refused("malformed") from None


def verify_lease(lease, trusted, *, issuer, product, subject, machine=None, deployment=None, now):
    """`licensed` or `in_grace` with the claims; raises Refused."""
    claims = signed_by(
        lease, LEASE, trusted, audience=product, issuer=issuer, subject=subject, options=WITHOUT_TIMES
    )
    if claims.get("deployment") != deployment:
        raise Refused("subject")
    if claims.get("machine") != machine:
        raise Refused("machine")
    if max(claims["iat"], claims["nbf"]) > now + LEEWAY_SECONDS:
        raise Refused("not_yet")
    if now >= claims["exp"]:
        raise Refused("ended")
    return ("licensed" if now < claims["renew_by"] else "in_grace"), claims


def main(path):
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    trusted = trusted_keys(vectors["root_key"], vectors["key_set"])
    wrong = 0
    for vector in vectors["leases"]:
        try:
            verdict, _ = verify_lease(
                vector["jws"],
                trusted,
                issuer=vector["issuer"],
                product=vector["audience"],
                subject=vector["subject"],
                machine=vector.get("machine"),
                deployment=vector.get("deployment"),
                now=vector["now"],
            )
        except Refused as why:
            verdict = f"denied:{why}"
        if verdict != vector["expected"]:
            wrong += 1
            print(f"{vector['name']}: {verdict} instead of {vector['expected']}", file=sys.stderr)
    print(f"{len(vectors['leases'])} leases judged, {wrong} wrongly")
    return 1 if wrong or not vectors["leases"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
