"""Reads the annotations of an image in every way, then makes some of every kind
on a new project and removes them."""

import hashlib
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import omero.model  # noqa: E402
from gateway import connect, dump, report  # noqa: E402
from omero.gateway import (  # noqa: E402
    BooleanAnnotationWrapper, CommentAnnotationWrapper, DoubleAnnotationWrapper, LongAnnotationWrapper, MapAnnotationWrapper,
    TagAnnotationWrapper, TermAnnotationWrapper, TimestampAnnotationWrapper, XmlAnnotationWrapper)
from omero.rtypes import rlong, rstring  # noqa: E402
from omero.sys import ParametersI  # noqa: E402

conn = connect()
img = conn.getObject("Image", int(sys.argv[1]))


def kind(ann):
    return ann.OMERO_TYPE.__name__[:-1]


def reading():
    anns = list(img.listAnnotations())
    files = {}
    for a in anns:
        if kind(a) == "FileAnnotation":
            data = b"".join(a.getFileInChunks())
            files[a.getId()] = [a.getFileName(), a.getFileSize(), hashlib.sha1(data).hexdigest(), a.getFile().getMimetype()]
    sets = {}
    for s in conn.getMetadataService().loadTagSets(ParametersI().orphan().exp(rlong(conn.getUserId()))):
        if s.getNs() is not None:
            sets[s.getTextValue().getValue()] = sorted(t.getId().getValue() for t in s.linkedAnnotationList())
    links = conn.getAnnotationLinks("Image", parent_ids=[img.getId()])
    return {
        "all": {a.getId(): [kind(a), a.getNs(), a.getDetails().getOwner().getOmeName(), dump(a._obj)] for a in anns},
        "by namespace": [a.getId() for a in img.listAnnotations(ns="example.org/pipeline")],
        "one": img.getAnnotation("example.org/pipeline").getValue(),
        "counts": img.getAnnotationCounts(),
        "count": conn.countAnnotations("Image", [img.getId()]),
        "links": sorted([lk.child.id.val, lk.getDetails().getOwner().getOmeName()] for lk in links),
        "files": files, "sets": sets,
        "ratings": [a.getValue() for a in img.listAnnotations(ns="openmicroscopy.org/omero/insight/rating")],
        "service": service(),
    }


def service():
    """What the metadata service gives for the image."""
    found = conn.getMetadataService().loadAnnotations("Image", [img.getId()], ["MapAnnotation", "TagAnnotation"], [], None)
    return sorted(a.getId().getValue() for a in found[img.getId()])


def writing():
    p = omero.model.ProjectI()
    p.name = rstring("annotated ßø")
    project = conn.getObject("Project", conn.getUpdateService().saveAndReturnObject(p).getId().getValue())
    made = {}
    for wrapper, value in (
            (TagAnnotationWrapper, "Etikett €"), (CommentAnnotationWrapper, "ein\nKommentar"), (LongAnnotationWrapper, 2 ** 40),
            (DoubleAnnotationWrapper, 0.1), (BooleanAnnotationWrapper, False), (XmlAnnotationWrapper, "<a b='ü'/>"),
            (TermAnnotationWrapper, "GO:1"), (TimestampAnnotationWrapper, 1700000000123),
            (MapAnnotationWrapper, [["k", "v"], ["k", "w"], ["schlüssel", ""]])):
        a = wrapper(conn)
        a.setNs("peer/" + wrapper.__name__)
        if wrapper is TimestampAnnotationWrapper:
            a._obj.timeValue = omero.rtypes.rtime(value)
        else:
            a.setValue(value)
        project.linkAnnotation(a)
    for a in project.listAnnotations():
        made[kind(a)] = a.getId()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "Anhang ü.bin")
        content = bytes(range(256)) * 5000
        with open(path, "wb") as f:
            f.write(content)
        attached = conn.createFileAnnfromLocalFile(path, mimetype="application/x-peer", ns="peer/file", desc="größer")
    project.linkAnnotation(attached)
    back = b"".join(project.getAnnotation("peer/file").getFileInChunks(buf=100000))
    # What is unlinked stays, what is removed goes.
    project.unlinkAnnotations("peer/TagAnnotationWrapper")
    project.removeAnnotations("peer/CommentAnnotationWrapper")
    changed = conn.getObject("MapAnnotation", made["MapAnnotation"])
    changed.setValue([["neu", "1"]])
    changed.save()
    return {"project": project.getId(), "made": made, "file": [attached.getId(), attached.getFile().getId(), hashlib.sha1(content).hexdigest(), content == back],
            "left": sorted(kind(a) for a in project.listAnnotations())}


report({"read": reading(), "written": writing()})
conn.close()
