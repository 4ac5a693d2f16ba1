"""Ice's own client calls the sandbox's Ice server, which serves peer.ice.

usage: client.py ENDPOINT [--Ice.PROPERTY=VALUE ...] [TEST ...]
"""

import math
import sys
import time
import unittest

import Ice

Ice.loadSlice("", ["-I/usr/share/ice/slice", "-I.", "peer.ice"])

import graphs  # noqa: E402
import peer  # noqa: E402

ENDPOINT = sys.argv.pop(1)

GRAPH = [
    "::peer::Flower a next=1 children=[1 2 1 nil 0] named={} weight=1.5 hue=blue other=::peer::Nothing",
    "::peer::Leaf b next=0 children=[3] named={} weight=-0.25",
    "::peer::Node c next=nil children=[] named={a:0 c:2 none:nil}",
    "::peer::Flower d next=2 children=[] named={} weight=0 hue=red other=2",
]

HIDDEN = [
    "::peer::Leaf hidden next=1 children=[2] named={} weight=2.5",
    "::peer::Flower flower next=2 children=[] named={} weight=1 hue=green other=%s",
    "::peer::Node seen next=0 children=[] named={}",
]

TEXTS = ["", "x", "a" * 254, "b" * 255, "c" * 256, "d" * 70000, "Z\u00fcrich \u8a66\u6599 \U0001F52C", "a\0b"]


class Peer(unittest.TestCase):
    def setUp(self):
        proxy = communicator.stringToProxy("echo:" + ENDPOINT)
        self.both = [(e, peer.EchoPrx.uncheckedCast(proxy.ice_encodingVersion(e)))
                     for e in (Ice.Encoding_1_0, Ice.Encoding_1_1)]
        self.echo = self.both[0][1]


    def ended(self, connection):
        """Waits until a connection has ended, without a callback: with one,
        this program was seen to hang in the runtime."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                connection.throwException()
            except Ice.LocalException:
                return True
            time.sleep(0.02)
        return False


class Types(Peer):
    def test_object(self):
        for e, echo in self.both:
            echo.ice_ping()
            self.assertEqual(echo.ice_id(), "::peer::Echo")
            self.assertEqual(echo.ice_ids(), ["::Ice::Object", "::peer::Echo"])
            self.assertTrue(echo.ice_isA("::peer::Echo"))
            self.assertFalse(echo.ice_isA("::peer::Session"))
            self.assertIsNotNone(peer.EchoPrx.checkedCast(echo))
            self.assertIsNone(peer.SessionPrx.checkedCast(echo))

    def test_basics(self):
        for e, echo in self.both:
            for i, text in enumerate(TEXTS):
                v = peer.Basics(i % 2 == 0, 255 - i, -32768 + i, 2**31 - 1 - i, -2**63 + i, math.inf if i % 2 else -1.5,
                                [math.pi, 5e-324, 1.7e308, -0.0][i % 4], text, peer.Color.valueOf(i % 3),
                                [peer.Wide.narrow, peer.Wide.wide][i % 2], [peer.Vast.few, peer.Vast.lots][i % 2],
                                peer.Point(-i, -2**31), echo if i % 2 else None)
                for got in echo.echoBasics(v):
                    if v.object:
                        self.assertEqual(got.object.whoAmI() if hasattr(got.object, "whoAmI") else
                                         peer.EchoPrx.uncheckedCast(got.object).whoAmI(), "echo")
                        got.object = v.object
                    self.assertEqual(got, v)
            self.assertEqual(echo.echoEach(True, 200, -2, 3, -4, 0.5, 7.25, "h"), (7.25, True, 200, -2, 3, -4, 0.5, "h"))

    def test_sequences(self):
        for e, echo in self.both:
            for n in (0, 1, 254, 255, 300, 20000):
                few = min(n, 300)
                v = peer.Sequences(
                    [i % 3 == 0 for i in range(n)], bytes(i % 256 for i in range(n)), [i % 30000 for i in range(n)],
                    [-i for i in range(n)], [i << 40 for i in range(n)], [i / 4 for i in range(n)],
                    [i / 8 for i in range(n)], ["text %d" % i for i in range(n)],
                    [peer.Color.valueOf(i % 3) for i in range(n)], [peer.Point(i, -i) for i in range(few)],
                    [None if i % 2 else echo for i in range(few)], [["l"] * (i % 4) for i in range(few)])
                for got in echo.echoSequences(v):
                    got.octets = bytes(got.octets)
                    self.assertEqual([o is None for o in got.objects], [o is None for o in v.objects])
                    self.assertEqual([o.ice_getIdentity().name for o in got.objects if o], ["echo"] * ((few + 1) // 2))
                    got.objects = v.objects
                    self.assertTrue(got == v, "%d elements" % n)

    def test_dictionaries(self):
        for e, echo in self.both:
            for n in (0, 1, 300):
                v = peer.Dictionaries(
                    {"key %d" % i: "value %d" % i for i in range(n)}, {i << 33: [float(i)] for i in range(n)},
                    {True: 1, False: 200} if n else {}, {peer.Color.blue: peer.Point(5, 6)} if n else {},
                    {peer.Point(i, 1): "p" for i in range(n)}, {i: {"inner": "x"} for i in range(n)})
                for got in echo.echoDictionaries(v):
                    self.assertEqual(got, v)

    def test_context(self):
        for e, echo in self.both:
            ctx = {"omero.group": "5", "\u00fc": ""}
            self.assertEqual(echo.contextOf(ctx), ctx)

    def test_proxies(self):
        for e, echo in self.both:
            for i in range(20):
                self.assertEqual(echo.another(i).whoAmI(), str(i))


class Classes(Peer):
    def test_graphs(self):
        for e, echo in self.both:
            a = graphs.build()
            self.assertEqual(graphs.describe(a), GRAPH)
            self.assertEqual(echo.describe(a), GRAPH)
            for back in (echo.echoNode(a), echo.echoSliced(a), echo.build(), echo.buildSliced()):
                self.assertEqual(graphs.describe(back), GRAPH)

    def test_sharing(self):
        for e, echo in self.both:
            a = graphs.build()
            whole, nodes, named = echo.echoAny(a, [a, a.next, None], {"b": a.next})
            self.assertIs(nodes[0], whole)
            self.assertIs(nodes[1], whole.next)
            self.assertIsNone(nodes[2])
            self.assertIs(named["b"], whole.next)

    def test_nil(self):
        for e, echo in self.both:
            self.assertIsNone(echo.echoNode(None))
            self.assertIsNone(echo.echoSliced(None))
            self.assertEqual(echo.echoAny(None, [], {}), (None, [], {}))
            self.assertIsInstance(echo.echoAny(peer.Nothing(), [], {})[0], peer.Nothing)

    def test_many(self):
        for e, echo in self.both:
            root = peer.Node("root", None, [], {})
            for i in range(1000):
                root.children.append(peer.Leaf(str(i), root, root.children[i // 2:i // 2 + 1], {}, i))
            self.assertEqual(echo.describe(root), graphs.describe(root))
            self.assertEqual(graphs.describe(echo.echoNode(root)), graphs.describe(root))
            chain = None
            for i in range(90):
                chain = peer.Node(str(i), chain, [], {})
            self.assertEqual(graphs.describe(echo.echoNode(chain)), graphs.describe(chain))

    def test_unknown(self):
        old, new = self.both[0][1], self.both[1][1]
        flat = [line % "nil" if "%s" in line else line for line in HIDDEN]
        deep = [line % "::peer::Riddle" if "%s" in line else line for line in HIDDEN]
        for back in (old.hide(False), old.hideSliced(False), new.hideSliced(False)):
            self.assertEqual(graphs.describe(back), flat)
        self.assertEqual(graphs.describe(new.hideSliced(True)), deep)
        with self.assertRaises(Ice.NoValueFactoryException):
            old.hide(True)
        with self.assertRaises(Ice.NoValueFactoryException):
            new.hide(False)


class Failures(Peer):
    def test_exceptions(self):
        for e, echo in self.both:
            for fail in (echo.fail, echo.failSliced):
                with self.assertRaises(peer.Base) as caught:
                    fail(1)
                self.assertIs(type(caught.exception), peer.Base)
                self.assertEqual(caught.exception.reason, "base")
                with self.assertRaises(peer.Middle) as caught:
                    fail(2)
                self.assertIs(type(caught.exception), peer.Middle)
                self.assertEqual((caught.exception.reason, caught.exception.code), ("middle", -7))
                with self.assertRaises(peer.Bottom) as caught:
                    fail(3)
                self.assertEqual((caught.exception.reason, caught.exception.code), ("bottom", 8))
                self.assertEqual(caught.exception.path, ["x", "y"])
                self.assertEqual(graphs.describe(caught.exception.where), GRAPH)

    def test_unknown_exception(self):
        """One that only the server knows becomes its base, where that can be."""
        old, new = self.both[0][1], self.both[1][1]
        for fail in (old.fail, old.failSliced, new.failSliced):
            with self.assertRaises(peer.Bottom) as caught:
                fail(4)
            self.assertEqual((caught.exception.reason, caught.exception.code), ("deepest", 9))
            self.assertEqual(graphs.describe(caught.exception.where), GRAPH)
        with self.assertRaises(Ice.UnknownUserException):
            new.fail(4)

    def test_not_exist(self):
        for e, echo in self.both:
            gone = echo.ice_identity(Ice.Identity("gone", "cat"))
            side, odd = (peer.EchoPrx.uncheckedCast(echo.ice_facet(f)) for f in ("side", "odd"))
            self.assertEqual(side.whoAmI(), "side")
            with self.assertRaises(Ice.ObjectNotExistException) as caught:
                gone.ice_ping()
            self.assertEqual((caught.exception.id, caught.exception.operation), (Ice.Identity("gone", "cat"), "ice_ping"))
            with self.assertRaises(Ice.FacetNotExistException) as caught:
                odd.whoAmI()
            self.assertEqual((caught.exception.facet, caught.exception.operation), ("odd", "whoAmI"))
            with self.assertRaises(Ice.OperationNotExistException) as caught:
                peer.SessionPrx.uncheckedCast(echo).getEcho()
            self.assertEqual(caught.exception.operation, "getEcho")
            self.assertEqual(caught.exception.id.name, "echo")

    def test_unknown_states(self):
        for e, echo in self.both:
            with self.assertRaises(Ice.UnknownUserException) as caught:
                echo.failUndeclared()
            self.assertIn("::peer::Unrelated", caught.exception.unknown)
            with self.assertRaises(Ice.UnknownException) as caught:
                echo.failUnexpectedly()
            self.assertIn("nobody expects this", caught.exception.unknown)
            with self.assertRaises(Ice.UnknownException) as caught:
                echo.crash()
            self.assertIn("the server broke", caught.exception.unknown)

    def test_malformed(self):
        """The server answers parameters and modes that it cannot read."""
        for e, echo in self.both:
            with self.assertRaises(Ice.UnknownLocalException):
                echo.ice_invoke("describe", Ice.OperationMode.Normal, b"\x06\x00\x00\x00\x01\x00")
            for op, mode in (("whoAmI", Ice.OperationMode.Normal), ("count", Ice.OperationMode.Idempotent)):
                with self.assertRaises(Ice.UnknownLocalException):
                    echo.ice_invoke(op, mode, b"\x06\x00\x00\x00\x01\x00")
            self.assertEqual(echo.whoAmI(), "echo")


class Load(Peer):
    def test_in_flight(self):
        for e, echo in self.both:
            held = [echo.holdAsync("client", i, 200) for i in range(200)]
            results = [f.result() for f in held]
            self.assertEqual([n for n, order in results], list(range(200)))
            self.assertEqual(sorted(order for n, order in results), list(range(200)))

    def test_large(self):
        size = 60 << 20
        blob = bytes(self.echo.blob(size))
        self.assertEqual(len(blob), size)
        self.assertEqual(blob[:1000], (bytes(range(256)) * 4)[:1000])
        self.assertEqual(self.echo.measure(blob), size)

    def test_too_large(self):
        with self.assertRaises(Ice.UnknownLocalException):
            self.echo.blob(64 << 20)
        with self.assertRaises(Ice.ConnectionLostException):
            self.echo.measure(bytes(64 << 20))
        self.assertEqual(self.echo.whoAmI(), "echo")

    def wait_for(self, want):
        while sorted(self.echo.notes()) != sorted(want):
            time.sleep(0.01)  # the program that started this one bounds it

    def test_oneway_and_batch(self):
        for e, echo in self.both:
            want = self.echo.notes() + ["one %s" % i for i in range(50)] + ["many %s" % i for i in range(50)]
            oneway = peer.EchoPrx.uncheckedCast(echo.ice_oneway())
            for i in range(50):
                oneway.note("one %s" % i)
            batch = peer.EchoPrx.uncheckedCast(echo.ice_batchOneway())
            for i in range(50):
                batch.note("many %s" % i)
            batch.ice_flushBatchRequests()
            self.wait_for(want)

    def test_sizes(self):
        for n in (0, 1, 50, 80, 125, 126, 1000, 65480, 65535, 65536, 200000, 3 << 20):
            blob = bytes(self.echo.blob(n))
            self.assertEqual((len(blob), self.echo.measure(blob)), (n, n))
            self.assertEqual(self.echo.measure(b"a" * n), n)


class Connections(Peer):
    def test_graceful_close(self):
        first = self.echo.ice_getConnection()
        first.close(Ice.ConnectionClose.GracefullyWithWait)
        self.assertEqual(self.echo.whoAmI(), "echo")
        self.assertTrue(self.ended(first), "the server keeps the connection")
        self.assertNotEqual(first, self.echo.ice_getConnection())

    def test_server_leaves(self):
        """A graceful end says that nothing was done: Ice repeats the call."""
        for e, echo in self.both:
            key = "%d" % e.minor
            self.assertEqual(echo.leave("graceful" + key, True), 2)
            self.assertEqual(echo.leaveAgain("again graceful" + key, True), 2)
            self.assertEqual(echo.leaveAgain("again" + key, False), 2)
            with self.assertRaises(Ice.ConnectionLostException):
                echo.leave("crash" + key, False)
            self.assertEqual(echo.leave("crash" + key, False), 2)


class Knowing(Peer):
    """For servers that lack what hidden.ice defines, unlike this client."""

    @classmethod
    def setUpClass(cls):
        Ice.loadSlice("", ["-I/usr/share/ice/slice", "-I.", "--all", "hidden.ice"])

    def test_unknown(self):
        """It is cut down to what the server knows, where the format says how."""
        old, new = self.both[0][1], self.both[1][1]
        flat = [line % "nil" if "%s" in line else line for line in HIDDEN]
        deep = [line % "::peer::Riddle" if "%s" in line else line for line in HIDDEN]
        self.assertEqual(old.describe(graphs.hide(False)), flat)
        for bad in (lambda: old.describe(graphs.hide(True)), lambda: new.describe(graphs.hide(False))):
            with self.assertRaises(Ice.UnknownLocalException):
                bad()
            self.assertEqual(old.whoAmI(), "echo")
        self.assertEqual(self.sliced(new, graphs.hide(False)), flat)
        self.assertEqual(self.sliced(new, graphs.hide(True)), deep)

    def sliced(self, echo, graph):
        """describe with the sliced format, which only properties can choose."""
        properties = communicator.getProperties().clone()
        properties.setProperty("Ice.Default.SlicedFormat", "1")
        init = Ice.InitializationData()
        init.properties = properties
        with Ice.initialize(init) as other:
            proxy = other.stringToProxy(communicator.proxyToString(echo)).ice_encodingVersion(Ice.Encoding_1_1)
            return peer.EchoPrx.uncheckedCast(proxy).describe(graph)


class Quiet(Peer):
    """For clients that Ice's properties make watchful or talkative."""

    def test_heartbeats(self):
        """A connection with nothing but heartbeats outlives two without."""
        kept = self.echo.ice_getConnection()
        for i in range(2):
            idle = peer.EchoPrx.uncheckedCast(self.echo.ice_connectionId("idle %d" % i))
            connection = idle.ice_getConnection()
            connection.setACM(Ice.Unset, Ice.Unset, Ice.ACMHeartbeat.HeartbeatOff)
            self.assertTrue(self.ended(connection), "the server keeps an idle connection")
        self.assertEqual(self.echo.whoAmI(), "echo")
        self.assertEqual(self.echo.ice_getConnection(), kept)

    def test_long_call(self):
        """The server's heartbeats say that it still works on a call."""
        held = self.echo.holdAsync("long", 1, 2)
        time.sleep(3 * communicator.getProperties().getPropertyAsInt("Ice.ACM.Client.Timeout"))
        self.assertFalse(held.done(), "the call ended")
        other = peer.EchoPrx.uncheckedCast(self.echo.ice_connectionId("other"))
        other.hold("long", 2, 2)
        self.assertEqual(held.result()[0], 1)


if __name__ == "__main__":
    with Ice.initialize(sys.argv) as communicator:
        unittest.main(verbosity=2)
