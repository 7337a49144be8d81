"""PostgreSQL: a transaction is one exchange, or as many as there are results that somebody waits for.

The driver is used for connecting, for its errors, and for libpq's own calls (``psycopg.pq``): its
cursors would cost four times as much as the exchange itself. An exchange is a pipeline: all
statements go out together, each prepared at its first use on a connection, and the server
answers them in order up to the end of the exchange.
"""

from __future__ import annotations

import math
import select
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, TypeAlias

import psycopg
import sqlalchemy
from psycopg import pq
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from scim_server.store.connections import NOT_SO, Connection, Database, Message, Row, Values
from scim_server.store.errors import StoreError, Taken
from scim_server.store.statements import Sql

_MAX_PREPARED = 256
"""Statements that one connection keeps prepared."""
_PATIENCE_MS = 90_000
"""How long to wait for a sign of life: longer than the server lets any statement take."""
_GLANCE_MS = 1_000
"""How often to look without a sign: TLS may hold the end of an answer that the socket has given already."""

_PLANS_LAST_S = 10
"""How long plans are kept. One that was made while the tables were small reads a whole index for one row when they have grown."""

# No statement may hold a worker for ever; a lock not had after 10 s is answered with "try again".
# Every statement has an index to go by, whatever its parameters are: planning it for each of them
# costs more than running it, and so does compiling it. See docs/decisions/selective-column-first.md.
_OPTIONS = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}

# Until the end of the transaction, which is that of the exchange where none was begun: see migrations/versions/0002.
_ENTER = Sql("SELECT set_config('scim.tenant', $1, true)", ("tenant_id",))
_BEGIN, _COMMIT, _ROLLBACK, _PLAN_ANEW = (Message(Sql(text), {}) for text in ("BEGIN", "COMMIT", "ROLLBACK", "DISCARD PLANS"))
_BEGIN_PICTURE = Message(Sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), {})
_NO_HURRY = Message(Sql("SET LOCAL idle_in_transaction_session_timeout = 0"), {})
_POLICIES = """
SELECT count(*), bool_and(row_security_active(oid)) FROM pg_class
WHERE relrowsecurity AND relkind = 'r' AND relnamespace = CAST(current_schema() AS regnamespace)
"""
_DONE = {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}
_UNTIL = "scim_server.until"
_WITHOUT_ROLE_S = 30
_OUTDATED = {"0A000", "26000"}
"""What a server says of a prepared statement when the tables have changed, or when it has lost it."""

_Parameters: TypeAlias = tuple[list[bytes | None], list[pq.Format] | None]

_LOADS: dict[int, Callable[[bytes], Any]] = {
    16: b"t".__eq__,
    17: lambda hexadecimal: bytes.fromhex(hexadecimal[2:].decode()),
    20: int,
    21: int,
    23: int,
}
"""By type (boolean, bytea, bigint, smallint, integer); every other value is read as text."""


def create_engine(address: URL, role: str | None, **pool: Any) -> Engine:
    """A pool of connections in the driver's autocommit mode. They work under that role: whoever logs in has no more than its rights."""
    engine = sqlalchemy.create_engine(
        address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", connect_args=_arguments(address), **pool
    )
    if role is not None:
        event.listen(engine, "connect", lambda connection, record: _set_up(connection, record, role))
    return engine


def _set_up(connection: psycopg.Connection[Any], record: ConnectionPoolEntry, role: str) -> None:
    try:
        _take_on(connection, record, role)
    except BaseException:
        connection.close()
        raise


def _take_on(connection: psycopg.Connection[Any], record: ConnectionPoolEntry, role: str) -> None:
    """Work under the role; where it cannot be had, as who has logged in (see migrations.roles). Policies must hold for either.

    Without the role a connection is used for a short time only: an upgrade may make one, and lift what was put in its place.
    """
    missing: psycopg.Error | None = None
    try:
        connection.execute(SQL("SET ROLE {}").format(Identifier(role)))
    except (psycopg.errors.InvalidParameterValue, psycopg.errors.InsufficientPrivilege) as error:
        missing = error
    tables, hold = connection.execute(_POLICIES).fetchone() or (0, None)
    if missing is not None:
        if not hold:
            raise missing
        record.info[_UNTIL] = time.monotonic() + _WITHOUT_ROLE_S
    if tables and not hold:
        raise psycopg.OperationalError(f"row-level security does not hold for the role {role}: name another one in DATABASE_ROLE")


def _arguments(address: URL) -> dict[str, Any]:
    """What the URL does not say itself. Its own ``options`` come last, and so win."""
    given = address.query.get("options", "")
    settings = [f"-c {name}={value}" for name, value in _OPTIONS.items()]
    arguments: dict[str, Any] = {"connect_timeout": 5, "application_name": "scim-server"}
    for name in arguments.keys() & address.query.keys():
        del arguments[name]
    return {
        **arguments,
        "client_encoding": "utf8",
        "options": " ".join([*settings, *([given] if isinstance(given, str) else given)]),
    }


class PostgreSQL(Database):
    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, PGDialect_psycopg(paramstyle="numeric_dollar"))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it so

    def checkout(self) -> PoolProxiedConnection:
        connection = super().checkout()
        while _wire(connection).hung_up() or connection.info.get(_UNTIL, math.inf) < time.monotonic():
            connection.invalidate()
            connection = super().checkout()
        return connection

    def connection(self, *, transaction: bool, picture: bool = False) -> Connection:
        return _PostgreSQLConnection(self, transaction=transaction, picture=picture)


class _PostgreSQLConnection(Connection):
    _wire: _Wire

    def __init__(self, database: Database, *, transaction: bool, picture: bool) -> None:
        super().__init__(database, transaction=transaction, picture=picture)
        self._beginning = _BEGIN_PICTURE if picture else _BEGIN
        self._waiting: list[Message] = []
        self._begun = False
        self._entered = False

    def enter(self, tenant_id: str) -> None:
        super().enter(tenant_id)
        self._entered = False

    def _use(self, held: PoolProxiedConnection) -> None:
        self._wire = _wire(held)

    def _rows(self, sql: Sql, values: Values) -> list[Row]:
        return self._exchange(Message(sql, values))

    def _later(self, message: Message) -> None:
        if self._transaction:
            self._waiting.append(message)
        else:
            self._exchange(message)

    def _demand(self, message: Message) -> None:
        self._later(message)

    def _begin(self) -> None:
        self._waiting.append(self._beginning)
        if self._picture:  # whoever reads it may pause
            self._waiting.append(_NO_HURRY)

    def _commit(self) -> None:
        self._exchange(_COMMIT)

    def _rollback(self) -> None:
        self._waiting.clear()
        if self._begun:
            self._exchange(_ROLLBACK)

    def _exchange(self, message: Message) -> list[Row]:
        """What waits to be sent, and this: its rows."""
        batch = [*self._waiting, message]
        self._waiting.clear()
        if self._tenant_id is not None and not self._entered:
            batch.insert(1 if batch[0] is self._beginning else 0, Message(_ENTER, {"tenant_id": self._tenant_id}))
            self._entered = self._transaction
        self._begun = self._transaction
        return self._wire.exchange(batch)


@dataclass(slots=True)
class _Prepared:
    """A statement that the server knows by name. ``loads`` make a row's values of its texts; known after the first rows."""

    name: bytes
    loads: tuple[Callable[[bytes], Any], ...] | None = None


class _Answer(NamedTuple):
    """What an answer is to: a statement that is prepared (its text), or one that is run (what is taken, or not so, if it fails)."""

    prepares: str | None = None
    taken: str | None = None
    otherwise: type[StoreError] | None = None


class _Wire:
    """One driver connection, spoken to in exchanges. It lives as long as the connection does."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self._driver = driver
        self._pgconn = driver.pgconn
        self._prepared: OrderedDict[str, _Prepared] = OrderedDict()
        self._names = map(b"scim_%d".__mod__, count())
        self._planned = time.monotonic()
        self._silent_ms = 0
        self._readable, self._ready = select.poll(), select.poll()
        self._readable.register(self._pgconn.socket, select.POLLIN)
        self._ready.register(self._pgconn.socket, select.POLLIN | select.POLLOUT)

    def hung_up(self) -> bool:
        """Whether an idle connection has something to read: then it is the server's good-bye."""
        return self._driver.closed or bool(self._readable.poll(0))

    def exchange(self, batch: Sequence[Message]) -> list[Row]:
        """Run all statements, in their order; the rows of the last. Raises what the first failure is: the store's error or the driver's."""
        now = time.monotonic()
        if now - self._planned > _PLANS_LAST_S and self._pgconn.transaction_status == pq.TransactionStatus.IDLE:
            self._planned = now
            self._run([_PLAN_ANEW])
        return self._run(batch)

    def _run(self, batch: Sequence[Message]) -> list[Row]:
        parameters = [_parameters(each.sql.names, each.values) for each in batch]
        try:
            self._pgconn.enter_pipeline_mode()
            result, failure = self._receive(self._send(batch, parameters))
            self._pgconn.exit_pipeline_mode()
        except BaseException:
            self._driver.close()  # left half-way, so that nobody could tell whose answer comes next
            raise
        if failure is not None:
            if isinstance(failure, psycopg.Error) and failure.sqlstate in _OUTDATED:
                self._driver.close()
            raise failure
        return _rows(self._prepared[batch[-1].sql.text], result)

    def _send(self, batch: Sequence[Message], parameters: Sequence[_Parameters]) -> list[_Answer]:
        """Send the statements. What will be answered to, in order."""
        pgconn, prepared = self._pgconn, self._prepared
        answers: list[_Answer] = []
        # Nothing may stand before the beginning of a picture.
        evicts = pgconn.transaction_status != pq.TransactionStatus.INERROR and batch[0] is not _BEGIN_PICTURE
        while evicts and len(prepared) > _MAX_PREPARED:
            _, oldest = prepared.popitem(last=False)
            pgconn.send_query_params(b"DEALLOCATE " + oldest.name, None)
            answers.append(_Answer())
        for message, (values, formats) in zip(batch, parameters, strict=True):
            text = message.sql.text
            known = prepared.get(text)
            if known is None:
                known = prepared[text] = _Prepared(next(self._names))
                pgconn.send_prepare(known.name, text.encode())
                answers.append(_Answer(prepares=text))
            else:
                prepared.move_to_end(text)
            pgconn.send_query_prepared(known.name, values, formats)
            answers.append(_Answer(None, message.taken, message.otherwise))
        pgconn.pipeline_sync()
        while pgconn.flush():
            self._look(self._ready)  # reading as well, so that neither side waits for the other to read
        return answers

    def _receive(self, answers: Sequence[_Answer]) -> tuple[pq.abc.PGresult, Exception | None]:
        """The last result, and the first failure, if there was one. What was not prepared after it is forgotten."""
        result, failure = None, None
        for answer in answers:
            result = self._result()
            if result is None:
                break
            if result.status not in _DONE:
                failure = failure or _failure(result, answer)
                if answer.prepares is not None:
                    del self._prepared[answer.prepares]
            self._result()  # None: the end of what one statement gives
        if result is None:
            raise psycopg.OperationalError("the server gave no answer")
        self._result()  # the end of the exchange
        return result, failure

    def _result(self) -> pq.abc.PGresult | None:
        while self._pgconn.is_busy():
            self._look(self._readable)
        return self._pgconn.get_result()

    def _look(self, poll: select.poll) -> None:
        """Wait until there is something to do, and take in what there is to read."""
        if poll.poll(min(_GLANCE_MS, _PATIENCE_MS)):
            self._silent_ms = 0
        else:
            self._silent_ms += _GLANCE_MS
            if self._silent_ms >= _PATIENCE_MS:
                raise psycopg.OperationalError("the server does not answer")
        self._pgconn.consume_input()


def _wire(held: PoolProxiedConnection) -> _Wire:
    """The wire of a pooled connection: made with it, gone with it."""
    wire = held.info.get(_Wire)
    if wire is None:
        wire = held.info[_Wire] = _Wire(held.driver_connection)  # type: ignore[arg-type]  # a psycopg.Connection
    return wire


def _parameters(names: Sequence[str], values: Values) -> _Parameters:
    """Values as libpq takes them: texts, but for bytes, which are as they are; what type they are the statement says."""
    given = [values[name] for name in names]
    formats = None
    if any(isinstance(value, bytes) for value in given):
        formats = [pq.Format.BINARY if isinstance(value, bytes) else pq.Format.TEXT for value in given]
    return [_dump(value) for value in given], formats


def _dump(value: Any) -> bytes | None:
    if isinstance(value, str):
        if "\0" in value:
            raise psycopg.DataError("PostgreSQL's texts hold no NUL")  # libpq would end the text there
        return value.encode()
    if value is None or isinstance(value, bytes):
        return value
    return str(value).encode()


def _rows(prepared: _Prepared, result: pq.abc.PGresult) -> list[Row]:
    loads = prepared.loads
    if loads is None:
        loads = prepared.loads = tuple(_LOADS.get(result.ftype(column), bytes.decode) for column in range(result.nfields))
    return [
        tuple([None if (text := result.get_value(row, column)) is None else load(text) for column, load in enumerate(loads)])
        for row in range(result.ntuples)
    ]


def _failure(result: pq.abc.PGresult, answer: _Answer) -> Exception:
    """Taken, what was demanded, or the error that the driver would raise."""
    state = result.error_field(pq.DiagnosticField.SQLSTATE)
    message = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message
    kind: type[psycopg.Error] = psycopg.OperationalError
    if state is not None:
        try:
            kind = psycopg.errors.lookup(state.decode())
        except KeyError:
            kind = psycopg.DatabaseError
    if answer.taken is not None and kind is psycopg.errors.UniqueViolation:
        return Taken(answer.taken)
    if answer.otherwise is not None and kind is psycopg.errors.DivisionByZero:
        return answer.otherwise(NOT_SO)
    return kind(message.decode(errors="replace"))
