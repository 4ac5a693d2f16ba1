"""Says what a data object holds, then writes it anew or removes it."""

import base64
import hashlib

import irods.keywords as kw

from common import answer, connect, job

path, before = job["path"], ""
with connect() as session:
    objects = session.data_objects
    if objects.exists(path):
        with objects.open(path, "r") as f:
            before = "sha2:" + base64.b64encode(hashlib.sha256(f.read()).digest()).decode()
    if job.get("remove"):
        objects.unlink(path, force=True)
    else:
        objects.put(job["file"], path, **{kw.FORCE_FLAG_KW: ""})
answer(before=before)
