"""A mail server for measuring: takes everything, as fast as it can, in a process of its own, and counts Message-IDs."""

import asyncio
import multiprocessing
from multiprocessing.connection import Connection
from typing import Any, cast

import uvloop


class Sink:
    """The server for the time of a `with` block; `counts` gives distinct Message-IDs and all that was handed over."""

    def __init__(self) -> None:
        self.port = 0

    def __enter__(self) -> "Sink":
        """Start the process."""
        processes = multiprocessing.get_context("spawn")
        self._here, there = processes.Pipe()
        self._process: Any = processes.Process(target=_serve, args=(there,), daemon=True)
        self._process.start()
        self.port = self._here.recv()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()

    def counts(self) -> tuple[int, int]:
        """Distinct messages, and messages."""
        self._here.send(None)
        distinct, handed = self._here.recv()
        return distinct, handed


class _Smtp(asyncio.Protocol):
    """As much of SMTP as a client needs that sends."""

    seen: set[bytes] = set()
    handed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._buffer, self._data = cast(asyncio.Transport, transport), b"", False
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end = self._buffer.find(b"\r\n.\r\n" if self._data else b"\r\n")
            if end < 0:
                return
            if self._data:
                message, self._buffer = self._buffer[:end], self._buffer[end + 5 :]
                at = message.find(b"Message-ID:")
                _Smtp.seen.add(message[at : message.find(b"\r\n", at)])
                _Smtp.handed += 1
                self._data = False
                self._transport.write(b"250 taken\r\n")
                continue
            line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
            self._data = line[:4].upper() == b"DATA"
            answers = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
            self._transport.write(answers.get(line[:4].upper(), b"250 OK\r\n"))


def _serve(pipe: Connection) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Smtp, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])

        def tell() -> None:
            pipe.recv()
            pipe.send((len(_Smtp.seen), _Smtp.handed))

        loop.add_reader(pipe.fileno(), tell)
        await server.serve_forever()

    uvloop.run(serve())
