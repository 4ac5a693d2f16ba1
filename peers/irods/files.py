"""Stores the files of a local folder and gets them back, then changes one in
every way that the library has."""

import os

import irods.keywords as kw
from common import answer, connect, job, refusal

local, back, coll = job["local"], job["back"], job["coll"]
checksums, sizes, listed = {}, {}, []
with connect() as session:
    objects, colls = session.data_objects, session.collections
    colls.create(coll + "/sub/below")
    for name in sorted(os.listdir(local)):
        p = coll + "/sub/" + name
        objects.put(os.path.join(local, name), p, **{kw.REG_CHKSUM_KW: ""})
        got = objects.get(p, os.path.join(back, name))
        checksums[name], sizes[name] = got.checksum, got.size

    edited = coll + "/edited"
    with objects.open(edited, "w") as f:
        f.write(b"0123456789")
    with objects.open(edited, "r+") as f:
        f.seek(4)
        f.write(b"XY")
        f.seek(2)
        part = f.read(4).decode()
    with objects.open(edited, "a") as f:
        f.write(b"end")
    objects.truncate(edited, 11)
    objects.copy(edited, coll + "/copied")
    objects.move(coll + "/copied", coll + "/sub/moved")
    colls.move(coll + "/sub/below", coll + "/lower")
    with objects.open(coll + "/trashed", "w") as f:
        f.write(b"x")
    objects.unlink(coll + "/trashed")
    with objects.open(coll + "/gone", "w") as f:
        f.write(b"x")
    objects.unlink(coll + "/gone", force=True)
    for c, subs, objs in colls.get(coll).walk():
        listed += [c.path + "/" for c in [c]] + [o.path for o in objs]
    trash = coll.replace("/home/", "/trash/home/")
    errors = {
        "missing": refusal(lambda: objects.get(coll + "/none")),
        "no collection": refusal(lambda: colls.get(coll + "/none")),
        "over": refusal(lambda: objects.copy(edited, coll + "/sub/moved")),
        "denied": refusal(lambda: objects.open(job["denied"], "w").close()),
    }
    exists = {p: objects.exists(trash + "/" + p) or objects.exists(coll + "/" + p) for p in ("trashed", "gone")}
answer(checksums=checksums, sizes=sizes, part=part, listed=sorted(listed), errors=errors, exists=exists,
       release=".".join(map(str, session.server_version)))
