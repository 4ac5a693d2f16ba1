"""Lists what the user can see, in the ways that the gateway has for it."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from gateway import connect, report  # noqa: E402

conn = connect()
IMAGE, PLATE = int(sys.argv[1]), int(sys.argv[2])


def ids(objects):
    return [o.getId() for o in objects]


def names(objects):
    return [o.getName() for o in objects]


def who():
    user, ec = conn.getUser(), conn.getEventContext()
    return {
        "user": [user.getId(), user.getName(), user.getFullName(), user.getEmail()],
        "context": [ec.userId, ec.userName, ec.groupId, ec.groupName, ec.isAdmin, ec.memberOfGroups, ec.leaderOfGroups],
        "member": ids(conn.getGroupsMemberOf()), "leader": ids(conn.getGroupsLeaderOf()),
        "admin": conn.isAdmin(), "leads": conn.isLeader(), "secure": conn.isSecure(),
        "colleagues": names(conn.listColleagues()), "default": conn.getDefaultGroup(conn.getUserId()).getName(),
        "summary": [ids(part) for part in conn.getGroupFromContext().groupSummary()],
        "privileges": conn.getCurrentAdminPrivileges(),
    }


CLASSES = ["Project", "Dataset", "Image", "Screen", "Plate", "PlateAcquisition", "Well", "TagAnnotation", "MapAnnotation",
           "FileAnnotation", "CommentAnnotation", "LongAnnotation", "Annotation", "OriginalFile", "Fileset", "Roi", "Shape",
           "Experimenter", "ExperimenterGroup"]


def filtered():
    first = {c: sorted(ids(conn.getObjects(c)))[0] for c in ("Project", "Dataset", "Screen", "Plate")}
    g = conn.getObject("Image", IMAGE)

    def get(cls, **opts):
        return ids(conn.getObjects(cls, opts=opts))

    return {
        "first": first, "glomerulus": g.getId(),
        "owner": get("Project", owner=conn.getUserId()),
        "group": get("Project", group=conn.getGroupFromContext().getId()),
        "project": get("Dataset", project=first["Project"]),
        "dataset": get("Image", dataset=first["Dataset"], order_by="lower(obj.name)"),
        "dataset page": get("Image", dataset=first["Dataset"], order_by="obj.id", limit=2, offset=1),
        "orphaned images": get("Image", orphaned=True), "orphaned datasets": get("Dataset", orphaned=True),
        "orphaned plates": get("Plate", orphaned=True),
        "screen": get("Plate", screen=first["Screen"]), "plate": get("Well", plate=first["Plate"]),
        "members": get("Experimenter", experimentergroup=conn.getGroupFromContext().getId()),
        "groups": get("ExperimenterGroup", experimenter=conn.getUserId()),
        "rois": get("Roi", image=g.getId()),
        "shapes": {r.getId(): sorted(s.getId().getValue() for s in r._obj.copyShapes())
                   for r in conn.getObjects("Roi", opts={"image": g.getId(), "load_shapes": True})},
        "attributes": ids(conn.getObjects("Dataset", attributes={"name": "Controls"})),
        "by name": conn.getObject("Screen", attributes={"name": "Drug screen"}).getId(),
        "by ids": ids(conn.getObjects("Image", [g.getId(), 999999])),
        "none": conn.getObject("Image", 999999),
        "counts": {o.getId(): o.countChildren() for o in conn.getObjects("Dataset", opts={"child_count": True})},
        "sizes": {o.getId(): [o.getSizeX(), o.getSizeY(), o.getSizeZ(), o.getSizeC(), o.getSizeT(), o.getPixelsType()]
                  for o in conn.getObjects("Image", opts={"load_pixels": True, "load_channels": True})},
        "tag": ids(conn.getObjects("TagAnnotation", attributes={"textValue": "Färbung: LAMP1"})),
    }


def tree():
    out = []
    for p in conn.listProjects():
        out.append([p.getId(), p.getName(), p.countChildren(), [[d.getId(), d.getName(), d.countChildren(), ids(d.listChildren())] for d in p.listChildren()]])
    return out


def parents():
    i = conn.getObject("Image", IMAGE)
    well = next(conn.getObject("Plate", PLATE).listChildren())
    return {
        "parent": i.getParent().getName(), "ancestry": names(i.getAncestry()), "project": i.getProject().getName(),
        "well": [well.getParent().getName(), well.getWellPos()],
        "owner": [i.getOwnerOmeName(), i.getOwnerFullName(), i.getDetails().getGroup().getName()],
        "dates": [i.getDate(), i.creationEventDate(), i.updateEventDate()],
        "rights": [i.canEdit(), i.canDelete(), i.canLink(), i.canAnnotate(), i.canChgrp(), i.canChown(), i.isOwned()],
        "description": i.getDescription(),
    }


def plates():
    out = []
    for p in conn.getObjects("Plate", [PLATE]):
        wells = list(p.listChildren())
        out.append({
            "name": p.getName(), "grid": p.getGridSize(), "fields": p.getNumberOfFields(), "runs": names(p.listPlateAcquisitions()),
            "wells": [[w.getId(), w.row, w.column, w.countWellSample(), [w.getImage(n).getId() for n in range(w.countWellSample())]] for w in wells],
            "screen": p.getParent().getName(),
        })
    return out


def orphans():
    return {c: names(conn.listOrphans(c)) for c in ("Dataset", "Image", "Plate")}


def in_groups():
    out = {}
    for name, group in (("all", -1), ("private", None)):
        if group is None:
            group = [g.getId() for g in conn.getGroupsMemberOf() if g.getName() == name][0]
        conn.SERVICE_OPTS.setOmeroGroup(group)
        out[name] = sorted(names(conn.getObjects("Project")))
    conn.SERVICE_OPTS.setOmeroGroup(conn.getEventContext().groupId)
    return out


report({
    "who": who(), "classes": {c: sorted(ids(conn.getObjects(c))) for c in CLASSES}, "filtered": filtered(), "tree": tree(),
    "parents": parents(), "plates": plates(), "orphans": orphans(), "groups": in_groups(), "alive": conn.keepAlive(),
    "version": conn.c.getSession().getConfigService().getVersion(),
    "searched": ids(conn.searchObjects(["Project"], "Zebraf*")), "planes": conn.getMaxPlaneSize(),
})
conn.close()
