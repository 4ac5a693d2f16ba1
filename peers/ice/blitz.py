"""Ice's own client uses the sandbox's OMERO server through its router.

usage: blitz.py ENDPOINT [--Ice.PROPERTY=VALUE ...] [TEST ...]
The user and password are in the environment.
"""

import os
import sys
import tempfile
import time
import unittest
import uuid
from contextlib import closing

import Glacier2
import Ice

SLICE = "../../internal/omero/slice"


def load():
    """Loads all OMERO definitions of the checkout at once."""
    names = []
    for folder, _, files in os.walk(SLICE + "/omero"):
        names += [os.path.relpath(os.path.join(folder, f), SLICE) for f in files]
    with tempfile.NamedTemporaryFile("w", suffix=".ice") as f:
        f.write("".join("#include <%s>\n" % n for n in sorted(names)))
        f.flush()
        Ice.loadSlice("", ["-I/usr/share/ice/slice", "-I" + SLICE, "--all", f.name])


load()

import omero  # noqa: E402
import omero.model  # noqa: E402

ENDPOINT = sys.argv.pop(1)
USER, PASSWORD = os.environ["PEER_USER"], os.environ["PEER_PASSWORD"]
ROUTER = "OMERO.Glacier2/router:" + ENDPOINT


class Login:
    """A communicator with a session, as OMERO's own clients make it."""

    def __init__(self, encoding, user=USER, password=PASSWORD, context=None):
        properties = base.getProperties().clone()
        properties.setProperty("Ice.ImplicitContext", "Shared")
        properties.setProperty("Ice.Default.EncodingVersion", encoding)
        properties.setProperty("Ice.Default.Router", ROUTER)
        properties.setProperty("Ice.RetryIntervals", "-1")
        init = Ice.InitializationData()
        init.properties = properties
        self.ic = Ice.initialize(init)
        try:
            self.router = Glacier2.RouterPrx.checkedCast(self.ic.getDefaultRouter())
            self.client = str(uuid.uuid4())
            self.ic.getImplicitContext().put("omero.client.uuid", self.client)
            if context is None:
                context = {"omero.client.uuid": self.client}
            self.session = self.router.createSession(user, password, context)
            self.factory = omero.api.ServiceFactoryPrx.checkedCast(self.session)
            self.uuid = self.session.ice_getIdentity().name
            self.ic.getImplicitContext().put("omero.session.uuid", self.uuid)
        except Exception:
            self.ic.destroy()
            raise

    def close(self):
        try:
            self.router.destroySession()
        except Ice.ConnectionLostException:
            pass  # some routers close the connection instead
        self.ic.destroy()


def params(**values):
    return omero.sys.Parameters(values, None, None)


class Blitz(unittest.TestCase):
    encoding = "1.1"

    def setUp(self):
        self.login = Login(self.encoding)
        self.addCleanup(self.login.close)
        self.factory = self.login.factory
        self.query = self.factory.getQueryService()
        self.update = self.factory.getUpdateService()

    def make(self, name):
        p = omero.model.Project()
        p.loaded = True
        p.name = omero.RString(name)
        return self.update.saveAndReturnObject(p)

    def test_router(self):
        router = self.login.router
        self.assertEqual(router.getSessionTimeout(), 600)
        self.assertEqual(router.getACMTimeout(), 600)
        # One to which only the router can send: it must not be guessed.
        category = router.getCategoryForClient()
        self.assertGreaterEqual(len(category), 16)
        self.assertEqual(category, router.getCategoryForClient())
        with closing(Login(self.encoding)) as other:
            self.assertNotEqual(category, other.router.getCategoryForClient())
        self.assertEqual(self.login.session.ice_getIdentity().category, "session-" + self.login.client)
        self.assertIsNotNone(router.getServerProxy())
        self.assertIn(router.getClientProxy(), [(None, True), (None, Ice.Unset)])
        router.refreshSession()

    def test_objects(self):
        f = self.factory
        f.ice_ping()
        self.assertEqual(f.ice_id(), "::omero::api::ServiceFactory")
        self.assertEqual(f.ice_ids(), ["::Glacier2::Session", "::Ice::Object", "::omero::api::ServiceFactory", "::omero::cmd::Session"])
        self.assertIsNone(omero.api.IUpdatePrx.checkedCast(self.query))
        self.assertIsNotNone(omero.api.IQueryPrx.checkedCast(f.getByName("omero.api.IQuery")))
        context = f.getAdminService().getEventContext()
        self.assertEqual((context.userName, context.sessionUuid), (USER, self.login.uuid))
        self.assertIsInstance(context.groupPermissions, omero.model.Permissions)

    def test_projection(self):
        p = self.make("projected \u00fc")
        rows = self.query.projection(
            "select p.id, p.name, p.description, p.details.owner.omeName from Project p where p.id = :id", params(id=p.id))
        self.assertEqual(len(rows), 1)
        number, name, description, owner = rows[0]
        self.assertIsInstance(number, omero.RLong)
        self.assertEqual((number.val, name.val, owner.val), (p.id.val, "projected \u00fc", USER))
        self.assertIsNone(description)
        self.assertEqual(self.query.projection("select p.id from Project p where p.id = -1", None), [])

    def test_graph(self):
        """Loaded objects share their owner and refer back to each other."""
        p = self.make("parent")
        d = omero.model.Dataset()
        d.loaded, d.name = True, omero.RString("child")
        link = omero.model.ProjectDatasetLink()
        link.loaded, link.parent, link.child = True, omero.model.Project(p.id), d
        saved = self.update.saveAndReturnObject(link)
        self.assertEqual(saved.parent.id.val, p.id.val)
        found = self.query.findByQuery(
            "select p from Project p join fetch p.datasetLinks l join fetch l.child d join fetch p.details.owner "
            "where p.id = :id", params(id=p.id))
        self.assertIsInstance(found, omero.model.Project)
        self.assertTrue(found.datasetLinksLoaded)
        inner, = found.datasetLinksSeq
        self.assertIs(inner.parent, found)
        self.assertEqual((inner.child.name.val, inner.child.id.val), ("child", saved.child.id.val))
        self.assertEqual(found.details.owner.omeName.val, USER)
        everything = self.query.findAllByQuery("select p from Project p where p.id = :id", params(id=p.id))
        self.assertEqual([o.name.val for o in everything], ["parent"])
        self.assertEqual(self.query.findAllByQuery("select p from Project p where p.id = -1", None), [])
        self.assertIsNone(self.query.find("Project", -1))

    def test_exceptions(self):
        with self.assertRaises(omero.QueryException) as caught:
            self.query.projection("select nonsense from Project p", None)
        self.assertTrue(caught.exception.message)
        self.assertTrue(caught.exception.serverExceptionClass.startswith("ome.conditions."))
        with self.assertRaises(omero.ServerError):
            self.query.get("Project", -1)
        with self.assertRaises(omero.ServerError):
            self.update.saveAndReturnObject(omero.model.Project())

    def test_delete(self):
        p = self.make("deleted")
        request = omero.cmd.Delete2(targetObjects={"Project": [p.id.val]}, childOptions=[], dryRun=False)
        handle = self.factory.submit(request)
        while handle.getResponse() is None:
            time.sleep(0.01)  # the program that started this one bounds it
        response, status = handle.getResponse(), handle.getStatus()
        self.assertIsInstance(response, omero.cmd.Delete2Response)
        self.assertEqual(response.deletedObjects["ome.model.containers.Project"], [p.id.val])
        self.assertIn(omero.cmd.State.SUCCESS, status.flags)
        handle.close()
        self.assertIsNone(self.query.find("Project", p.id.val))

    def test_stateful(self):
        store = self.factory.createRawFileStore()
        file = omero.model.OriginalFile()
        file.loaded, file.name, file.path = True, omero.RString("f"), omero.RString("/")
        file.mimetype, file.size = omero.RString("application/octet-stream"), omero.RLong(0)
        file = self.update.saveAndReturnObject(file)
        store.setFileId(file.id.val)
        data = bytes(range(256)) * 4096
        for at in range(0, len(data), 300000):
            chunk = data[at:at + 300000]
            store.write(chunk, at, len(chunk))
        self.assertEqual(store.size(), len(data))
        self.assertEqual(bytes(store.read(0, len(data))), data)
        self.assertEqual(store.save().size.val, len(data))
        store.close()
        with self.assertRaises(Ice.ObjectNotExistException):
            store.size()

    def test_in_flight(self):
        calls = [self.query.projectionAsync("select count(p) from Project p", None) for _ in range(200)]
        self.assertEqual(len({c.result()[0][0].val for c in calls}), 1)

    def test_oneway_and_batch(self):
        self.factory.ice_oneway().ice_ping()
        batch = self.factory.ice_batchOneway()
        for _ in range(10):
            batch.ice_ping()
        batch.ice_flushBatchRequests()
        self.factory.ice_ping()

    def test_callback(self):
        """OMERO's client gives the server an object of its own."""
        class Callback(omero.api.ClientCallback):
            def requestHeartbeat(self, current):
                pass

            sessionClosed = requestHeartbeat

            def shutdownIn(self, milliseconds, current):
                pass

        adapter = self.login.ic.createObjectAdapterWithRouter("callbacks", self.login.router)
        adapter.activate()
        ident = Ice.Identity("ClientCallback", self.login.router.getCategoryForClient())
        proxy = omero.api.ClientCallbackPrx.uncheckedCast(adapter.add(Callback(), ident))
        self.factory.setCallback(proxy)
        self.factory.closeOnDestroy()
        self.factory.detachOnDestroy()

    def test_keep_alive(self):
        self.assertTrue(self.factory.keepAlive(self.query))
        self.assertFalse(self.factory.keepAlive(None))
        self.assertEqual(self.factory.keepAllAlive([None, self.query]), 2)


class Blitz10(Blitz):
    encoding = "1.0"


class Refused(unittest.TestCase):
    def test_password(self):
        for encoding in ("1.0", "1.1"):
            with self.assertRaises(Glacier2.PermissionDeniedException) as caught:
                Login(encoding, password="wrong")
            self.assertIn(USER, caught.exception.reason)

    def test_context(self):
        """Encoding 1.0 cannot carry an exception of OMERO that is derived."""
        with self.assertRaises(omero.WrappedCreateSessionException) as caught:
            Login("1.1", context={})
        self.assertEqual(caught.exception.type, "ome.conditions.ApiUsageException")
        with self.assertRaises(Glacier2.CannotCreateSessionException):
            Login("1.0", context={})

    def test_no_session(self):
        """After the end of the session the router ends the connection."""
        login = Login("1.1")
        login.router.destroySession()
        with self.assertRaises(Ice.ConnectionLostException):
            login.factory.getQueryService()
        login.ic.destroy()

    def test_second_session(self):
        login = Login("1.1")
        with self.assertRaises(Glacier2.CannotCreateSessionException):
            login.router.createSession(USER, PASSWORD, {"omero.client.uuid": login.client})
        login.close()

    def test_join(self):
        """A session can be joined by its uuid while somebody holds it."""
        login = Login("1.1")
        other = Login("1.1", user=login.uuid, password=login.uuid)
        self.assertEqual(other.uuid, login.uuid)
        other.close()
        self.assertEqual(login.factory.getAdminService().getEventContext().sessionUuid, login.uuid)
        login.close()


if __name__ == "__main__":
    with Ice.initialize(sys.argv) as base:
        unittest.main(verbosity=2)
