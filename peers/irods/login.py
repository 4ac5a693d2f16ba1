"""Logins: by settings in a file, with TLS, by PAM, and those refused."""

import ssl

from irods.session import iRODSSession

from common import answer, connect, encrypted, job, refusal

coll = job["coll"]


def home(session):
    with session as s:
        return s.collections.get(coll).path


def pam(password):
    job["passwords"]["pam"] = password
    context = ssl.create_default_context(cafile=job["ca"])
    return iRODSSession(
        host="localhost", port=job["port"], user=job["user"], zone=job["zone"], password=password,
        authentication_scheme="pam_password", ssl_context=context,
        client_server_negotiation="request_server_negotiation", client_server_policy="CS_NEG_REQUIRE",
        encryption_algorithm="AES-256-CBC", encryption_key_size=32, encryption_num_hash_rounds=16, encryption_salt_size=8)


def wrong():
    job["passwords"][job["other"]] = "wrong"
    home(connect(job["other"]))


plain, sealed, by_pam, wrong_pam = home(connect()), None, None, None
if job["newest"]:
    sealed = home(encrypted())
    by_pam = home(pam(job["passwords"][job["user"]]))
    wrong_pam = refusal(lambda: home(pam("wrong")))
answer(plain=plain, sealed=sealed, pam=by_pam, wrong=refusal(wrong), wrong_pam=wrong_pam,
       unknown=refusal(lambda: home(connect("nobody"))))
