"""Tickets: reading and writing by one who has no rights, and their limits."""

from irods.ticket import Ticket

from common import answer, connect, job, refusal

coll, other = job["coll"], job["other"]
with connect() as session:
    session.collections.create(coll)
    with session.data_objects.open(coll + "/f", "w") as f:
        f.write(b"by ticket")
    reading, writing = Ticket(session, job["tickets"][0]), Ticket(session, job["tickets"][1])
    reading.issue("read", coll + "/f")
    writing.issue("write", coll)


def read(user, name):
    with connect(user) as s:
        if name:
            Ticket(s, name).supply()
        with s.data_objects.open(coll + "/f", "r") as f:
            return f.read().decode()


def write(name, what):
    with connect(other) as s:
        Ticket(s, name).supply()
        with s.data_objects.open(coll + "/" + what, "w") as f:
            f.write(b"theirs")


without = refusal(lambda: read(other, None))
text = read(other, reading.ticket)
anonymous = read("anonymous", reading.ticket)
refused = refusal(lambda: write(reading.ticket, "new"))
write(writing.ticket, "new")
unknown = refusal(lambda: read(other, "no such ticket"))
limited = gone = None
listed = []
if hasattr(reading, "modify"):
    with connect() as session:
        Ticket(session, reading.ticket).modify("uses", "1")
        Ticket(session, writing.ticket).modify("add", "user", "bob")
    limited = [refusal(lambda: read(other, reading.ticket)) for _ in range(3)]
    with connect() as session:
        from irods.models import TicketQuery
        from irods.ticket import ticket_iterator
        mine = job["tickets"]
        listed = sorted(t.string for t in ticket_iterator(session) if t.string in mine)
        Ticket(session, writing.ticket).delete()
    gone = refusal(lambda: write(writing.ticket, "new"))
answer(without=without, text=text, anonymous=anonymous, refused=refused, unknown=unknown, limited=limited,
       listed=listed, gone=gone)
