"""Adds an AVU to a collection."""

from common import answer, connect, job

with connect() as session:
    session.collections.get(job["path"]).metadata.add("colour", "blue")
answer()
