"""Makes images of every pixel type that numpy and OMERO share, and reads the
OME-TIFF files that a mount shows of them: with tifffile, with Pillow and with
ome-types, against the samples and names that the server has.

usage: export_tiff.py make
       export_tiff.py read DATASET-FOLDER
"""

import json
import os
import sys
from pathlib import Path

import numpy
import ome_types
import omero
import tifffile
from lxml import etree
from omero.rtypes import rstring, rtime
from PIL import Image

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from gateway import connect  # noqa: E402

# type, width, height, sections, channels, time points
SHAPES = [
    ("int8", 7, 5, 2, 3, 2), ("uint8", 64, 48, 1, 3, 1), ("int16", 9, 3, 3, 1, 1), ("uint16", 1500, 1400, 1, 2, 1),
    ("int32", 5, 4, 1, 1, 4), ("uint32", 3, 8, 2, 2, 1), ("float32", 33, 17, 4, 1, 2), ("float64", 6, 6, 1, 2, 3), ("uint8", 1, 1, 1, 1, 1),
]
# What Pillow knows of these as single-channel pictures.
PILLOW = {"uint8", "uint16", "int32", "float"}

conn = connect()
update = conn.getUpdateService()


def make():
    dataset = omero.model.DatasetI()
    dataset.setName(rstring("for other software"))
    dataset = update.saveAndReturnObject(dataset)
    random = numpy.random.default_rng(7)
    for kind, x, y, z, c, t in SHAPES:
        kind = numpy.dtype(kind)
        planes = [numpy.frombuffer(random.bytes(x * y * kind.itemsize), kind).reshape(y, x) for _ in range(z * c * t)]
        if kind.kind == "f":
            planes = [numpy.nan_to_num(p, nan=1.5, posinf=2.5, neginf=-2.5) for p in planes]
        image = conn.createImageFromNumpySeq(iter(planes), "%s %d×%d <&>" % (kind, x, y), z, c, t, description="a\nb & c",
                                             dataset=conn.getObject("Dataset", dataset.id.val))
        full = conn.getQueryService().findByQuery(
            "select i from Image i join fetch i.pixels p join fetch p.channels ch join fetch ch.logicalChannel where i.id = %d" % image.getId(), None)
        full.setAcquisitionDate(rtime(1700000000123))
        pixels = full.copyPixels()[0]
        pixels.setPhysicalSizeX(omero.model.LengthI(0.25, omero.model.enums.UnitsLength.MICROMETER))
        pixels.setPhysicalSizeZ(omero.model.LengthI(3, omero.model.enums.UnitsLength.NANOMETER))
        for n, channel in enumerate(pixels.copyChannels()):
            channel.getLogicalChannel().setName(rstring("channel ä %d" % n))
        update.saveObject(full)
    return {"dataset": dataset.id.val}


def read(folder):
    schema = etree.XMLSchema(etree.parse(str(Path(ome_types.__file__).parent / "ome-2016-06.xsd")))
    wrong, seen = [], []
    for path in sorted(Path(folder).glob("*.ome.tiff")):
        image = conn.getObject("Image", int(os.getxattr(path, "user.omero.id")))
        pixels = image.getPrimaryPixels()
        size = image.getSizeZ(), image.getSizeC(), image.getSizeT()
        places = [(z, c, t) for t in range(size[2]) for c in range(size[1]) for z in range(size[0])]
        want = numpy.array(list(pixels.getPlanes(places)))

        def check(what, ok):
            if not ok:
                wrong.append("%s: %s" % (path.name, what))

        with tifffile.TiffFile(path) as tiff:
            text = tiff.ome_metadata
            check("no OME-TIFF", tiff.is_ome and len(tiff.series) == 1 and len(tiff.pages) == len(places))
            got = tiff.series[0].asarray()
            check("tifffile: type %s" % got.dtype, got.dtype == want.dtype.newbyteorder("="))
            check("tifffile: samples", got.size == want.size and (got.reshape(want.shape) == want).all())
        if pixels.getPixelsType().getValue() in PILLOW:
            with Image.open(path) as picture:
                check("Pillow: pages", getattr(picture, "n_frames", 1) == len(places))
                for n in range(len(places)):
                    picture.seek(n)
                    check("Pillow: page %d" % n, (numpy.asarray(picture) == want[n]).all())
        check("schema", schema.validate(etree.fromstring(text.encode())) or schema.error_log)
        one = ome_types.from_xml(text).images[0]
        said = [one.name, one.description, one.pixels.size_z, one.pixels.size_c, one.pixels.size_t, one.pixels.type.value,
                one.pixels.physical_size_x, one.pixels.physical_size_z_unit.value, one.acquisition_date.timestamp(), [c.name for c in one.pixels.channels]]
        have = [image.getName(), image.getDescription(), *size, pixels.getPixelsType().getValue(), 0.25, "nm", 1700000000.123,
                ["channel ä %d" % n for n in range(size[1])]]
        check("OME-XML: %r, want %r" % (said, have), said == have)
        seen.append(pixels.getPixelsType().getValue())
    return {"wrong": wrong, "types": seen}


json.dump(make() if sys.argv[1] == "make" else read(sys.argv[2]), sys.stdout)
conn.close()
