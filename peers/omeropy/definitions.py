"""Prints, as JSON, the Slice definitions that omero-py was generated from.

The generated modules hand each definition to the extension module of Ice.
This program listens while they do. Types are spelt by what they are on the
wire: seq<…> and dict<…,…> by their elements, classes, structs, enumerations
and exceptions by type id, proxies by type id and "*".
"""

import functools
import importlib
import json
import os
import pkgutil
import sys

import IcePy

names = {}  # type information, by identity, to its spelling
alive = []  # keeps identities unique
found = {"classes": {}, "structs": {}, "enums": {}, "exceptions": {}, "interfaces": {}}
current = [None]

BUILTIN = ["bool", "byte", "short", "int", "long", "float", "double", "string"]


def name(info):
    if info is None:
        return None
    return names[id(info)]


def remember(info, text):
    names[id(info)] = text
    alive.append(info)


for builtin in BUILTIN:
    remember(getattr(IcePy, "_t_" + builtin), builtin)


def listen(define):
    """Wraps a function that defines a type: note is called with its result."""

    def wrap(note):
        original = getattr(IcePy, define)

        @functools.wraps(original)
        def both(*args):
            info = original(*args)
            note(info, *args)
            return info

        setattr(IcePy, define, both)
        return note

    return wrap


def field(member):
    return [member[0].lstrip("_"), name(member[2])]


@listen("declareClass")
def _(info, type_id):
    remember(info, type_id)


@listen("declareProxy")
def _(info, type_id):
    remember(info, type_id + "*")


@listen("defineProxy")
def _(info, type_id, *_):
    remember(info, type_id + "*")


@listen("defineSequence")
def _(info, type_id, meta, element):
    remember(info, "seq<%s>" % name(element))


@listen("defineDictionary")
def _(info, type_id, meta, key, value):
    remember(info, "dict<%s,%s>" % (name(key), name(value)))


@listen("defineEnum")
def _(info, type_id, python, meta, values):
    remember(info, type_id)
    found["enums"][type_id] = {v.name: number for number, v in values.items()}


@listen("defineStruct")
def _(info, type_id, python, meta, members):
    remember(info, type_id)
    found["structs"][type_id] = [field(m) for m in members]


@listen("defineException")
def _(info, type_id, python, meta, preserve, base, members):
    remember(info, type_id)
    found["exceptions"][type_id] = {"base": name(base), "fields": [field(m) for m in members]}


@listen("defineClass")
def _(info, type_id, python, compact, meta, abstract, preserve, base, interfaces, members):
    remember(info, type_id)
    found["classes"][type_id] = {"base": name(base), "fields": [field(m) for m in members]}
    found["interfaces"][type_id] = {"bases": [name(i) for i in interfaces], "operations": {}}
    current[0] = type_id


def operation(*args):
    op_name, _, mode, _, layout, _, takes, gives, returns, throws = args
    if current[0] is not None:
        found["interfaces"][current[0]]["operations"][op_name] = {
            "mode": str(mode),
            "sliced": layout is not None and layout is sys.modules["Ice"].FormatType.SlicedFormat,
            "in": [name(p[1]) for p in takes],
            "out": [name(p[1]) for p in gives],
            "return": name(returns[1]) if returns else None,
            "throws": sorted(name(t) for t in throws),
        }
    return make_operation(*args)


make_operation = IcePy.Operation
IcePy.Operation = operation

import omero.all  # noqa: E402

packages = os.path.dirname(os.path.dirname(omero.__file__))
for module in sorted(m.name for m in pkgutil.iter_modules([packages]) if m.name.endswith("_ice")):
    if module.startswith(("omero_", "Glacier2_Router", "Glacier2_Session")):
        importlib.import_module(module)

json.dump(found, sys.stdout)
