# SPDX-License-Identifier: Apache-2.0
"""The data channel in Python, for tests: frames by hand, sources and destinations at the other end of a socket."""
import json
import os
import socket
import struct
import time


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return n << 1 if n >= 0 else (-n << 1) - 1


def field(number, payload):
    """A field with bytes, or (an int) with a varint."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def frame(body):
    return varint(len(body)) + body


PROBE = b"\x02\x1a\x00"


def value(v):
    """A value as its JSON type suggests; bytes are taken as an encoded value."""
    if v is None:
        return field(13, 1)
    if isinstance(v, bytes):
        return v
    if isinstance(v, bool):
        return field(1, int(v))
    if isinstance(v, int):
        return field(3, zigzag(v))
    if isinstance(v, float):
        return varint(5 << 3 | 1) + struct.pack("<d", v)
    if isinstance(v, str):
        return field(2, v.encode())
    return field(12, json.dumps(v).encode())


def record_frame(stream, values, partition="", namespace=None, emitted_at=1700000000000):
    body = field(1, namespace.encode()) if namespace is not None else b""
    body += field(2, stream.encode()) + field(3, emitted_at)
    if partition:
        body += field(4, partition.encode())
    return frame(field(1, body + b"".join(field(5, value(v)) for v in values)))


def message_frame(message):
    return frame(field(2, message if isinstance(message, bytes) else json.dumps(message).encode()))


def read_varint(data, at):
    n = shift = 0
    while True:
        byte = data[at]
        n |= (byte & 0x7f) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return n, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            payload, at = read_varint(data, at)
        elif tag & 7 == 1:
            payload, at = data[at:at + 8], at + 8
        else:
            assert tag & 7 == 2, tag
            n, at = read_varint(data, at)
            payload, at = data[at:at + n], at + n
            assert len(payload) == n
        yield tag >> 3, payload


def frames(data):
    """("record", {…}), ("message", {…}) and ("probe", None) of whole frames."""
    at = 0
    while at < len(data):
        n, at = read_varint(data, at)
        body, at = data[at:at + n], at + n
        assert len(body) == n, "half a frame"
        (number, payload), = fields(body)
        if number == 3:
            yield "probe", None
        elif number == 2:
            yield "message", json.loads(payload)
        else:
            record = {"values": []}
            for number, inner in fields(payload):
                if number == 5:
                    record["values"].append(list(fields(inner)))
                elif number == 3:
                    record["emitted_at"] = inner
                elif number == 6:
                    record["meta"] = inner
                else:
                    record[{1: "namespace", 2: "stream", 4: "partition"}[number]] = inner.decode()
            yield "record", record


def environment(folder, n, form):
    paths = [os.path.join(folder, f"s{i}.sock") for i in range(1, n + 1)]
    return {"DATA_CHANNEL_MEDIUM": "SOCKET", "DATA_CHANNEL_FORMAT": form, "DATA_CHANNEL_SOCKET_PATHS": ",".join(paths)}, paths


def listen(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(1)
    return server


def connect(path, timeout=30):
    deadline = time.monotonic() + timeout * int(os.environ.get("SL_TEST_SLOWER", "1"))
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(path)
            return client
        except (FileNotFoundError, ConnectionRefusedError):
            client.close()
            assert time.monotonic() < deadline, f"nobody listens at {path}"
            time.sleep(0.01)


def read_all(client):
    data = bytearray()
    while chunk := client.recv(1 << 20):
        data += chunk
    return bytes(data)
