"""General queries of every form that the library makes."""

import irods.column
from irods.column import Between, Criterion, Like
from irods.models import Collection, CollectionMeta, DataObject, DataObjectMeta, Resource, User

from common import answer, connect, job, refusal

coll, many = job["coll"], job["many"]
found = {}
with connect() as session:
    def names(*criteria):
        q = session.query(DataObject.name, Collection.name).filter(Collection.name == coll)
        for c in criteria:
            q = q.filter(c)
        return [row[DataObject.name] for row in q]

    found["all"] = sorted(names())
    found["equal"] = names(DataObject.name == "it's & \"quoted\"")
    found["not"] = sorted(names(Criterion("<>", DataObject.name, "a")))
    found["like"] = sorted(names(Like(DataObject.name, "b%")))
    if hasattr(irods.column, "NotLike"):
        found["not like"] = sorted(names(irods.column.NotLike(DataObject.name, "b%")))
        found["in"] = sorted(names(irods.column.In(DataObject.name, ["a", "b2", "none"])))
    found["larger"] = sorted(names(DataObject.size > 3))
    found["between"] = sorted(names(Between(DataObject.size, (2, 4))))
    found["none"] = names(DataObject.name == "none")

    q = session.query(DataObject.name).filter(Collection.name == coll)
    found["down"] = [r[DataObject.name] for r in q.order_by(DataObject.name, "desc")]
    found["two"] = [r[DataObject.name] for r in q.order_by(DataObject.name).limit(2).execute()]
    found["meta"] = [r[DataObject.name] for r in session.query(DataObject.name).filter(
        Criterion("=", DataObjectMeta.name, "mark"), Criterion("=", DataObjectMeta.value, "yes"))]


    def total(q, column):
        return int(q.filter(Collection.name == coll).execute()[0][column])
    found["sums"] = [
        total(session.query().count(DataObject.id), DataObject.id), total(session.query().sum(DataObject.size), DataObject.size),
        total(session.query().max(DataObject.size), DataObject.size), total(session.query().min(DataObject.size), DataObject.size)]
    batches = [len(b) for b in session.query(DataObject.name).filter(Collection.name == many).get_batches()]
    found["resources"] = [r[Resource.name] for r in session.query(Resource.name).filter(Resource.name == job["resource"])]
    found["me"] = [r[User.name] for r in session.query(User.name).filter(User.name == job["user"])]
    one = session.query(Collection.name).filter(Collection.name == coll).one()[Collection.name]
    first = session.query(Collection.name).filter(Collection.name == coll + "/none").first()
    nothing = refusal(lambda: session.query(Collection.name).filter(Collection.name == coll + "/none").one())
answer(found=found, batches=batches, one=one, first=first, nothing=nothing)
