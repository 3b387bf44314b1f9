"""A mail server that is not ours (aiosmtpd), whose owner checks signatures by a program that is not ours either (dkimpy).

Takes the name and the value of the record that the DNS would have. Says its port, then of each message a line of JSON. Ends when
standard input does. Asks no network.
"""

import asyncio
import json
import sys

import dkim
from aiosmtpd.smtp import SMTP

NAME, RECORD = (argument.encode() for argument in sys.argv[1:3])


def dns(name, timeout=5):
    return RECORD if name.rstrip(b".") == NAME else None


def holds(message):
    try:
        return dkim.verify(message, dnsfunc=dns)
    except dkim.DKIMException:
        return False


def changed(message):
    """The same message as a forger would have it."""
    head, body = message.split(b"\r\n\r\n", 1)
    at = len(body) // 2
    yield head + b"\r\n\r\n" + body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    yield message.replace(b"\r\nSubject: ", b"\r\nSubject: Re: ", 1)
    for field in (b"From: thief@evil.example", b"Subject: free money", b"Reply-To: thief@evil.example"):
        signature, rest = message.split(b"\r\nDate: ", 1)
        yield signature + b"\r\n" + field + b"\r\nDate: " + rest


class Owner:
    async def handle_DATA(self, server, session, envelope):
        message = envelope.original_content
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "bytes": message.decode(),
            "holds": holds(message),
            "changed": [holds(other) for other in changed(message)],
        }
        print(json.dumps(told), flush=True)
        return "250 taken"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Owner(), enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
