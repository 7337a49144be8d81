"""A DNS server on loopback, over UDP and TCP, that answers what a test wants: records, no such name, failure, nothing at all."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

NXDOMAIN, SERVFAIL, REFUSED = dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL, dns.rcode.REFUSED
NO_ANSWER, SILENCE, RUBBISH = "no answer", "silence", "rubbish"
_LARGEST_UDP = 512


class Nameserver:
    """``with Nameserver() as nameserver``. Names that it was told nothing about do not exist."""

    def __init__(self) -> None:
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._tcp.bind(("127.0.0.1", 0))
        self._udp.bind(self._tcp.getsockname())
        self._tcp.listen()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._serve_udp, self._serve_tcp)]
        self._records: dict[str, list[tuple[bytes, ...]]] = {}
        self._aliases: dict[str, str] = {}
        self._instead: dict[str, dns.rcode.Rcode | str] = {}
        self.asked: list[tuple[str, str]] = []
        """Every question: by which protocol, for which name."""

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._udp.getsockname()
        return host, port

    @property
    def setting(self) -> str:
        """The address as DNS_SERVERS has it."""
        return "{}:{}".format(*self.address)

    def has(self, name: str, *values: str | Iterable[bytes]) -> None:
        """From now on the name has these TXT records: texts, or the strings that one is made of."""
        self._instead.pop(name, None)
        self._records[name] = [(each.encode(),) if isinstance(each, str) else tuple(each) for each in values]

    def is_alias(self, name: str, target: str) -> None:
        self._aliases[name] = target

    def gives(self, name: str, instead: dns.rcode.Rcode | str) -> None:
        """From now on that is what comes in place of records."""
        self._instead[name] = instead

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        with suppress(OSError):
            self._tcp.shutdown(socket.SHUT_RDWR)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.address)
        for each in self._threads:
            each.join(10)
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            question, client = self._udp.recvfrom(65_535)
            if not question:
                return
            answer = self._answer(question, "udp")
            if answer and len(answer) > _LARGEST_UDP:
                cut = dns.message.make_response(dns.message.from_wire(question))
                cut.flags |= dns.flags.TC
                answer = cut.to_wire()
            if answer:
                self._udp.sendto(answer, client)

    def _serve_tcp(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            with client, client.makefile("rb") as received:
                (length,) = struct.unpack("!H", received.read(2))
                answer = self._answer(received.read(length), "tcp")
                if answer:
                    client.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, wire: bytes, protocol: str) -> bytes | None:
        question = dns.message.from_wire(wire)
        name = question.question[0].name.to_text(omit_final_dot=True)
        assert question.question[0].rdtype == dns.rdatatype.TXT
        self.asked.append((protocol, name))
        answer = dns.message.make_response(question, recursion_available=True)
        target = self._aliases.get(name, name)
        if target != name:
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{target}."))
        instead = self._instead.get(target)
        if instead in (SILENCE, RUBBISH):
            return None if instead == SILENCE else wire[:2] + b"\x84\x00\xff\xff"
        records = self._records.get(target, [])
        if isinstance(instead, dns.rcode.Rcode):
            answer.set_rcode(instead)
        elif instead is None and records:
            texts = [" ".join('"' + "".join(f"\\{byte:03d}" for byte in each) + '"' for each in strings) for strings in records]
            answer.answer.append(dns.rrset.from_text(f"{target}.", 60, "IN", "TXT", *texts))
        elif instead is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire(max_size=65_535)
