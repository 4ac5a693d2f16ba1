"""Unpacks a pack with omero-cli-transfer, all of it but the import.

The tool has OMERO's importer, which is written in Java, read each file; here
importing.py sends them. Prints which image became which.

usage: transfer_unpack.py FOLDER
       transfer_unpack.py ARCHIVE FOLDER, which the archive is extracted into
"""

import json
import logging
import os
import posixpath
import sys
from pathlib import Path

import ome_types
from generate_omero_objects import populate_omero
from omero.gateway import BlitzGateway
from omero_cli_transfer import TransferControl

import importing

MAIN = (".companion.ome", ".ome.tif", ".ome.tiff")


class Control(TransferControl):
    """The tool with another importer."""

    def _import_files(self, folder, filelist, ln_s, skip, gateway):
        found = {}
        for path in filelist:
            whole = str(posixpath.join(folder.as_posix(), ".", path))
            response = importing.run(gateway.c, *self.fileset(whole))
            if not hasattr(response, "objects"):
                raise RuntimeError("%s: %s" % (whole, response))
            found[whole] = self._get_image_ids(whole, gateway)
        return found

    @staticmethod
    def fileset(path):
        """The files of an import; of a folder all, the likeliest main file first."""
        if not os.path.isdir(path):
            return [path], [path]
        paths = [path + name for name in sorted(os.listdir(path))]
        paths.sort(key=lambda p: [p.endswith(end) for end in MAIN], reverse=True)
        return paths, paths


def main():
    logging.disable(logging.INFO)
    client = importing.connect()
    try:
        gateway = BlitzGateway(client_obj=client)
        control = Control()
        control._process_metadata(None)
        if len(sys.argv) > 2:
            origin, ome, folder = control._load_from_pack(*sys.argv[1:])
        else:
            origin, folder = "imported from folder", Path(sys.argv[1]).resolve()
            ome = ome_types.from_xml(folder / "transfer.xml")
        ome, sources, files = control._create_image_map(ome)
        results = control._import_files(folder, files, False, None, gateway)
        control._delete_all_rois(results, gateway)
        images = control._make_image_map(sources, results, gateway)
        populate_omero(ome, images, gateway, origin, folder, control.metadata, False, False)
        json.dump({"images": images, "files": len(files), "listed": len(ome.images)}, sys.stdout)
    finally:
        client.closeSession()


main()
