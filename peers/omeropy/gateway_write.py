"""Makes, changes, moves and deletes objects through the gateway, as several
users. Passwords are those of the sandbox's users."""

import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import omero  # noqa: E402
import omero.model  # noqa: E402
from gateway import connect, report  # noqa: E402
from omero.callbacks import CmdCallbackI  # noqa: E402
from omero.gateway import BlitzGateway, CommentAnnotationWrapper  # noqa: E402
from omero.model.enums import UnitsLength  # noqa: E402
from omero.rtypes import rdouble, rint, rstring  # noqa: E402

conn = connect()
update, query = conn.getUpdateService(), conn.getQueryService()
lab = conn.getEventContext().groupId
private = [g.getId() for g in conn.getGroupsMemberOf() if g.getName() == "private"][0]
IMAGE, FOREIGN = int(sys.argv[1]), int(sys.argv[2])


def new(cls, name):
    o = cls()
    o.name = rstring(name)
    return update.saveAndReturnObject(o)


def link(parent, child):
    made = omero.model.ProjectDatasetLinkI()
    made.parent = omero.model.ProjectI(parent.id, False)
    made.child = omero.model.DatasetI(child.id, False)
    return made


def raised(call):
    try:
        call()
    except Exception as e:
        return type(e).__name__
    return "nothing"


def finished(handle):
    callback = CmdCallbackI(conn.c, handle)
    try:
        callback.loop(20, 500)
        return type(callback.getResponse()).__name__
    finally:
        callback.close(True)


def graph():
    p = omero.model.ProjectI()
    p.name = rstring("graph ü")
    for name in ("a", "b"):
        d = omero.model.DatasetI()
        d.name = rstring(name)
        p.linkDataset(d)
    saved = update.saveAndReturnObject(p)
    return {"id": saved.id.val, "datasets": sorted([d.id.val, d.name.val] for d in saved.linkedDatasetList()), "loaded": saved.sizeOfDatasetLinks()}


def arrays():
    p, d = new(omero.model.ProjectI, "array"), new(omero.model.DatasetI, "array")
    made = update.saveAndReturnArray([link(p, d)])
    others = [omero.model.DatasetI() for _ in range(50)]
    for n, o in enumerate(others):
        o.name = rstring("many %d" % n)
    return {"link": [made[0].id.val, p.id.val, d.id.val], "ids": update.saveAndReturnIds(others), "twice": raised(lambda: update.saveObject(link(p, d)))}


def conflicts():
    p = new(omero.model.ProjectI, "conflict")
    one, two = query.get("Project", p.id.val), query.get("Project", p.id.val)
    one.name = rstring("one")
    update.saveObject(one)
    two.name = rstring("two")
    foreign = query.get("Project", FOREIGN)
    foreign.name = rstring("mine")
    nameless = omero.model.ProjectI()
    return {"id": p.id.val, "stale": raised(lambda: update.saveObject(two)), "foreign": raised(lambda: update.saveObject(foreign)),
            "foreign link": raised(lambda: update.saveObject(link(foreign, new(omero.model.DatasetI, "x")))),
            "nameless": raised(lambda: update.saveObject(nameless)), "missing": raised(lambda: query.get("Project", 999999)),
            "in the other group": raised(in_private)}


def in_private():
    conn.SERVICE_OPTS.setOmeroGroup(private)
    try:
        d = omero.model.DatasetI()
        d.name = rstring("private")
        d = update.saveAndReturnObject(d, conn.SERVICE_OPTS)
        p = conn.getObject("Project", attributes={"name": "Unpublished"})
        update.saveObject(link(p._obj, d), conn.SERVICE_OPTS)
    finally:
        conn.SERVICE_OPTS.setOmeroGroup(lab)


def wrapped():
    p = conn.getObject("Project", new(omero.model.ProjectI, "before").id.val)
    p.setName("danach €")
    p.setDescription("Zeile\nzwei")
    p.save()
    return [p.getId(), conn.getObject("Project", p.getId()).getName()]


def roi():
    r = omero.model.RoiI()
    r.setImage(omero.model.ImageI(IMAGE, False))
    r.name = rstring("von Python")
    box = omero.model.RectangleI()
    box.x, box.y, box.width, box.height = rdouble(1.5), rdouble(2), rdouble(3), rdouble(4)
    box.theZ, box.textValue = rint(0), rstring("ß")
    box.strokeWidth = omero.model.LengthI(2.5, UnitsLength.PIXEL)
    line = omero.model.PolylineI()
    line.points = rstring("1,2 3,4")
    r.addShape(box)
    r.addShape(line)
    saved = update.saveAndReturnObject(r)
    return {"id": saved.id.val, "shapes": [type(s).__name__[:-1] for s in saved.copyShapes()]}


def image():
    planes = [(numpy.arange(12 * 10) % 251 * (n + 1)).astype(numpy.uint16).reshape(10, 12) for n in range(2 * 3 * 2)]
    d = new(omero.model.DatasetI, "numpy")
    made = conn.createImageFromNumpySeq(iter(planes), "numpy äö", 2, 3, 2, description="d", dataset=conn.getObject("Dataset", d.id.val))
    again = conn.getObject("Image", made.getId())
    pixels = again.getPrimaryPixels()
    same = [bool((pixels.getPlane(z, c, t) == planes[(z * 3 + c) * 2 + t]).all()) for z in range(2) for c in range(3) for t in range(2)]
    return {"id": made.getId(), "same": same, "size": [again.getSizeX(), again.getSizeY(), again.getSizeZ(), again.getSizeC(), again.getSizeT()],
            "type": again.getPixelsType(), "parent": again.getParent().getId(), "dataset": d.id.val,
            "ranges": [[c.getWindowMin(), c.getWindowMax()] for c in again.getChannels()],
            "true ranges": [[float(min(planes[(z * 3 + c) * 2 + t].min() for z in range(2) for t in range(2))),
                             float(max(planes[(z * 3 + c) * 2 + t].max() for z in range(2) for t in range(2)))] for c in range(3)]}


def settings(made):
    img = conn.getObject("Image", made)
    img.setActiveChannels([-1, 2], [[None, None], [10, 200]], [None, "FF0080"])
    img.saveDefaults()
    again = [[c.isActive(), c.getColor().getHtml(), c.getWindowStart(), c.getWindowEnd()] for c in conn.getObject("Image", made).getChannels()]
    conn.getObject("Image", made).resetDefaults()
    conn.setChannelNames("Image", [made], {1: "eins", 2: "zwei"})
    last = conn.getObject("Image", made)
    return {"kept": again, "reset": [[c.isActive(), c.getWindowEnd()] for c in last.getChannels()], "names": last.getChannelLabels()}


def deleting():
    p, d, kept = new(omero.model.ProjectI, "gone"), new(omero.model.DatasetI, "gone"), new(omero.model.DatasetI, "kept")
    update.saveArray([link(p, d)])
    other = update.saveAndReturnObject(link(new(omero.model.ProjectI, "other"), kept))
    out = {"dry": finished(conn.deleteObjects("Project", [p.id.val], dryRun=True)), "there": conn.getObject("Project", p.id.val) is not None}
    conn.deleteObjects("Project", [p.id.val], deleteChildren=True, wait=True)
    out["gone"] = [conn.getObject("Project", p.id.val), conn.getObject("Dataset", d.id.val)]
    conn.deleteObjects("ProjectDatasetLink", [other.id.val], wait=True)
    out["link"] = other.id.val
    out["kept"] = [conn.getObject("Project", other.parent.id.val).countChildren(), conn.getObject("Dataset", kept.id.val).getName()]
    out["refused"] = [raised(lambda: conn.deleteObjects("Project", [FOREIGN], wait=True)), finished(conn.deleteObjects("Project", [FOREIGN])),
                      conn.getObject("Project", FOREIGN) is not None]
    head, child = new(omero.model.ProjectI, "head"), new(omero.model.DatasetI, "child")
    update.saveArray([link(head, child)])
    conn.deleteObjects("Project", [head.id.val], deleteChildren=False, wait=True)
    out["head"] = [conn.getObject("Project", head.id.val), conn.getObject("Dataset", child.id.val) is not None]
    return out


def moving():
    p, d = new(omero.model.ProjectI, "moves"), new(omero.model.DatasetI, "moves too")
    update.saveArray([link(p, d)])
    done = finished(conn.chgrpObjects("Project", [p.id.val], private))
    conn.SERVICE_OPTS.setOmeroGroup(-1)
    where = [conn.getObject("Project", p.id.val).getDetails().getGroup().getId(), conn.getObject("Dataset", d.id.val).getDetails().getGroup().getId()]
    # Into a container of the other group.
    alone = new(omero.model.DatasetI, "goes into a project")
    into = finished(conn.chgrpObjects("Dataset", [alone.id.val], private, container_id=p.id.val))
    inside = sorted(c.getId() for c in conn.getObject("Project", p.id.val).listChildren())
    conn.SERVICE_OPTS.setOmeroGroup(lab)
    return {"done": [done, into], "groups": where, "inside": inside, "datasets": sorted([d.id.val, alone.id.val]), "hidden": conn.getObject("Project", p.id.val)}


def rights(gateway):
    i = gateway.getObject("Image", IMAGE)
    return [i.canEdit(), i.canDelete(), i.canLink(), i.canAnnotate(), i.canChgrp(), i.canChown(), i.isOwned(), gateway.isLeader(lab)]


def others():
    juergen, grace = connect("juergen", "juergen"), connect("grace", "grace")
    out = {"rights": {"ada": rights(conn), "juergen": rights(juergen), "grace": rights(grace)}}
    comment = CommentAnnotationWrapper(juergen)
    comment.setValue("von Jürgen")
    comment = juergen.getObject("Image", IMAGE).linkAnnotation(comment)
    out["comment"] = comment.getId()
    out["refused"] = raised(lambda: conn.deleteObjects("Annotation", [comment.getId()], wait=True))
    juergen.deleteObjects("Annotation", [comment.getId()], wait=True)
    juergen.close()
    grace.close()
    return out


def sessions():
    root = connect("root", "omero")
    su = root.suConn("grace", "lab")
    ec = su.getEventContext()
    out = {"su": [su.getUser().getName(), ec.sudoerName.val, ec.groupName, su.isAdmin()], "admin": [root.isAdmin(), len(root.getCurrentAdminPrivileges())]}
    made = su.getUpdateService().saveAndReturnObject(project("by su"), su.SERVICE_OPTS)
    out["made"] = made.id.val
    su.close()
    root.close()
    key = conn.getSession().getUuid().val
    joined = BlitzGateway(host="localhost", port=int(os.environ["OMERO_PORT"]))
    out["joined"] = [joined.connect(sUuid=key), joined.getUser().getName()]
    joined.close(hard=False)
    out["alive"] = conn.keepAlive()
    bad = BlitzGateway("ada", "wrong", host="localhost", port=int(os.environ["OMERO_PORT"]))
    out["bad"] = [bad.connect(), type(bad.getLastError()).__name__]
    insecure = BlitzGateway("ada", os.environ["OMERO_PASSWORD"], host="localhost", port=int(os.environ["OMERO_PORT"]), secure=False)
    out["insecure"] = [insecure.connect(), insecure.isSecure(), insecure.getUser().getName()]
    insecure.close()
    # Closes the services that are open, so it has a session of its own.
    other = connect()
    store = other.c.sf.createRawFileStore()
    out["switched"] = [other.setGroupForSession(private), other.getGroupFromContext().getName(), raised(store.size)]
    other.close(hard=False)
    return out


def project(name):
    p = omero.model.ProjectI()
    p.name = rstring(name)
    return p


made = image()
report({"graph": graph(), "arrays": arrays(), "conflicts": conflicts(), "wrapped": wrapped(), "roi": roi(), "image": made, "settings": settings(made["id"]),
        "deleting": deleting(), "moving": moving(), "others": others(), "sessions": sessions()})
conn.close()
