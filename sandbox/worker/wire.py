"""Messages between server, zygote and child: four bytes of length, then JSON; file descriptors ride along."""

import array
import json
import os
import socket
import struct
from collections.abc import Sequence

Message = dict[str, object]
_LENGTH = struct.Struct("!I")
HEAD = _LENGTH.size
MAX_BYTES = 4 * 1024 * 1024
MAX_FDS = 200  # the kernel's limit is 253 (SCM_MAX_FD)


def pack(message: Message) -> bytes:
    """Return `message` as it goes over the wire."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


def send(sock: socket.socket, message: Message, fds: Sequence[int] = ()) -> None:
    """Send one message, with copies of open file descriptors; raise OSError when the other side is gone."""
    data = pack(message)
    sent = socket.send_fds(sock, [data], list(fds)) if fds else sock.send(data)
    if sent < len(data):
        sock.sendall(data[sent:])


def receive(sock: socket.socket) -> tuple[Message, list[int]] | None:
    """Wait for one message and its file descriptors; return None when the other side has closed.

    Uses recvmsg for the length and read for the rest: the child's filter allows these and no more.
    Raises ValueError for a message that is too large or no JSON object.
    """
    size = array.array("i").itemsize
    head, ancillary, _, _ = sock.recvmsg(
        _LENGTH.size, socket.CMSG_SPACE(MAX_FDS * size), socket.MSG_CMSG_CLOEXEC
    )
    fds = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % size])
    head += _read(sock, _LENGTH.size - len(head)) if head else b""
    if len(head) < _LENGTH.size:
        return None
    body = _read(sock, length(head))
    return (decode(body), list(fds)) if len(body) == length(head) else None


def length(head: bytes, most: int = MAX_BYTES) -> int:
    """Return how many bytes follow the four bytes `head`; raise ValueError when that is too many."""
    size: int = _LENGTH.unpack(head)[0]
    if size > most:
        raise ValueError(f"a message of {size} bytes; at most {most} are allowed")
    return size


def decode(body: bytes) -> Message:
    """Return the JSON object in `body`; raise ValueError when it is none."""
    try:
        message = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(message, dict):
        raise ValueError("not a JSON object")
    return message


def _read(sock: socket.socket, count: int) -> bytes:
    chunks = []
    while count > 0:
        chunk = os.read(sock.fileno(), count)
        if not chunk:
            break
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)
