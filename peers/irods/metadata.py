"""Adds, sets, removes and copies AVUs, and changes several at once."""

from irods.meta import AVUOperation, iRODSMeta
from irods.models import Collection, DataObject

from common import answer, connect, job, refusal

coll = job["coll"]


def avus(item):
    return sorted([m.name, m.value, m.units] for m in item.metadata.items())


with connect() as session:
    session.collections.create(coll)
    c = session.collections.get(coll)
    with session.data_objects.open(coll + "/f", "w") as f:
        f.write(b"x")
    o = session.data_objects.get(coll + "/f")
    steps = []
    o.metadata.add("colour", "blue")
    o.metadata.add("size", "1", "mm")
    o.metadata.add("size", "2", "cm")
    o.metadata.add("ünï & 'code'", 'va"lue <x>', "µm")
    steps.append(avus(o))
    o.metadata.remove("size", "1", "mm")
    o.metadata["colour"] = iRODSMeta("colour", "red", "")
    o.metadata.set("flag", "yes")
    o.metadata.set("flag", "no")
    steps.append(avus(o))
    session.metadata.copy(DataObject, Collection, coll + "/f", coll)
    steps.append(avus(c))
    o.metadata.apply_atomic_operations(
        AVUOperation(operation="remove", avu=iRODSMeta("flag", "no")),
        AVUOperation(operation="add", avu=iRODSMeta("flag", "maybe", "1")),
        AVUOperation(operation="add", avu=iRODSMeta("more", "of it")))
    steps.append(avus(o))
    failed = refusal(lambda: o.metadata.apply_atomic_operations(
        AVUOperation(operation="add", avu=iRODSMeta("never", "seen")),
        AVUOperation(operation="add", avu=iRODSMeta("empty", ""))))
    twice = refusal(lambda: o.metadata.add("colour", "red"))
    steps.append(avus(session.data_objects.get(coll + "/f")))
    c.metadata.remove_all()
    steps.append(avus(c))
answer(steps=steps, failed=failed, twice=twice)
