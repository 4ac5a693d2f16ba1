"""Writes image files, by hand or with Pillow, from numpy arrays.

Arrays have the axes T, C, Z, Y, X. The OME-TIFFs are little-endian, of
several strips, and as plain as the format allows.
"""

import struct
import zlib

import numpy
import PIL.Image

OME = ('<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:%s">%s</OME>')
ROWS = 16  # in a strip


def noise(seed, shape, dtype=numpy.uint16):
    return numpy.random.default_rng(seed).integers(0, numpy.iinfo(dtype).max, shape, dtype)


def planes(array):
    """The planes in the order in which OMERO counts them: Z, then C, then T."""
    for t in range(array.shape[0]):
        for c in range(array.shape[1]):
            for z in range(array.shape[2]):
                yield (z, c, t), array[t, c, z]


def uuid(number):
    return "00000000-0000-4000-8000-%012d" % number


def image_xml(number, array, name, files, description=""):
    """files gives for each plane the file, its UUID and the page there."""
    t, c, z, y, x = array.shape
    text = '<Image ID="Image:%d" Name="%s">' % (number, name)
    if description:
        text += "<Description>%s</Description>" % description
    text += ('<Pixels ID="Pixels:%d" DimensionOrder="XYZCT" Type="%s" SizeX="%d" SizeY="%d" SizeZ="%d" SizeC="%d"'
             ' SizeT="%d" PhysicalSizeX="0.25" PhysicalSizeY="0.25">' % (number, array.dtype.name, x, y, z, c, t))
    for i in range(c):
        text += '<Channel ID="Channel:%d:%d" Name="c%d" SamplesPerPixel="1"/>' % (number, i, i)
    for (z, c, t), _ in planes(array):
        name, identity, page = files(z, c, t)
        text += ('<TiffData FirstZ="%d" FirstC="%d" FirstT="%d" IFD="%d" PlaneCount="1"><UUID FileName="%s">'
                 'urn:uuid:%s</UUID></TiffData>' % (z, c, t, page, name, identity))
    return text + "</Pixels></Image>"


def tiff(path, pages, description, deflate=False):
    """A TIFF of grey pages; the description belongs to the first."""
    with open(path, "wb") as f:
        f.write(b"II*\0\0\0\0\0")
        link = 4
        for i, page in enumerate(pages):
            height, width = page.shape
            offsets, counts = [], []
            for row in range(0, height, ROWS):
                strip = page[row:row + ROWS].astype(page.dtype.newbyteorder("<")).tobytes()
                if deflate:
                    strip = zlib.compress(strip)
                offsets.append(f.tell())
                counts.append(len(strip))
                f.write(strip)
            entries = [
                (256, 4, [width]), (257, 4, [height]), (258, 3, [8 * page.dtype.itemsize]), (259, 3, [8 if deflate else 1]),
                (262, 3, [1]), (273, 4, offsets), (277, 3, [1]), (278, 4, [ROWS]), (279, 4, counts),
                (339, 3, [{"u": 1, "i": 2, "f": 3}[page.dtype.kind]]),
            ]
            blocks = {}
            if i == 0 and description:
                blocks[270] = (2, description.encode("ascii", "xmlcharrefreplace") + b"\0")
            for tag, kind, values in entries:
                blocks[tag] = (kind, b"".join(struct.pack("<I" if kind == 4 else "<H", v) for v in values))
            fields = []
            for tag in sorted(blocks):
                kind, block = blocks[tag]
                count = len(block) // {2: 1, 3: 2, 4: 4}[kind]
                if len(block) <= 4:
                    value = block.ljust(4, b"\0")
                else:
                    f.write(b"\0" * (f.tell() % 2))
                    value = struct.pack("<I", f.tell())
                    f.write(block)
                fields.append(struct.pack("<HHI", tag, kind, count) + value)
            f.write(b"\0" * (f.tell() % 2))
            at = f.tell()
            f.write(struct.pack("<H", len(fields)) + b"".join(fields) + b"\0\0\0\0")
            f.seek(link)
            f.write(struct.pack("<I", at))
            link = at + 2 + 12 * len(fields)
            f.seek(0, 2)


def ome_tiff(path, name, images, deflate=False, description=""):
    """One file of several images: pairs of a name and an array."""
    text, pages = "", []
    for number, (title, array) in enumerate(images):
        first = len(pages)
        places = {}
        for place, plane in planes(array):
            places[place] = first + len(places)
            pages.append(plane)
        text += image_xml(number, array, title, lambda z, c, t: (name, uuid(1), places[z, c, t]), description)
    tiff(path, pages, OME % (uuid(1), text), deflate)


def ome_set(folder, stem, array):
    """A companion file and a TIFF for each channel; returns the names, the main one first."""
    channels = range(array.shape[1])
    names = ["%s_c%d.ome.tif" % (stem, c) for c in channels]
    sizes = array.shape[2]
    text = image_xml(0, array, stem, lambda z, c, t: (names[c], uuid(10 + c), t * sizes + z))
    companion = stem + ".companion.ome"
    with open("%s/%s" % (folder, companion), "w") as f:
        f.write(OME % (uuid(2), text))
    for c in channels:
        pages = [array[t, c, z] for t in range(array.shape[0]) for z in range(sizes)]
        only = '<BinaryOnly MetadataFile="%s" UUID="urn:uuid:%s"/>' % (companion, uuid(2))
        tiff("%s/%s" % (folder, names[c]), pages, OME % (uuid(10 + c), only))
    return [companion] + names


def pillow(path, array, **options):
    """A picture by Pillow, of an array with the axes Y, X or Y, X, sample."""
    PIL.Image.fromarray(array).save(path, **options)


def sum_of(array):
    """The SHA-1 of all planes as OMERO has it: samples big-endian, Z, C, T."""
    import hashlib
    h = hashlib.sha1()
    for _, plane in planes(array):
        h.update(plane.astype(plane.dtype.newbyteorder(">")).tobytes())
    return h.hexdigest()
