"""What the programs in this folder share: the job on the standard input, with
the password in it, sessions, and the answer on the standard output."""

import json
import ssl
import sys

from irods.session import iRODSSession

job = json.load(sys.stdin)


def connect(user=None, **more):
    """A session of a user of the job, or one that acts for client_user."""
    user = user or job["user"]
    zone = job["zone"]
    return iRODSSession(host="localhost", port=job["port"], user=user, zone=zone,
                        password=job["passwords"].get(user), **more)


def encrypted(user=None, **more):
    """The same with TLS, verified."""
    return connect(
        user, ssl_context=ssl.create_default_context(cafile=job["ca"]),
        client_server_negotiation="request_server_negotiation", client_server_policy="CS_NEG_REQUIRE",
        encryption_algorithm="AES-256-CBC", encryption_key_size=32, encryption_num_hash_rounds=16, encryption_salt_size=8,
        **more)


def refusal(call):
    """The name of the error that a call raises, "" for none."""
    try:
        call()
    except Exception as e:
        return type(e).__name__
    return ""


def answer(**values):
    json.dump(values, sys.stdout)
