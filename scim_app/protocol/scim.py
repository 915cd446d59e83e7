"""The SCIM endpoint of every organization, `/{org}/scim/v2`: one request, one transaction, one answer after COMMIT."""

import asyncio
from functools import partial
from http import HTTPStatus

import sqlalchemy as sa
import structlog
from scim2_models import PayloadTooLargeException, SCIMException
from scim2_server.requests import ScimRequest
from scim2_server.responses import SCIM_MEDIA_TYPE
from scim2_server.routing import Operation
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from scim_app.directory.events import Actor
from scim_app.errors import RETRY_SECONDS, StoreUnavailable
from scim_app.logs import write_line
from scim_app.protocol import hot
from scim_app.protocol.callers import KnownCallers, RateLimit, StrangerLimit, TooManyRequests
from scim_app.protocol.calls import WRITES, Call, Reply, switched_off, unauthorized
from scim_app.protocol.dialects import dialect_of
from scim_app.protocol.metrics import Metrics, route_of
from scim_app.protocol.operations import aftermath, serve
from scim_app.protocol.receive import read_body, read_loosely, read_object, read_path, size_for
from scim_app.protocol.recorder import Recorder, Trace
from scim_app.protocol.wire import Service, scim_error
from scim_app.protocol.writing import SHORT_WEIGHT
from scim_app.settings import Settings
from scim_app.store.credentials import tokens
from scim_app.store.credentials.credentials import Use
from scim_app.store.db import allowance
from scim_app.store.log.event_log import holding
from scim_app.store.log.session import Store
from scim_app.store.search.walks import Walks

log = structlog.get_logger("scim")

_EMPTY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_MEDIA_TYPE = (b"content-type", SCIM_MEDIA_TYPE.encode())


class ScimEndpoint:
    """Serves the SCIM requests of all organizations from one store."""

    def __init__(self, store: Store, settings: Settings, service: Service) -> None:
        self._store = store
        self._service = service
        self._settings = settings
        self._pepper = settings.read_pepper()
        self.recorder = Recorder(store)
        self.metrics = Metrics(store)
        self._rate = RateLimit(settings.rate_limit, settings.rate_burst)
        self._walks = Walks(store)
        self._known = KnownCallers()
        self._strangers = StrangerLimit(settings.anonymous_rate_limit, settings.anonymous_rate_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; whatever goes wrong, the answer is SCIM's."""
        trace = Trace(scope)
        try:
            reply = await self._serve(scope, receive, trace)
        except ClientDisconnect:
            return
        except Exception as problem:
            trace.problem = scim_error(problem)
            reply = failure(self._service, problem, trace.request_id)
        status = int(reply.status)
        self._note(trace, status)
        await send({"type": "http.response.start", "status": status, "headers": _headers(reply, trace.request_id)})
        await send({"type": "http.response.body", "body": reply.body})

    def _note(self, trace: Trace, status: int) -> None:
        """Log and count an answer; of the path only the route, since anything may be written in a path."""
        method, route = trace.scope["method"], route_of(trace.scope["path_params"]["path"])
        write_line(trace.at, request_id=trace.request_id, method=method, route=route, status=status, event="scim")
        self.recorder.add(trace.answer(status))
        self.metrics.add(method, route, status, trace.seconds)
        if trace.note:
            self.metrics.guessed()
        if status >= HTTPStatus.BAD_REQUEST:
            self.metrics.refused(trace.problem.scim_type if trace.problem else None)

    async def _serve(self, scope: Scope, receive: Receive, trace: Trace) -> Reply:
        path = read_path(scope)
        if path == "/ServiceProviderConfig" and scope["method"] in ("GET", "HEAD"):
            # Readable without a token, so that clients learn how to get one (RFC 7643 §5).
            if not trace.token:
                self._strangers.require(trace.host)
            scim_request = self._scim_request(Request(scope), path)
            return Reply.of(self._service.service_provider_config(scim_request.url, scim_request.query))
        if not trace.token:  # before anything is looked up
            self._strangers.require(trace.host)
            raise unauthorized()
        question = hot.read(scope, path)
        look = partial(self._look, question=question, trace=trace)
        # A file answers before anything could be awaited, and a deadline costs as much as the look-up.
        looked = self._store.glance_briefly(look) if self._store.is_file else self._known_writer(trace, path)
        if looked and looked[1]:
            return looked[1]
        async with asyncio.timeout(self._settings.request_seconds):
            caller, reply = looked or await self._store.glancing(look)
            return reply or await self._serve_caller(Request(scope, receive), path, caller, trace)

    async def _serve_caller(self, request: Request, path: str, caller: tokens.Caller, trace: Trace) -> Reply:
        service, scim_request = self._service, self._scim_request(request, path)
        method, target = scim_request.method, service.match(scim_request)
        actor = Actor(name=caller.token_id, idp=caller.idp, request_id=trace.request_id, method=method, path=path)
        dialect = dialect_of(caller.idp, request.headers.get("user-agent"))
        call = Call(service, scim_request, target, caller, actor, dialect)
        writing = method in WRITES and target.operation is not Operation.search_with_body
        try:
            if not caller.scim_enabled:
                raise switched_off()
            if method in WRITES and method != "DELETE":
                await self._read(request, call, trace)
            reply = await serve(self._store, call)
            trace.note = call.note
            return reply
        except asyncio.CancelledError:  # out of time: nobody waits for what is done now
            for work in aftermath(call, None) if writing else ():
                self._store.submit(work, caller.org_id)
            raise
        except Exception as problem:
            after = aftermath(call, scim_error(problem)) if writing else iter(())
            for work in after if call.weight <= SHORT_WEIGHT else await asyncio.to_thread(list, after):
                await asyncio.wrap_future(self._store.submit(work, caller.org_id))
            raise

    @staticmethod
    async def _read(request: Request, call: Call, trace: Trace) -> None:
        """Read the body of a write; one that is refused may tell somebody to leave all the same."""
        size = size_for(call.target)
        body = await read_body(request, size)
        call.weight, trace.size = allowance.weight_of(body), len(body)
        try:
            call.body = trace.body = await read_object(request, body, size)
        except PayloadTooLargeException:
            raise
        except SCIMException:
            call.refused_body = await read_loosely(body)
            raise

    def _look(
        self, connection: sa.Connection, question: hot.Question | None, trace: Trace
    ) -> tuple[tokens.Caller, Reply | None]:
        """Return who calls, and the answer where the question is one that can be answered at once."""
        caller = self._authenticate(connection, trace)
        self._admit(caller, trace)
        if question is None or not caller.scim_enabled:
            return caller, None
        base_url = self._settings.scim_base_url(trace.slug)
        return caller, hot.answer(connection, caller, base_url, question, self._walks)

    def _known_writer(self, trace: Trace, path: str) -> tuple[tokens.Caller, None] | None:
        """Return who writes, where that need not be asked of a server once more."""
        caller = self._known.writer(trace.slug, trace.token, trace.scope["method"], path)
        if caller is None:
            return None
        self._admit(caller, trace)
        return caller, None

    def _admit(self, caller: tokens.Caller, trace: Trace) -> None:
        if trace.token_id is None:  # an answer that took too long is begun again elsewhere
            trace.token_id = caller.token_id
            self._rate.require(caller.token_id)

    def _scim_request(self, request: Request, path: str) -> ScimRequest:
        scope = request.scope
        return ScimRequest(
            method="GET" if scope["method"] == "HEAD" else scope["method"],
            base_url=self._settings.scim_base_url(scope["path_params"]["org"]),
            path=path,
            query=dict(request.query_params) if scope["query_string"] else {},
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        )

    def _authenticate(self, connection: sa.Connection, trace: Trace) -> tokens.Caller:
        """Return who calls."""
        caller = tokens.authenticate(connection, trace.slug, trace.token, self._pepper)
        if caller is None:
            self._strangers.require(trace.host)
            trace.fault, trace.token_id = tokens.fault(connection, trace.slug, trace.token, self._pepper)
            raise unauthorized()
        if not self._store.is_file:
            self._known.note(trace.slug, trace.token, caller)
        if (caller.last_used_at or "")[:16] != trace.at[:16]:
            use = Use(trace.host or None, trace.headers.get(b"user-agent", b"").decode("latin-1") or None)
            noting = holding(caller.org_id, lambda c: tokens.note_use(c, caller.token_id, use))
            self._store.submit(noting, caller.org_id)
        return caller


def _headers(reply: Reply, request_id: str) -> list[tuple[bytes, bytes]]:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    headers.append((b"x-request-id", request_id.encode()))
    if reply.status not in _EMPTY:
        headers += [(b"content-length", b"%d" % len(reply.body)), _MEDIA_TYPE]
    return headers


def failure(service: Service, problem: Exception, request_id: str) -> Reply:
    """Return the SCIM error body for a problem; one of our own is logged, and told as 500 without a word of it."""
    error = scim_error(problem)
    if error is None or isinstance(problem, StoreUnavailable):
        log.error("failed", request_id=request_id, exc_info=problem)
    reply = Reply.of(service.error_response(error or problem))
    if reply.status == HTTPStatus.SERVICE_UNAVAILABLE:
        reply.headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(problem, TooManyRequests):
        reply.headers["Retry-After"] = str(problem.seconds)
    return reply
