"""Imports in all ways and prints, as JSON, what came back, by case.

usage: import_cases.py FOLDER DATASET-OF-SOMEBODY-ELSE CASE...
"""

import json
import sys
import threading
import traceback

import numpy
import omero
import omero.cmd
import omero.grid
import omero.model
import Ice
from omero.rtypes import rstring, unwrap

import importing
import pictures

folder, foreign = sys.argv[1], int(sys.argv[2])
client = importing.connect()
update = client.sf.getUpdateService()


def path(name):
    return "%s/%s" % (folder, name)


def dataset(name):
    new = omero.model.DatasetI()
    new.setName(rstring(name))
    return update.saveAndReturnObject(new)


def answer(response):
    """What a response says, in plain values."""
    if isinstance(response, omero.cmd.ERR):
        return {"error": response.name, "category": response.category, "message": response.parameters.get("message", "")}
    if not isinstance(response, omero.grid.ImportResponse):
        return {"type": responstype(e).__name__}
    return {
        "pixels": [p.getId().getValue() for p in response.pixels],
        "objects": ["%s:%d" % (o.__class__.__name__[:-1], o.getId().getValue()) for o in response.objects],
    }


def fileset_of(handle):
    return handle.getRequest().activity.getParent().getId().getValue()


def begin(paths, client_paths=None, **options):
    """Uploads files; returns the process and the sums."""
    data = [importing.read(p) for p in paths]
    process = importing.repository(client).importFileset(
        importing.fileset(client_paths or paths, "loci.formats.in.OMETiffReader"), importing.settings(**options))
    for i, content in enumerate(data):
        importing.upload(process, i, content)
    return process, [importing.checksum(options.get("algorithm", "SHA1-160"), d) for d in data]


def series(name, count, size):
    """A file of many images, which takes the server a while."""
    array = numpy.zeros((1, 1, 1, size, size), numpy.uint16)
    pictures.ome_tiff(path(name), name, [("s%d" % i, array) for i in range(count)], deflate=True)
    return path(name)


def one():
    """A file of one image with all that may be said about it, and a callback."""
    array = pictures.noise(1, (2, 2, 3, 40, 50))
    pictures.ome_tiff(path("one.ome.tif"), "one.ome.tif", [("inside", array)], description="from the file")
    target = dataset("python one")
    tag = omero.model.TagAnnotationI()
    tag.setTextValue(rstring("python tag"))
    old = omero.model.CommentAnnotationI()
    old.setTextValue(rstring("python comment"))
    old = update.saveAndReturnObject(old)
    process, sums = begin(
        [path("one.ome.tif")], ["somewhere/else/one.ome.tif"], target=omero.model.DatasetI(target.getId().getValue(), False),
        name="given name", description="given text", thumbnails=True,
        annotations=[tag, omero.model.CommentAnnotationI(old.getId().getValue(), False)])
    before = process.getHandle()
    handle = process.verifyUpload(sums)
    same = Ice.proxyIdentityEqual(handle, process.getHandle())
    process.close()
    response = importing.poll(handle)
    pixels = response.pixels[0]
    out = answer(response)
    store = client.sf.createRawPixelsStore()
    try:
        store.setPixelsId(pixels.getId().getValue(), False)
        equal = all(store.getPlane(z, c, t) == plane.astype(">u2").tobytes() for (z, c, t), plane in pictures.planes(array))
    finally:
        store.close()
    files = [f.getId().getValue() for f in client.sf.getQueryService().findAllByQuery(
        "select f from Image i join i.fileset s join s.usedFiles e join e.originalFile f where i.id = :id",
        omero.sys.ParametersI().addId(response.objects[0].getId().getValue()))]
    repository = importing.repository(client)
    bad = repository.verifyChecksums(files)
    md5 = omero.model.ChecksumAlgorithmI()
    md5.setValue(rstring("MD5-128"))
    changed = repository.setChecksumAlgorithm(md5, files)
    out.update(
        fileset=fileset_of(handle), before=before is None, same=same, equal=equal, sum=pictures.sum_of(array),
        sizes=[unwrap(v) for v in (pixels.sizeX, pixels.sizeY, pixels.sizeZ, pixels.sizeC, pixels.sizeT)],
        least=[int(array[:, c].min()) for c in range(2)], most=[int(array[:, c].max()) for c in range(2)],
        file=sums[0], md5=importing.checksum("MD5-128", importing.read(path("one.ome.tif"))),
        bad=bad, changed=changed == files, comment=old.getId().getValue())
    handle.close()
    return out


def callback():
    """Waits for the server's word alone, and for what it says while it works."""
    for attempt in range(5):
        source = series("called%d.ome.tif" % attempt, 40 << attempt, 256)
        process, sums = begin([source])
        handle = process.verifyUpload(sums)
        process.close()
        watcher = importing.Watcher(client, handle)
        ended = watcher.block(3000 if handle.getResponse() else 120000)
        out = answer(watcher.getResponse() or handle.getResponse())
        out.update(called=watcher.called, steps=watcher.steps, failed=ended and watcher.isFailure(), ended=ended)
        watcher.close(True)
        if ended:  # else the import was faster than addCallback
            break
    return out


def many():
    """Three images in one file, no target, MD5, nothing computed."""
    arrays = [pictures.noise(i, (1, 1, 2, 20 + i, 30), numpy.uint8) for i in range(3)]
    pictures.ome_tiff(path("many.ome.tif"), "many.ome.tif", [("m%d" % i, a) for i, a in enumerate(arrays)], deflate=True)
    out = answer(importing.run(client, [path("many.ome.tif")], algorithm="MD5-128", thumbnails=False, no_stats=True))
    out["file"] = importing.checksum("MD5-128", importing.read(path("many.ome.tif")))
    return out


def companion():
    """A companion and three files, in folders that the server takes off."""
    array = pictures.noise(5, (1, 3, 2, 24, 32))
    names = pictures.ome_set(folder, "set", array)
    target = dataset("python set")
    out = answer(importing.run(client, [path(n) for n in names], ["/home/x/y/" + n for n in names], reader="loci.formats.in.OMETiffReader",
                               target=target, name="set"))
    out.update(sum=pictures.sum_of(array), names=names)
    return out


def raster():
    """What Pillow writes: PNG in colour, TIFF by three compressions, JPEG."""
    rgb = pictures.noise(7, (30, 20, 3), numpy.uint8)
    grey = pictures.noise(8, (30, 20), numpy.uint16)
    out = {}
    for name, array, options in [
            ("p.png", rgb, {}), ("lzw.tif", grey, {"compression": "tiff_lzw"}), ("deflate.tif", grey, {"compression": "tiff_adobe_deflate"}),
            ("bits.tif", grey, {"compression": "packbits"}), ("plain.tif", rgb, {})]:
        pictures.pillow(path(name), array, **options)
        result = answer(importing.run(client, [path(name)]))
        axes = array.transpose(2, 0, 1) if array.ndim == 3 else array[None]
        result["sum"] = pictures.sum_of(axes[None, :, None])
        out[name] = result
    return out


def plate():
    """A plate into a screen, from a file that is nothing but its name."""
    name = "python plate&plates=1&plateRows=2&plateCols=2&fields=1&plateAcqs=1&sizeX=32&sizeY=32.fake"
    open(path(name), "w").close()
    screen = omero.model.ScreenI()
    screen.setName(rstring("python screen"))
    screen = update.saveAndReturnObject(screen)
    return answer(importing.run(client, [path(name)], target=screen, reader="loci.formats.in.FakeReader"))


def refused():
    """Targets that cannot be: a project, somebody else's dataset, nothing."""
    pictures.pillow(path("refused.png"), pictures.noise(9, (8, 8), numpy.uint8))
    out = {}
    for name, target in [("project", omero.model.ProjectI(1, False)), ("foreign", omero.model.DatasetI(foreign, False)),
                         ("missing", omero.model.DatasetI(1 << 40, False))]:
        process, sums = begin([path("refused.png")], target=target)
        handle = process.verifyUpload(sums)
        process.close()
        out[name] = answer(importing.poll(handle))
        out[name]["fileset"] = fileset_of(handle)
        handle.close()
    return out


def checksums():
    """A wrong sum is refused; the file is sent again; every algorithm works."""
    pictures.pillow(path("sum.png"), pictures.noise(10, (16, 16), numpy.uint8))
    data = importing.read(path("sum.png"))
    out = {"algorithms": [a.getValue().getValue() for a in importing.repository(client).listChecksumAlgorithms()]}
    process, sums = begin([path("sum.png"), path("sum.png")], ["a/sum.png", "a/b.png"])
    importing.upload(process, 1, data[:-1] + b"?")  # damaged on its way
    try:
        process.verifyUpload(sums)
    except omero.ChecksumValidationException as e:
        out["failing"] = {str(k): v for k, v in e.failingChecksums.items()}
        out["damaged"] = importing.checksum("SHA1-160", data[:-1] + b"?")
    try:
        process.verifyUpload(sums[:1])
    except omero.ServerError as e:
        out["too few"] = type(e).__name__
    importing.upload(process, 1, data)
    handle = process.verifyUpload(sums)
    process.close()
    out["again"] = answer(importing.poll(handle))
    handle.close()
    for algorithm in ["MD5-128", "CRC-32", "Adler-32", "File-Size-64"]:
        out[algorithm] = answer(importing.run(client, [path("sum.png")], algorithm=algorithm))
    for name, new, chosen in [
            ("no files", importing.fileset([]), importing.settings()), ("no job", omero.model.FilesetI(), importing.settings()),
            ("unknown", importing.fileset(["a.png"]), importing.settings(algorithm="ROT-13")),
            ("none", importing.fileset(["a.png"]), omero.grid.ImportSettings())]:
        if name == "no job":
            entry = omero.model.FilesetEntryI()
            entry.setClientPath(rstring("a.png"))
            new.addFilesetEntry(entry)
        try:
            importing.repository(client).importFileset(new, chosen)
        except omero.ServerError as e:
            out[name] = type(e).__name__
    return out


def unknown():
    """A file that no reader knows: the import fails, and all of it is deleted."""
    with open(path("letter.xyz"), "w") as f:
        f.write("Dear server,")
    process, sums = begin([path("letter.xyz")])
    handle = process.verifyUpload(sums)
    process.close()
    watcher = omero.callbacks.CmdCallbackI(client, handle)
    watcher.loop(60, 1000)
    out = answer(watcher.getResponse())
    out.update(failed=watcher.isFailure(), fileset=fileset_of(handle))
    watcher.close(True)
    done = client.submit(omero.cmd.Delete2(targetObjects={"Fileset": [out["fileset"]]}), loops=60)
    response = done.getResponse()
    out["deleted"] = {k: len(v) for k, v in response.deletedObjects.items()}
    return out


def cancelled():
    """Closing the handle ends an import that runs."""
    process, sums = begin([series("long.ome.tif", 800, 256)], ["cancelled/long.ome.tif"])
    handle = process.verifyUpload(sums)
    handle.close()
    process.close()
    out = {"fileset": unwrap(client.sf.getQueryService().projection(
        "select s.id from Fileset s join s.usedFiles e where e.clientPath = 'cancelled/long.ome.tif'", None))[0][0]}
    try:
        handle.getResponse()
    except Ice.ObjectNotExistException:
        out["gone"] = True
    return out


def abandoned():
    """An upload that nobody verifies, and the list of imports that are open."""
    pictures.pillow(path("left.png"), pictures.noise(11, (8, 8), numpy.uint8))
    managed = importing.repository(client)
    process, _ = begin([path("left.png")], ["left/alone.png"])
    listed = [Ice.proxyIdentityEqual(process, p) for p in managed.listImports()]
    others = []
    for user in ["ada", "grace", "juergen"]:  # grace owns the group
        other = importing.connect(user, user)
        try:
            others.append(len(importing.repository(other).listImports()))
        finally:
            other.closeSession()
    process.close()
    out = {"listed": listed, "others": others, "after": len(managed.listImports())}
    rows = client.sf.getQueryService().projection(
        "select s.id from Fileset s join s.usedFiles e where e.clientPath = 'left/alone.png'"
        " and not exists (select i.id from Image i where i.fileset = s)", None)
    out["fileset"] = unwrap(rows)[0][0]
    try:
        process.getUploader(0)
    except Ice.ObjectNotExistException:
        out["gone"] = True
    return out


def naming():
    """Characters that no file may have are replaced, or refused, by the server."""
    pictures.pillow(path("odd.png"), pictures.noise(12, (8, 8), numpy.uint8))
    out = answer(importing.run(client, [path("odd.png")], ['C:\\x/what? "odd"/<a>|b*.png/CON/aux.png/$odd.png']))
    managed = importing.repository(client)
    for name in ["a:b/c", "x/NUL", "$x", "../x"]:
        try:
            managed.makeDir(name, True)
        except omero.FilePathNamingException as e:
            out[name] = [e.illegalFilePath, e.illegalCodePoints, e.illegalPrefixes, e.illegalNames]
        except omero.ServerError as e:
            out[name] = type(e).__name__
    return out


def together():
    """Two imports at the same time, their blocks taking turns."""
    arrays = [pictures.noise(20 + i, (1, 1, 1, 300, 400)) for i in range(2)]
    results = [None, None]

    def work(i):
        name = "both%d.ome.tif" % i
        pictures.ome_tiff(path(name), name, [("both", arrays[i])])
        barrier.wait()
        results[i] = answer(importing.run(client, [path(name)]))
        results[i]["sum"] = pictures.sum_of(arrays[i])

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


def by_itself():
    """The server ends an import by itself when it is told to; and importPaths."""
    pictures.pillow(path("auto.png"), pictures.noise(13, (8, 8), numpy.uint8))
    auto = omero.model.BooleanAnnotationI()
    auto.setNs(rstring("openmicroscopy.org/omero/import/autoClose"))
    process, sums = begin([path("auto.png")], annotations=[auto])
    handle = process.verifyUpload(sums)
    watcher = importing.Watcher(client, handle)
    out = {"fileset": fileset_of(handle)}
    for _ in range(600):
        try:
            process.getImportSettings()
        except Ice.ObjectNotExistException:
            out["closed"] = True
            break
        watcher.block(100)
    process = importing.repository(client).importPaths([path("auto.png")])
    importing.upload(process, 0, importing.read(path("auto.png")))
    algorithm = process.getImportSettings().checksumAlgorithm.getValue().getValue()
    handle = process.verifyUpload([importing.checksum(algorithm, importing.read(path("auto.png")))])
    process.close()
    out["paths"] = answer(importing.poll(handle))
    handle.close()
    return out


def main():
    found = {}
    for name in sys.argv[3:]:
        try:
            found[name] = globals()[name]()
        except Exception:
            found[name] = {"raised": traceback.format_exc()}
    json.dump(found, sys.stdout)


try:
    main()
finally:
    client.closeSession()
