"""``python -m company_network --upstream PORT --directory DIR``: serves until stdin ends.

Whatever name the proxy is asked for, it leads to the emulator: with CONNECT to the TLS server in front of it,
else to itself. The TLS server's certificate is for ``localhost`` and ``*.rescind.test``. In DIR are the CA's
certificate (``ca.pem``), that of a CA that signed nothing here (``other.pem``), and what the proxy was asked
for (``asked``, a request line with its Proxy-Authorization each). The first line on stdout is JSON:
``{"proxy": "http://…", "tls": PORT}``.
"""
import argparse
import asyncio
import datetime
import json
import os
import ssl
import sys
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SERVES = ["localhost", "*.rescind.test"]


def certificate(name, issuer=None):
    """A certificate with its key: of a CA, or of the server when a CA issues it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    by, by_key = issuer if issuer else (None, key)
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        names = x509.SubjectAlternativeName([x509.DNSName(served) for served in SERVES])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(by_key, hashes.SHA256()), key


def pem(made):
    return made.public_bytes(serialization.Encoding.PEM)


async def pipe(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def join(reader, writer, port, first=b""):
    """Connects what comes to a port of this machine, both ways."""
    there, onwards = await asyncio.open_connection("127.0.0.1", port)
    onwards.write(first)
    await asyncio.gather(pipe(reader, onwards), pipe(there, writer))


async def serve(upstream, directory):
    issuer = certificate("A private CA")
    (directory / "ca.pem").write_bytes(pem(issuer[0]))
    (directory / "other.pem").write_bytes(pem(certificate("Another CA")[0]))
    made, key = certificate("AWS, as this company sees it", issuer)
    own = directory / "server.pem"
    encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    own.write_bytes(pem(made) + key.private_bytes(*encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    tls = await asyncio.start_server(lambda r, w: join(r, w, upstream), "127.0.0.1", 0, ssl=context)
    tls_port = tls.sockets[0].getsockname()[1]

    async def ask(reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        line, _, rest = head.partition(b"\r\n")
        authorization = [part for part in rest.split(b"\r\n") if part.lower().startswith(b"proxy-authorization:")]
        with open(directory / "asked", "a") as asked:
            asked.write(b" ".join([line, *authorization]).decode() + "\n")
        method, uri, _ = line.split(b" ")
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await join(reader, writer, tls_port)
        else:
            # One request a connection: each has its line.
            path = b"/" + uri.split(b"/", 3)[3]
            first = method + b" " + path + b" HTTP/1.1\r\nConnection: close\r\n" + rest
            await join(reader, writer, upstream, first)

    proxy = await asyncio.start_server(ask, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    print(json.dumps({"proxy": address, "tls": tls_port}), flush=True)
    await asyncio.Event().wait()


def exit_with_stdin():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(prog="company_network", description=__doc__)
    parser.add_argument("--upstream", type=int, required=True, help="the emulator's port")
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    threading.Thread(target=exit_with_stdin, daemon=True).start()
    asyncio.run(serve(arguments.upstream, arguments.directory))


if __name__ == "__main__":
    main()
