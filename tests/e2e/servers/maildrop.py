# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server holds, as a session of POP3 beside the mount's shows it."""

import contextlib
import poplib
import time

from mount import SLOW

IN_USE_SECONDS = 60


@contextlib.contextmanager
def session(server, user="user"):
    """A session of poplib, signed in. Where another one has the maildrop it is waited for."""
    connection = _sign_in(server, user, time.monotonic() + IN_USE_SECONDS * SLOW)
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
    connection.quit()  # what was deleted goes now, or an error tells that it did not


def _sign_in(server, user, deadline):
    while True:
        connection = poplib.POP3(server.host, server.pop3_port, timeout=30)
        try:
            connection.user(user)
            connection.pass_(server.password(user))
            return connection
        except poplib.error_proto as error:
            connection.close()
            assert time.monotonic() < deadline, error
            time.sleep(0.1)


def _numbers(connection):
    """{unique id: number}, in the order of the numbers."""
    lines = (line.decode().split(" ", 1) for line in connection.uidl()[1])
    return {unique_id: int(number) for number, unique_id in lines}


def held(server, user="user"):
    """{unique id: octets}, in the session's order."""
    with session(server, user) as connection:
        return {unique_id: _retrieve(connection, number) for unique_id, number in _numbers(connection).items()}


def _retrieve(connection, number):
    return b"".join(line + b"\r\n" for line in connection.retr(number)[1])


def delete(server, unique_ids, user="user"):
    with session(server, user) as connection:
        numbers = _numbers(connection)
        for unique_id in unique_ids:
            connection.dele(numbers[unique_id])
