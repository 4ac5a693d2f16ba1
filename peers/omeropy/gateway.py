"""What the programs that use the gateway share."""

import datetime
import json
import os
import sys

from omero.gateway import BlitzGateway


def connect(user=None, password=None, **more):
    """A gateway of the user in the environment, or of another."""
    conn = BlitzGateway(
        user or os.environ["OMERO_USER"], password or os.environ["OMERO_PASSWORD"],
        host="localhost", port=int(os.environ["OMERO_PORT"]), secure=True, **more)
    assert conn.connect(), conn.getLastError()
    return conn


def plain(value):
    """Turns values that JSON lacks into others."""
    if isinstance(value, datetime.datetime):
        return int(value.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def report(value):
    json.dump(value, sys.stdout, default=plain)
