"""Tenants take turns: who may go on, who waits, and nobody is forgotten."""

from __future__ import annotations

import http.client
import json
import random
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scim_server.turns import UNKNOWN, Turns
from tests.clock import Clock
from tests.server import Server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns[str]:
    return Turns(4, clock)


def test_who_is_alone_has_all_threads(turns: Turns[str]) -> None:
    assert [turns.begin("a", str(n)) for n in range(5)] == [True] * 4 + [False]
    assert turns.end("a") == ["4"]
    assert turns.end("a") == []


def test_beside_others_each_has_one(turns: Turns[str]) -> None:
    assert turns.begin("b", "b0")
    assert [turns.begin("a", f"a{n}") for n in range(4)] == [True, False, False, False]
    assert [turns.end("a"), turns.end("a")] == [["a1"], ["a2"]]
    assert turns.end("b") == []
    assert turns.begin("b", "b1")


def test_when_the_others_are_gone_all_threads_are_had_again(turns: Turns[str], clock: Clock) -> None:
    assert turns.begin("b", "b0")
    assert turns.end("b") == []
    assert [turns.begin("a", f"a{n}") for n in range(6)] == [True] + [False] * 5
    clock.now += 3
    assert turns.end("a") == ["a1", "a2", "a3", "a4"]
    assert turns.end("a") == ["a5"]


def test_a_request_under_way_keeps_its_tenant_present(turns: Turns[str], clock: Clock) -> None:
    assert turns.begin("b", "takes long")
    clock.now += 60
    assert turns.begin("a", "a0")
    assert not turns.begin("a", "a1")
    assert turns.end("b") == []


def test_the_first_request_of_a_client_holds_nobody_up_afterwards(turns: Turns[str]) -> None:
    """It comes before anybody knows whose it is."""
    assert turns.begin(UNKNOWN, "first")
    assert turns.end(UNKNOWN) == []
    assert [turns.begin("a", str(n)) for n in range(4)] == [True] * 4


def test_who_is_not_known_may_take_long(turns: Turns[str], clock: Clock) -> None:
    """Longer than anybody is remembered for."""
    assert turns.begin(UNKNOWN, "slow")
    assert turns.begin("a", "a0")
    clock.now += 60
    assert turns.end(UNKNOWN) == []
    assert turns.end("a") == []
    assert turns.begin(UNKNOWN, "slow")
    clock.now += 60
    assert turns.begin("a", "a0")
    assert turns.end(UNKNOWN) == []


def test_who_is_not_known_has_a_place_while_he_is_there(turns: Turns[str]) -> None:
    assert turns.begin(UNKNOWN, "guess")
    assert [turns.begin("a", str(n)) for n in range(2)] == [True, False]
    assert not turns.begin(UNKNOWN, "another guess")
    assert turns.end(UNKNOWN) == ["another guess"]


@pytest.mark.parametrize(
    ("others", "waiting", "took", "rest"),
    [(True, True, 0.01, 0.01), (True, True, 9.0, 0.1), (True, False, 0.01, 0.0), (False, False, 0.01, 0.0), (False, True, 0.01, 0.0)],
)
def test_who_floods_others_works_half_the_time(
    turns: Turns[str], clock: Clock, others: bool, waiting: bool, took: float, rest: float
) -> None:
    if others:
        turns.begin("b", "b0")
    for n in range((2 if others else 5) if waiting else 1):
        turns.begin("a", f"a{n}")
    assert turns.rest("a", took) == rest


def test_every_request_goes_on_exactly_once() -> None:
    """Whatever the order in which three tenants' requests begin and end."""
    random_ = random.Random(7)
    clock = Clock()
    turns: Turns[tuple[str, int]] = Turns(4, clock)
    under_way: list[tuple[str, int]] = []
    begun: list[tuple[str, int]] = []
    for number in range(3000):
        clock.now += random_.random()
        request = (random_.choice("abc"), number)
        if turns.begin(request[0], request):
            under_way.append(request)
            begun.append(request)
        while under_way and random_.random() < 0.7:
            done = under_way.pop(random_.randrange(len(under_way)))
            released = turns.end(done[0])
            under_way += released
            begun += released
    while under_way:
        released = turns.end(under_way.pop()[0])
        under_way += released
        begun += released
    assert sorted(begun, key=lambda each: each[1]) == sorted(set(begun), key=lambda each: each[1])
    assert len(begun) == 3000


def test_all_who_wait_are_answered(tmp_path: Path) -> None:
    """One process of two threads; twelve connections of one tenant and one of another, each with a body that must arrive whole."""
    server = Server(tmp_path, WORKERS="1", THREADS="2")
    server.upgrade()
    server.start()
    try:
        noisy, quiet = server.new_client(), server.new_client()
        wrong: list[str] = []

        def work(token: str, name: str, number: int) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            for turn in range(number):
                user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": f"{name}-{turn}", "title": "x" * 3000}
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
                connection.request("POST", "/scim/v2/Users", json.dumps(user), headers)
                answer = connection.getresponse()
                body = json.loads(answer.read())
                if answer.status != 201 or body["userName"] != user["userName"]:
                    wrong.append(f"{name}-{turn}: {answer.status} {body}")
            connection.close()

        threads = [threading.Thread(target=work, args=(noisy, f"noisy{n}", 15)) for n in range(12)]
        threads.append(threading.Thread(target=work, args=(quiet, "quiet", 30)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
    finally:
        assert server.stop() == 0


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[Server]:
    """It gives those who are slow to send a second."""
    server = Server(tmp_path, WORKERS="1", THREADS="2")
    server.program = [sys.executable, "-c", "from scim_server import cli, server; server._LONGEST_ARRIVAL_S = 1.0; cli.main()"]
    server.upgrade()
    server.start()
    yield server
    server.stop()


def status(server: Server, path: str, token: str | None = None) -> int:
    """Of one request on a connection of its own; 0 if there is no answer within a few seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=4)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def stalled(server: Server, text: str) -> socket.socket:
    """A client that sends this and no more."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    client.sendall(text.encode())
    return client


BEGINNINGS = {
    "headers": "GET /scim/v2/Us",
    "body": "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ng",
    "body of a tenant": "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 100\r\n\r\n{{",
}


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_who_does_not_go_on_sending_holds_up_nobody_for_long(one_process: Server, beginning: str) -> None:
    """More of them than there are threads: they are given up, and everybody else is served again."""
    noisy, quiet = one_process.new_client(), one_process.new_client()
    assert status(one_process, "/scim/v2/Users", quiet) == 200
    clients = [stalled(one_process, BEGINNINGS[beginning].format(token=noisy)) for _ in range(4)]
    deadline = time.monotonic() + 40
    while not (status(one_process, "/scim/v2/Users", quiet) == 200 and status(one_process, "/readyz") == 200):
        assert time.monotonic() < deadline
    for client in clients:
        client.close()


def test_a_client_that_stays_when_all_is_said_holds_up_nobody(one_process: Server) -> None:
    """It asked for the connection to be closed, and does not close its own side."""
    token = one_process.new_client()
    clients = []
    for _ in range(6):
        client = stalled(one_process, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while more := client.recv(65536):
            answer += more
        assert answer.startswith(b"HTTP/1.1 200")
        clients.append(client)
        began = time.monotonic()
        assert status(one_process, "/scim/v2/Users", token) == 200
        assert time.monotonic() - began < 1.5, "as if the main loop had waited for the client to leave"
    for client in clients:
        client.close()
