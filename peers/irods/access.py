"""Rights of users and of groups, given and taken away."""

from irods.access import iRODSAccess

from common import answer, connect, job, refusal

coll, other, group = job["coll"], job["other"], job["group"]
zone = job["zone"]
with connect(job["admin"]) as admin:
    groups = getattr(admin, "groups", None) or admin.user_groups
    # Libraries older than iRODS 5 make groups in a way that it refuses.
    made = refusal(lambda: groups.create(group))
    groups.addmember(group, other)
    members = sorted(u.name for u in groups.getmembers(group))
with connect() as session, connect(other) as second:
    acls = getattr(session, "acls", None) or session.permissions
    session.collections.create(coll)
    with session.data_objects.open(coll + "/f", "w") as f:
        f.write(b"mine")

    def seen():
        return refusal(lambda: second.data_objects.get(coll + "/f"))

    def written():
        def write():
            with second.data_objects.open(coll + "/f", "r+") as f:
                f.write(b"more")
        return refusal(write)

    before = [seen(), written()]
    acls.set(iRODSAccess("read", coll, other, zone))
    acls.set(iRODSAccess("read", coll + "/f", other, zone))
    read = [seen(), written()]
    acls.set(iRODSAccess("write", coll + "/f", other, zone))
    write = [seen(), written()]
    rights = sorted([a.user_name, a.access_name] for a in acls.get(session.data_objects.get(coll + "/f")))
    acls.set(iRODSAccess("null", coll + "/f", other, zone))
    after = [seen(), written()]

    acls.set(iRODSAccess("inherit", coll))
    acls.set(iRODSAccess("write", coll, group, zone))
    with session.data_objects.open(coll + "/inherited", "w") as f:
        f.write(b"x")
    inherited = sorted([a.user_name, a.access_name] for a in acls.get(session.data_objects.get(coll + "/inherited")))

    def create():
        with second.data_objects.open(coll + "/theirs", "w") as f:
            f.write(b"y")
    created = refusal(create)
    theirs = getattr(second, "acls", None) or second.permissions
    stolen = refusal(lambda: theirs.set(iRODSAccess("own", coll, other, zone)))


answer(made=made, members=members, before=before, read=read, write=write, rights=rights, after=after,
       inherited=inherited, created=created, stolen=stolen)
