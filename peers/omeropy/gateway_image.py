"""Looks at one image in every way that the gateway has for it: ROIs, channels,
sizes, samples, original files, thumbnails and renderings. What can be worked
out from the image's original file is worked out here, by Pillow and numpy."""

import hashlib
import io
import os
import sys

import numpy
from PIL import Image

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from gateway import connect, dump, report  # noqa: E402
from omero.romio import PlaneDef, RegionDef  # noqa: E402

conn = connect()
img = conn.getObject("Image", int(sys.argv[1]))
several = conn.getObject("Image", int(sys.argv[2]))
pixels = img.getPrimaryPixels()
size_z, size_c = img.getSizeZ(), img.getSizeC()


def rois():
    found = conn.getRoiService().findByImage(img.getId(), None).rois
    out = {}
    for r in found:
        out[r.getId().getValue()] = {
            "roi": dump(r), "shapes": [[type(s).__name__[:-1], s.getId().getValue(), dump(s)] for s in r.copyShapes()]}
    plane = conn.getRoiService().findByPlane(img.getId(), 1, 0, None).rois
    return {"rois": out, "count": img.getROICount(), "rectangles": img.getROICount("Rectangle"),
            "on plane": sorted(r.getId().getValue() for r in plane)}


def channels():
    out = []
    for c in img.getChannels():
        color = c.getColor()
        out.append({"label": c.getLabel(), "name": c.getName(), "emission": c.getEmissionWave(), "excitation": c.getExcitationWave(),
                    "unit": str(c.getEmissionWave(units=True).getUnit()), "color": list(color.getRGB()) + [color.getAlpha()],
                    "window": [c.getWindowMin(), c.getWindowMax(), c.getWindowStart(), c.getWindowEnd()], "active": c.isActive(),
                    "fluor": c.getLogicalChannel().getFluor()})
    return out


def sizes():
    return {"pixel": [img.getPixelSizeX(), img.getPixelSizeY(), img.getPixelSizeZ()],
            "unit": str(img.getPixelSizeX(units=True).getUnit()), "nanometres": img.getPixelSizeZ("NANOMETER").getValue(),
            "range": img.getPixelRange(), "type": img.getPixelsType(), "bits": pixels.getSignificantBits(), "sha1": pixels.getSha1(),
            "order": pixels.getDimensionOrder().getValue(), "planes": [len(list(pixels.copyPlaneInfo())), size_z * size_c]}


def from_file():
    """The planes of the file, by section and channel, without OMERO."""
    data = b"".join(next(img.getImportedImageFiles()).getFileInChunks())
    tiff = Image.open(io.BytesIO(data))
    planes = {}
    for n in range(tiff.n_frames):
        tiff.seek(n)
        planes[n % size_z, n // size_z] = numpy.array(tiff).astype(numpy.uint16)
    return hashlib.sha1(data).hexdigest(), planes


file_sum, true = from_file()


def samples():
    every = [(z, c, 0) for c in range(size_c) for z in range(size_z)]
    planes = list(pixels.getPlanes(every))
    sums = hashlib.sha1()
    for p in planes:
        sums.update(p.astype(">u2").tobytes())
    x, y, w, h = tile = (13, 21, 50, 40)
    cube = pixels.getHypercube if hasattr(pixels, "getHypercube") else None
    store = conn.createRawPixelsStore()
    store.setPixelsId(pixels.getId(), True, conn.SERVICE_OPTS)
    block = numpy.frombuffer(store.getHypercube([x, y, 1, 0, 0], [w, h, 2, 2, 1], [2, 4, 1, 1, 1]), ">u2").reshape(2, 2, h // 4, w // 2)
    store.close()
    assert cube is None or callable(cube)
    return {
        "planes": [bool((p == true[z, c]).all()) for p, (z, c, _) in zip(planes, every)],
        "sha1": sums.hexdigest(),
        "tile": bool((pixels.getTile(2, 1, 0, tile) == true[2, 1][y:y + h, x:x + w]).all()),
        "tiles": [bool((t == true[0, c][y:y + h, x:x + w]).all()) for c, t in enumerate(pixels.getTiles([(0, c, 0, tile) for c in range(size_c)]))],
        "cube": all(bool((block[c, z] == true[1 + z, c][y:y + h:4, x:x + w:2]).all()) for c in range(2) for z in range(2)),
        "spread": [int(true[0, 0].min()), int(true[0, 0].max()), len(true)],
        "histogram": histogram(),
    }


def histogram():
    got = img.getHistogram([1], 16, globalRange=False, theZ=2)[1]
    low, high = int(true[2, 1].min()), int(true[2, 1].max())
    width = (high - low + 1) / 16
    want = numpy.bincount(((true[2, 1].astype(float) - low) / width).astype(int).ravel(), minlength=16)
    return list(got) == want.tolist()


def painted(z, settings):
    """What a section looks like with the settings of channels."""
    out = numpy.zeros(true[z, 0].shape + (3,), int)
    for c, (start, end, color) in settings.items():
        v = (true[z, c].astype(float) - start) / (end - start) * 255
        v = numpy.floor(numpy.clip(v, 0, 255) + 0.5)
        out += (v[..., None] * numpy.array(color) / 255).astype(int)
    return numpy.clip(out, 0, 255)


def unpack(ints, shape):
    a = numpy.array(ints, numpy.int64).reshape(shape)
    return numpy.stack([a >> 16 & 255, a >> 8 & 255, a & 255], -1)


def off(a, b):
    """The mean and the greatest difference of two pictures."""
    d = numpy.abs(numpy.asarray(a, int) - numpy.asarray(b, int))
    return [float(d.mean()), int(d.max())]


def bright(picture):
    """How bright a picture is: JPEG keeps that better than colour."""
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(numpy.asarray(picture).astype(numpy.uint8))
    return picture.convert("L")


def settings():
    return {n: (c.getWindowStart(), c.getWindowEnd(), c.getColor().getRGB()) for n, c in enumerate(img.getChannels()) if c.isActive()}


def rendered():
    z = img.getDefaultZ()
    engine = img._re
    first = painted(z, settings())
    out = {"first": off(unpack(engine.renderAsPackedInt(PlaneDef(0, 0, 0, z, 0, None, 0)), first.shape[:2]), first),
           "region": off(unpack(engine.renderAsPackedInt(PlaneDef(0, 0, 0, z, 0, RegionDef(10, 20, 30, 40), 0)), (40, 30)), first[20:60, 10:40])}
    jpeg = img.renderImage(z, 0)
    out["jpeg"] = [jpeg.size, off(bright(jpeg), bright(first))]
    out["raw jpeg"] = off(bright(Image.open(io.BytesIO(img.renderJpeg(z, 0)))), bright(first))
    img.setActiveChannels([1, -2, 3], [[200, 1500], [None, None], [0, 4095]], ["FF8000", None, "00FFFF"])
    second = painted(1, settings())
    out["second"] = off(unpack(engine.renderAsPackedInt(PlaneDef(0, 0, 0, 1, 0, None, 0)), second.shape[:2]), second)
    out["second settings"] = {n: [s, e, list(rgb)] for n, (s, e, rgb) in settings().items()}
    img.setGreyscaleRenderingModel()
    grey = painted(1, {0: (200, 1500, (255, 255, 255))})
    out["grey"] = off(unpack(engine.renderAsPackedInt(PlaneDef(0, 0, 0, 1, 0, None, 0)), grey.shape[:2]), grey)
    out["models"] = [img.isGreyscaleRenderingModel(), img.getRenderingModel().getValue()]
    img.setColorRenderingModel()
    img.setProjection("intmax")
    top = numpy.max([true[z, 0] for z in range(size_z)], 0)
    out["projection"] = off(bright(img.renderImage(0, 0)), bright(projected(top)))
    img.setProjection("normal")
    out["thumbnail"] = thumbnail(first)
    return out


def projected(channel):
    z0 = true[0, 0].copy(), true[0, 2].copy()
    true[0, 0], true[0, 2] = channel, numpy.max([true[z, 2] for z in range(size_z)], 0)
    try:
        return painted(0, settings())
    finally:
        true[0, 0], true[0, 2] = z0


def thumbnail(look):
    out = {}
    for name, data in (("default", img.getThumbnail()), ("square", img.getThumbnail((32, 32))), ("longest", img.getThumbnail(50))):
        t = Image.open(io.BytesIO(data))
        small = Image.fromarray(look.astype(numpy.uint8)).resize(t.size, Image.BICUBIC)
        out[name] = [t.format, t.size, off(bright(t), bright(small))[0]]
    many = conn.getThumbnailSet([img.getId(), several.getId()], 64)
    out["set"] = {k: Image.open(io.BytesIO(v)).size for k, v in many.items()}
    return out


def files():
    store = conn.createRawFileStore()
    original = next(img.getImportedImageFiles())
    store.setFileId(original.getId(), conn.SERVICE_OPTS)
    whole, size = hashlib.sha1(), store.size()
    for at in range(0, size, 100000):
        whole.update(store.read(at, min(100000, size - at)))
    store.close()
    fileset = img.getFileset()
    return {
        "sha1": [file_sum, whole.hexdigest()], "size": [size, original.getSize()], "name": original.getName(), "path": original.getPath(),
        "paths": img.getImportedImageFilePaths(), "fileset": [fileset.getId(), [i.getId() for i in fileset.copyImages()], [f.getName() for f in fileset.listFiles()]],
        "count": img.countImportedImageFiles(), "info": conn.getFilesetFilesInfo([img.getId(), several.getId()]),
        "several": {f.getName(): hashlib.sha1(b"".join(f.getFileInChunks())).hexdigest() for f in several.getImportedImageFiles()},
        "original": img.loadOriginalMetadata()[1],
        "archived": [img.countArchivedFiles(), img.getArchived()],
    }


report({"id": img.getId(), "rois": rois(), "channels": channels(), "sizes": sizes(), "samples": samples(), "rendered": rendered(), "files": files()})
conn.close()
