"""Queries in the language of GenQuery2."""

from common import answer, connect, job, refusal

coll = job["coll"]
found = {}
with connect() as session:
    ask = session.genquery2
    at = "COLL_NAME = '%s'" % coll
    found["order"] = ask("select DATA_NAME where %s order by DATA_NAME desc limit 2" % at)
    found["or"] = ask("select DATA_NAME where %s and (DATA_NAME = 'a' or DATA_SIZE > '4') order by DATA_NAME" % at)
    found["quoted"] = ask("select DATA_NAME where %s and DATA_NAME = 'it''s & \"quoted\"'" % at)
    found["like"] = ask("select DATA_NAME, DATA_SIZE where %s and DATA_NAME like 'b%%' order by DATA_NAME" % at)
    found["in"] = ask("select DATA_NAME where %s and DATA_NAME in ('a', 'b2') order by DATA_NAME" % at)
    found["not"] = ask("select DATA_NAME where %s and DATA_NAME not like 'b%%' order by DATA_NAME" % at)
    found["between"] = ask("select DATA_NAME where %s and DATA_SIZE between '2' and '4' order by DATA_NAME" % at)
    found["count"] = ask("select count(DATA_ID), sum(DATA_SIZE) where %s" % at)
    found["meta"] = ask("select DATA_NAME where META_DATA_ATTR_NAME = 'mark' and META_DATA_ATTR_VALUE = 'yes'")
    found["offset"] = ask("select DATA_NAME where %s order by DATA_NAME offset 1 limit 1" % at)
    found["cast"] = ask("select DATA_NAME where %s and cast(DATA_SIZE as bigint) > '3' order by DATA_NAME" % at)
    found["distinct"] = ask("select distinct DATA_TYPE_NAME where %s" % at)
    found["all"] = ask("select DATA_TYPE_NAME where %s" % at)
    found["group"] = ask("select DATA_TYPE_NAME, count(DATA_ID) where %s group by DATA_TYPE_NAME" % at)
    g = session.genquery2_object()
    sql = g.get_sql("select COLL_NAME where %s" % at)
    columns = g.get_column_mappings()
    wrong = refusal(lambda: ask("select NO_SUCH_COLUMN"))
answer(found=found, sql=sql, columns=len(columns), column=columns.get("DATA_NAME"), wrong=wrong)
