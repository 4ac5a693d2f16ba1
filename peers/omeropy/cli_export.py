"""Compares the pages of two TIFF files."""

import json
import sys

import numpy
from PIL import Image

out, original = Image.open(sys.argv[1]), Image.open(sys.argv[2])
same = True
for n in range(original.n_frames):
    out.seek(n)
    original.seek(n)
    same = same and bool((numpy.array(out) == numpy.array(original)).all())
print(json.dumps({"pages": out.n_frames, "wanted": original.n_frames, "same": same}))
