"""The server of the tests: peer.ice on Ice's own runtime, behind Glacier2.

It prints its port when it is ready, and ends when its standard input does.
The password of all its users is in the environment; so may be the Slice file
to read instead of hidden.ice, which has all.
"""

import json
import os
import sys
import threading
import time

import Glacier2
import Ice

Ice.loadSlice("", ["-I/usr/share/ice/slice", "-I.", "--all", os.environ.get("PEER_SLICE", "hidden.ice")])

import graphs  # noqa: E402
import peer  # noqa: E402


PROXIES = [
    "",
    "known",
    "cat/known -f side -o",
    "indirect @ Adapter",
    "cat/a\\/b -e 1.0 @ Adapter.With.Dots",
    "plain:tcp -h 192.0.2.1 -p 4061",
    "both -s -e 1.0:ssl -h omero.example.org -p 4064 -t 5000:tcp -h 192.0.2.1 -p 4063 -z",
    "web:ws -h omero.example.org -p 80 -r /omero-ws:wss -h omero.example.org -p 443 -r /omero-wss",
    "gram -d:udp -h 192.0.2.1 -p 10000:tcp -h 192.0.2.1 -p 10001",
    "cast -D:udp -h 239.255.1.1 -p 10000 -z",
    "strange:opaque -t 99 -e 1.1 -v AAECAwQF",
    "old -e 1.0:opaque -t 98 -e 1.0 -v //8=",
]


class EchoI(peer.Echo):
    def __init__(self):
        self.lock = threading.Lock()  # guards the fields below
        self.held = {}
        self.noted = []
        self.calls = 0
        self.left = {}

    def echoBasics(self, v, current):
        return v, v

    def echoSequences(self, v, current):
        return v, v

    def echoDictionaries(self, v, current):
        return v, v

    def echoEach(self, a, b, c, d, e, f, g, h, current):
        return g, a, b, c, d, e, f, h

    def contextOf(self, current):
        return current.ctx

    def echoNode(self, n, current):
        return n

    def echoSliced(self, n, current):
        return n

    def echoAny(self, o, nodes, named, current):
        return o, nodes, named

    def describe(self, n, current):
        return graphs.describe(n)

    def build(self, current):
        return graphs.build()

    def buildSliced(self, current):
        return graphs.build()

    def hide(self, deep, current):
        return graphs.hide(deep)

    def hideSliced(self, deep, current):
        return graphs.hide(deep)

    def fail(self, level, current):
        where = graphs.build()
        if level == 1:
            raise peer.Base("base")
        if level == 2:
            raise peer.Middle("middle", -7)
        if level == 3:
            raise peer.Bottom("bottom", 8, where, ["x", "y"])
        raise peer.Deepest("deepest", 9, where, ["z"], 1 << 40, peer.Riddle("why?", where))

    def failSliced(self, level, current):
        self.fail(level, current)

    def failUndeclared(self, current):
        raise peer.Unrelated("nobody expects this")

    def failUnexpectedly(self, current):
        raise Ice.UnknownUserException("::peer::Unrelated")

    def failLocally(self, current):
        raise Ice.TimeoutException()

    def crash(self, current):
        raise RuntimeError("the server broke")

    def blob(self, size, current):
        return (bytes(range(256)) * (size // 256 + 1))[:size]

    def measure(self, b, current):
        return len(b)

    def hold(self, group, number, of, current):
        future = Ice.Future()
        with self.lock:
            held = self.held.setdefault(group, [])
            held.append((number, future))
            if len(held) < of:
                return future
            del self.held[group]
        for order, (n, waiting) in enumerate(reversed(held)):
            waiting.set_result((n, order))
        return future

    def waiting(self, group, current):
        with self.lock:
            return len(self.held.get(group, []))

    def note(self, text, current):
        with self.lock:
            self.noted.append(text)

    def notes(self, current):
        with self.lock:
            return self.noted

    def count(self, current):
        with self.lock:
            self.calls += 1
            return self.calls

    def visit(self, guest, current):
        future = Ice.Future()

        def done(answer):
            try:
                answer.result()
                future.set_result("came back")
            except Ice.RequestFailedException as e:
                future.set_result("%s %s %s" % (e.ice_id(), e.id.name, e.operation))
            except Exception as e:
                future.set_result("unexpected: " + repr(e))

        guest.ice_context({}).ice_pingAsync().add_done_callback(done)
        return future

    def proxies(self, current):
        return [current.adapter.getCommunicator().stringToProxy(p) for p in PROXIES]

    def areProxies(self, candidates, current):
        # Encoding 1.0 does not carry the encoding that a proxy prefers.
        def plain(p):
            return p and current.encoding == Ice.Encoding_1_0 and p.ice_encodingVersion(Ice.Encoding_1_0) or p

        return [plain(p) for p in self.proxies(current)] == [plain(p) for p in candidates]

    def leave(self, key, gracefully, current):
        with self.lock:
            n = self.left[key] = self.left.get(key, 0) + 1
        if n == 1:
            current.con.close(Ice.ConnectionClose.Gracefully if gracefully else Ice.ConnectionClose.Forcefully)
        return n

    def leaveAgain(self, key, gracefully, current):
        return self.leave(key, gracefully, current)

    def another(self, number, current):
        ident = Ice.Identity(str(number), "many")
        return peer.EchoPrx.uncheckedCast(current.adapter.createProxy(ident))

    def whoAmI(self, current):
        return current.facet or current.id.name




class SessionI(peer.Session):
    def getEcho(self, current):
        ident = Ice.Identity("echo", "")
        return peer.EchoPrx.uncheckedCast(current.adapter.createProxy(ident))

    def destroy(self, current):
        current.adapter.remove(current.id)


class VerifierI(Glacier2.PermissionsVerifier):
    def checkPermissions(self, user, password, current):
        if password != os.environ["PEER_PASSWORD"]:
            return False, "wrong password for " + user
        return True, ""


class ManagerI(Glacier2.SessionManager):
    def create(self, user, control, current):
        if user == "refused":
            raise Glacier2.CannotCreateSessionException("not you")
        if user == "wrapped":
            raise peer.WrappedRefusal("later", True, 123456789012, "ome.conditions.Busy")
        ident = Ice.Identity(Ice.generateUUID(), "session")
        return Glacier2.SessionPrx.uncheckedCast(current.adapter.add(SessionI(), ident))


def main():
    # The program that started this one may be gone without a word.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    with Ice.initialize(sys.argv) as ic:
        adapter = ic.createObjectAdapterWithEndpoints("Server", "tcp -h 127.0.0.1 -p 0")
        echo = EchoI()
        adapter.add(echo, Ice.Identity("echo", ""))
        adapter.addFacet(echo, Ice.Identity("echo", ""), "side")
        adapter.addDefaultServant(echo, "many")
        adapter.add(VerifierI(), Ice.Identity("verifier", ""))
        adapter.add(ManagerI(), Ice.Identity("manager", ""))
        adapter.activate()
        port = adapter.getEndpoints()[0].getInfo().port
        print(json.dumps({"port": port}), flush=True)
        while True:
            time.sleep(3600)


main()
