"""The AVUs of one data object."""

from common import answer, connect, job

with connect() as session:
    found = session.data_objects.get(job["path"]).metadata.items()
    answer(steps=[sorted([m.name, m.value, m.units] for m in found)])
