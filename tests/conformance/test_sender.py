"""Patience: what is repeated, for how long, and what is then said of it. The requests are real, the time between them is not."""

import threading
from collections.abc import Callable

import pytest

from conformance.entra.sender import CredentialRefused, GaveUp, Sender, error_detail
from conformance.entra.tally import Difference, Tally, percentile
from conformance.wire import Response, Wire
from tests.conformance.fake import Fake, Fault


class Clock(threading.Event):
    """Stands in for the time of senders, and for their event to stop: a pause takes no time but is seen on the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.now += timeout
        return self.is_set()

    def sender(self, wire: Wire, tally: Tally, seconds: float) -> Sender:
        sender = Sender(wire, tally, seconds)
        sender.stop = self
        return sender

    def send(self, fault: Callable[[str, str, int], Fault], seconds: float, method: str = "POST") -> tuple[Response | GaveUp, Tally]:
        tally = Tally()
        with Fake(fault) as fake, Wire(fake.url, "x", timeout=0.5) as wire:
            try:
                answer = self.sender(wire, tally, seconds).send("try", method, "/Users", {"userName": "a"} if method == "POST" else None)
            except GaveUp as error:
                return error, tally
        return answer, tally


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("conformance.entra.sender.time", clock)
    return clock


def test_trouble_that_passes_is_waited_for(clock: Clock) -> None:
    faults: list[Fault] = ["before", 503, 429, 502, None]
    answer, tally = clock.send(lambda method, path, number: faults[number - 1], 30)
    assert isinstance(answer, Response)
    assert answer.status == 201
    counts = tally.counts
    assert (counts.requests, counts.retries, counts.unreachable, counts.server_errors, counts.throttled) == (5, 4, 1, 2, 1)


def test_retry_after_is_honoured(clock: Clock) -> None:
    begun = clock.now
    answer, _ = clock.send(lambda method, path, number: 429 if number == 1 else None, 30)
    assert isinstance(answer, Response)
    assert clock.now - begun >= 0.2 * 0.6


def test_lost_answer_shows_as_the_conflict_of_the_repetition(clock: Clock) -> None:
    answer, _ = clock.send(lambda method, path, number: "after" if number == 1 else None, 30)
    assert isinstance(answer, Response)
    assert answer.status == 409


@pytest.mark.parametrize(
    ("fault", "method", "doubtful"),
    [("after", "POST", True), (503, "POST", True), (503, "GET", False), (429, "POST", False)],
)
def test_patience_ends(fault: Fault, method: str, doubtful: bool, clock: Clock) -> None:
    error, tally = clock.send(lambda method, path, number: fault, 0.3, method)
    assert isinstance(error, GaveUp)
    assert error.doubtful is doubtful
    assert tally.counts.gave_up == 1


def test_refused_connection_is_not_doubtful(clock: Clock) -> None:
    tally = Tally()
    with Wire("http://127.0.0.1:9", "x") as wire, pytest.raises(GaveUp) as caught:
        clock.sender(wire, tally, 0.2).send("try", "POST", "/Users", {})
    assert not caught.value.doubtful


def test_a_plain_500_is_not_repeated_for_ever(clock: Clock) -> None:
    error, tally = clock.send(lambda method, path, number: 500, 600)
    assert isinstance(error, GaveUp)
    assert tally.counts.requests == 4


def test_when_all_is_dead_the_second_object_does_not_wait_again(clock: Clock) -> None:
    with Wire("http://127.0.0.1:9", "x") as wire:
        sender = clock.sender(wire, Tally(), 0.4)
        for _ in range(2):
            begun = clock.now
            with pytest.raises(GaveUp):
                sender.send("try", "GET", "/Users")
        assert clock.now - begun < 0.2
        sender.grant_patience()
        begun = clock.now
        with pytest.raises(GaveUp):
            sender.send("try", "GET", "/Users")
        assert clock.now - begun > 0.3


def test_a_refused_credential_stops_everything(clock: Clock) -> None:
    with Fake(lambda method, path, number: 401) as fake, Wire(fake.url, "x") as wire, pytest.raises(CredentialRefused, match="fault 401"):
        clock.sender(wire, Tally(), 5).send("try", "GET", "/Users")


def test_error_detail_of_other_bodies_is_their_beginning() -> None:
    def answer(body: bytes) -> Response:
        return Response(400, {}, body, 0.0)  # type: ignore[arg-type]  # headers are not looked at

    assert error_detail(answer(b'{"scimType":"invalidPath","detail":"no"}')) == ("invalidPath", "no")
    assert error_detail(answer(b"<html>\n<b>Bad</b>")) == ("", "<html> <b>Bad</b>")
    assert error_detail(answer(b"[1]")) == ("", "[1]")


def test_percentile_is_the_nearest_rank() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50.0, 95.0, 99.0, 100.0]
    assert percentile([3.0], 0.5) == 3.0
    assert percentile([], 0.5) == 0.0


def test_a_finding_met_again_counts_once() -> None:
    tally = Tally()
    for cycle in (1, 2):
        tally.find(Difference("lost", "User", "a", "1", "title", "x", None, cycle=cycle))
    assert len(tally.findings) == 1
