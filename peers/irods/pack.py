"""Finds a saved pack by its AVUs, verifies every checksum that iRODS has
registered by the bytes, and has the server verify it too."""

import base64
import hashlib

import irods.keywords as kw
from irods.column import Criterion
from irods.models import Collection, CollectionMeta

from common import answer, connect, job

with connect() as session:
    found = session.query(Collection.name).filter(
        Criterion("=", CollectionMeta.name, "omerods::state"), Criterion("=", CollectionMeta.value, "finished"))
    saved = sorted(r[Collection.name] for r in found)
    kinds = {}
    for p in saved:
        kinds[p] = sorted([m.name, m.value] for m in session.collections.get(p).metadata.items() if m.name.startswith("omerods::"))
    wrong, files, size, marked = [], 0, 0, 0
    for c, _, objs in session.collections.get(job["coll"]).walk():
        for o in objs:
            with session.data_objects.open(o.path, "r") as f:
                data = f.read()
            sum = "sha2:" + base64.b64encode(hashlib.sha256(data).digest()).decode()
            if o.checksum != sum or o.size != len(data):
                wrong.append([o.path, o.checksum, sum])
            if hasattr(session.data_objects, "chksum"):
                session.data_objects.chksum(o.path, **{kw.VERIFY_CHKSUM_KW: ""})
            files, size = files + 1, size + len(data)
            marked += any(m.name.startswith("omero::") for m in o.metadata.items())
answer(saved=saved, kinds=kinds, wrong=wrong, files=files, size=size, marked=marked)
