"""Makes a figure of OMERO.figure that shows an image, and prints its id."""

import json
import os
import sys
import tempfile

import omero
from omero.gateway import BlitzGateway

image = int(sys.argv[1])
client = omero.client(os.environ["OMERO_HOST"], int(os.environ["OMERO_PORT"]))
client.createSession(os.environ["OMERO_USER"], os.environ["OMERO_PASSWORD"])
try:
    connection = BlitzGateway(client_obj=client)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "figure.json")
        with open(path, "w") as f:
            json.dump({"version": 7, "panels": [{"imageId": image, "x": 10, "y": 20}]}, f)
        note = connection.createFileAnnfromLocalFile(
            path, mimetype="application/json", ns="omero.web.figure.json", desc="{}")
    json.dump(note.getId(), sys.stdout)
finally:
    client.closeSession()
