"""Logs in by the files that omerods init wrote, and writes the password file
anew when there is a password for it."""

import os

from irods.session import iRODSSession

from common import answer, job

with iRODSSession(irods_env_file=job["environment"]) as s:
    seen = s.collections.get(job["coll"]).path
if job["write"]:
    os.environ["IRODS_AUTHENTICATION_FILE"] = job["secret"]
    from irods.client_init import write_native_irodsA_file
    write_native_irodsA_file(job["write"], irods_env_file=job["environment"])
answer(seen=seen)
