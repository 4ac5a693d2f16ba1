"""Validates transfer.xml documents and reads them as omero-cli-transfer does.

The schema is the one of OME, as the package ome-types has it, and PART the one
of the omerods/pack part. Prints what is wrong, by file: nothing when all is
well.

usage: transfer_schema.py PART FILE...
"""

import json
import sys
from pathlib import Path

import ome_types
from lxml import etree


def main():
    schema = etree.XMLSchema(etree.parse(str(Path(ome_types.__file__).parent / "ome-2016-06.xsd")))
    ours = etree.XMLSchema(etree.parse(sys.argv[1]))
    wrong = {}
    read = parts = 0
    for name in sys.argv[2:]:
        # The parser's limits are for strangers' files; texts in ours may be long.
        document = etree.parse(name, etree.XMLParser(huge_tree=True, no_network=True))
        if not schema.validate(document):
            wrong[name] = [str(e) for e in list(schema.error_log)[:5]]
        for part in document.iter("{urn:omerods:pack}Pack"):
            parts += 1
            if not ours.validate(etree.ElementTree(part)):
                wrong.setdefault(name, []).extend(str(e) for e in list(ours.error_log)[:5])
        try:
            ome = ome_types.from_xml(Path(name))
            read += len(ome.images) + len(ome.datasets) + len(ome.projects) + len(ome.plates)
        except Exception as e:
            wrong.setdefault(name, []).append("ome-types: %s" % e)
    json.dump({"wrong": wrong, "objects": read, "parts": parts}, sys.stdout)


main()
