"""Real mail and database servers, started privately on loopback for the tests that need the truth.

    authority   certificates: one good, and one for every way a certificate can be wrong
    process     free ports, private directories, starting and ending a server's processes
    dovecot     IMAP, submission, LMTP and SASL for Postfix; what it says of logins is in `login_log`
    relay       takes Dovecot's submissions and hands them to its LMTP, where there is no Postfix
    postfix     submission with AUTH, and the sending host; needs root
    postgres    a throw-away PostgreSQL, and a fresh database for each test
    tokens      OAuth access tokens that this Dovecot accepts
    presence    an absent program is a skip with the reason, in CI a failure
    fixtures    the above as pytest fixtures

Every method blocks until the server does what was asked; from a coroutine call `await asyncio.to_thread(server.stop)` where the
test's own loop must go on meanwhile.
"""
