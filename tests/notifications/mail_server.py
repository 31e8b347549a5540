"""A mail server that keeps what it is given, and refuses whom it is told to."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from email.message import Message


class MailServer:
    def __init__(self) -> None:
        self.port = 0
        self.inbox: list[tuple[str, Message]] = []
        self.refused: dict[str, str] = {}  # address: the answer to RCPT TO

    def received_by(self, address: str) -> list[Message]:
        return [message for to, message in self.inbox if to == address]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []

        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say("220 mail.test")
        while line := (await reader.readline()).decode().rstrip():
            verb = line[:4].upper()
            if verb == "RCPT":
                address = line[line.index("<") + 1 : line.index(">")]
                answer = self.refused.get(address, "250 ok")
                recipients += [address] if answer.startswith("250") else []
                say(answer)
            elif verb == "DATA":
                say("354 go on")
                text = (await reader.readuntil(b"\r\n.\r\n")).decode()
                self.inbox += [(address, message_from_string(text)) for address in recipients]
                say("250 kept")
            elif verb == "QUIT":
                say("221 bye")
                break
            else:
                recipients = [] if verb in ("MAIL", "RSET") else recipients
                say("250 ok")
        writer.close()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server, loop = MailServer(), asyncio.new_event_loop()
    listening = loop.run_until_complete(asyncio.start_server(server.serve, "127.0.0.1", 0))
    server.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(listening.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
