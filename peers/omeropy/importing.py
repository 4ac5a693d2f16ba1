"""Imports files into OMERO with nothing but omero-py.

It does what OMERO's importer does after it has found out which files belong
together: ManagedRepository.importFileset, an upload, verifyUpload, and waiting
for the server to read the files.
"""

import hashlib
import os
import platform
import time
import zlib

import omero
import omero.callbacks
import omero.cmd
import omero.grid
import omero.model
from omero.rtypes import rbool, rstring

BLOCK = 100_000  # bytes in a write; small, so that there are several


def connect(user=None, password=None):
    """Logs in as the person whom the environment names, or as somebody else."""
    client = omero.client(os.environ["OMERO_HOST"], int(os.environ["OMERO_PORT"]))
    client.createSession(user or os.environ["OMERO_USER"], password or os.environ["OMERO_PASSWORD"])
    return client


def repository(client):
    """The managed repository, found by its type."""
    for proxy in client.sf.sharedResources().repositories().proxies:
        managed = omero.grid.ManagedRepositoryPrx.checkedCast(proxy)
        if managed is not None:
            return managed
    raise LookupError("the server has no managed repository")


def fileset(client_paths, reader=None):
    """A fileset that is still to come; the first path is the main file's."""
    job = omero.model.UploadJobI()
    info = [("omero.version", omero_version()), ("os.name", platform.system()), ("client.language.name", "Python")]
    if reader:
        info.append(("bioformats.reader", reader))
    job.setVersionInfo([omero.model.NamedValue(k, v) for k, v in info])
    new = omero.model.FilesetI()
    new.linkJob(job)
    for path in client_paths:
        entry = omero.model.FilesetEntryI()
        entry.setClientPath(rstring(path))
        new.addFilesetEntry(entry)
    return new


def omero_version():
    from omero_version import omero_version
    return omero_version


def settings(algorithm="SHA1-160", target=None, name=None, description=None,
             annotations=(), thumbnails=None, no_stats=None):
    chosen = omero.model.ChecksumAlgorithmI()
    chosen.setValue(rstring(algorithm))
    new = omero.grid.ImportSettings()
    new.checksumAlgorithm = chosen
    new.userSpecifiedTarget = target
    new.userSpecifiedName = None if name is None else rstring(name)
    new.userSpecifiedDescription = None if description is None else rstring(description)
    new.userSpecifiedAnnotationList = list(annotations)
    new.doThumbnails = None if thumbnails is None else rbool(thumbnails)
    new.noStatsInfo = None if no_stats is None else rbool(no_stats)
    return new


def checksum(algorithm, data):
    """The sum as OMERO writes it: lower-case hex, numbers from their highest digit."""
    if algorithm == "CRC-32":
        return "%08x" % zlib.crc32(data)
    if algorithm == "Adler-32":
        return "%08x" % zlib.adler32(data)
    if algorithm == "File-Size-64":
        return "%016x" % len(data)
    return hashlib.new({"SHA1-160": "sha1", "MD5-128": "md5"}[algorithm], data).hexdigest()


def read(path):
    with open(path, "rb") as f:
        return f.read()


def upload(process, index, data):
    """Sends a file; only close makes the server sum it up."""
    store = process.getUploader(index)
    try:
        store.write(b"", 0, 0)
        for at in range(0, len(data), BLOCK):
            block = data[at:at + BLOCK]
            store.write(block, at, len(block))
            if process.getUploadOffset(index) != at + len(block):
                raise AssertionError("the server has another offset")
    finally:
        store.close()


class Watcher(omero.callbacks.CmdCallbackI):
    """Counts what the server says by itself. It never asks the server."""

    def __init__(self, client, handle):
        self.steps, self.called = [], 0
        super().__init__(client, handle)

    def initialPoll(self, foreground_poll=False):
        pass

    def step(self, complete, total, current=None):
        self.steps.append((complete, total))

    def finished(self, rsp, status, current=None):
        if current is not None:
            self.called += 1
        super().finished(rsp, status, current)


def poll(handle, seconds=120):
    """Waits for the response by asking for it."""
    end = time.time() + seconds
    pause = 0.02
    while time.time() < end:
        response = handle.getResponse()
        if response is not None:
            return response
        time.sleep(pause)
        pause = min(2 * pause, 1)
    raise TimeoutError("no response")


def run(client, paths, client_paths=None, reader=None, **options):
    """Imports files and returns the response of the server."""
    data = [read(p) for p in paths]
    process = repository(client).importFileset(fileset(client_paths or paths, reader), settings(**options))
    try:
        for i, content in enumerate(data):
            upload(process, i, content)
        algorithm = options.get("algorithm", "SHA1-160")
        handle = process.verifyUpload([checksum(algorithm, d) for d in data])
    finally:
        process.close()
    try:
        return poll(handle)
    finally:
        handle.close()
