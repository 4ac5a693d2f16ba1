"""An administrator that acts for somebody else, and one who may not."""

from irods.models import Collection, DataObject

from common import answer, connect, job, refusal

coll, user, zone, admin, other = job["coll"], job["user"], job["zone"], job["admin"], job["other"]
with connect(admin, client_user=user, client_zone=zone) as session:
    session.collections.create(coll)
    with session.data_objects.open(coll + "/f", "w") as f:
        f.write(b"by proxy")
    who = session.username
    owner = session.data_objects.get(coll + "/f").owner_name
    denied = refusal(lambda: session.collections.create(job["denied"]))
    rows = [r[DataObject.name] for r in session.query(DataObject.name).filter(Collection.name == coll)]


def acting(by, client):
    with connect(by, client_user=client, client_zone=zone) as s:
        s.collections.get(coll)


answer(who=who, owner=owner, denied=denied, rows=rows, not_admin=refusal(lambda: acting(other, user)),
       unknown=refusal(lambda: acting(admin, "nobody")))
