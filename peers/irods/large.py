"""Large files over several connections, and the calls on replicas that the
newest library has."""

import os

import irods.keywords as kw
from common import answer, connect, encrypted, job, refusal

coll, local, back = job["coll"], job["local"], job["back"]
big = os.path.join(local, "big")
with connect() as session:
    objects = session.data_objects
    session.collections.create(coll)
    done = {}
    done["put"] = objects.parallel_put(big, coll + "/big", num_threads=3)
    done["get"] = objects.parallel_get(coll + "/big", os.path.join(back, "big"), num_threads=3, data_open_returned_values={})
    waiting = objects.parallel_put(big, coll + "/later", async_=True, num_threads=2)
    done["later"] = waiting.wait_until_transfer_done()
    objects.put(big, coll + "/over", num_threads=2, **{kw.REG_CHKSUM_KW: ""})
    objects.put(os.path.join(local, "small"), coll + "/over")
    objects.put(big, coll + "/over", num_threads=2, **{kw.FORCE_FLAG_KW: "", kw.REG_CHKSUM_KW: ""})

    sums = {n: objects.chksum(coll + "/" + n) for n in ("big", "later", "over")}
    objects.chksum(coll + "/big", **{kw.VERIFY_CHKSUM_KW: ""})

    objects.replicate(coll + "/later", resource=job["second"])
    two = [(r.number, r.resource_name, r.status, r.size) for r in objects.get(coll + "/later").replicas]
    with objects.open(coll + "/later", "r", **{kw.RESC_NAME_KW: job["second"]}) as f:
        head = f.read(16).hex()
    with objects.open(coll + "/later", "r+") as f:
        f.write(b"newer")
    stale = [(r.number, r.status) for r in objects.get(coll + "/later").replicas]
    objects.replicate(coll + "/later", resource=job["second"], **{kw.UPDATE_REPL_KW: ""})
    again = [(r.number, r.status) for r in objects.get(coll + "/later").replicas]
    objects.trim(coll + "/later", **{kw.RESC_NAME_KW: job["second"], kw.COPIES_KW: "1"})
    one = [r.number for r in objects.get(coll + "/later").replicas]

    objects.replica_truncate(coll + "/later", 7)
    objects.touch(coll + "/later", seconds_since_epoch=1600000000)
    session.collections.touch(coll, seconds_since_epoch=1500000000)
    later = objects.get(coll + "/later")
    empty = coll + "/touched"
    objects.touch(empty)
    size = objects.get(empty).size
    objects.touch(coll + "/none", no_create=True)
    missing = refusal(lambda: objects.get(coll + "/none"))
with encrypted() as session:
    session.data_objects.put(big, coll + "/sealed", num_threads=2)
    session.data_objects.get(coll + "/sealed", os.path.join(back, "sealed"), num_threads=2)
answer(done=done, sums=sums, two=two, head=head, stale=stale, again=again, one=one,
       truncated=[later.size, int(later.modify_time.timestamp())], touched=size, missing=missing)
