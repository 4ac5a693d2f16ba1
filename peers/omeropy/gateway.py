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


def dump(obj):
    """The members of a model object that hold values: numbers, texts, lengths
    with their units, pairs, bytes. A transform is one of its own."""
    out = {}
    for name in obj._field_info._fields:
        value = getattr(obj, name, None)
        if name == "transform" and value is not None:
            out[name] = dump(value)
        elif hasattr(value, "getUnit"):
            out[name] = [value.getValue(), str(value.getUnit())]
        elif isinstance(value, bytes):
            if value:
                out[name] = value.hex()
        elif isinstance(value, list):
            if value and hasattr(value[0], "name"):
                out[name] = [[pair.name, pair.value] for pair in value]
        elif hasattr(value, "getValue") and not hasattr(value, "_field_info"):
            out[name] = value.getValue()
    return out
