"""Records a notification, a call that a relay passes on, and its answer, as their processes would.

Prints what the spool would hold: a line of JSON for each record.
"""

import json
import sys

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from relayscope.conventions.attributes import SCOPE
from relayscope.instrumentation import Exchange, Levels
from relayscope.instrumentation.delivery.encoding.fields import unpack
from relayscope.instrumentation.delivery.encoding.record import pack_log, pack_span
from relayscope.instrumentation.recording.channel_log import ChannelLog
from relayscope.instrumentation.recording.message_log import MessageLog
from relayscope.instrumentation.recording.metrics import Durations
from relayscope.instrumentation.recording.spans import Spans
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.sanitizer import Sanitizer

_CALL = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}'
_ERROR = '{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"broken"}}'
_LIST = '{"jsonrpc":"2.0","id":"a","method":"tools/list"}'
_RESULT = '{"jsonrpc":"2.0","id":"a","result":{"tools":[]}}'
_NOTIFICATION = '{"jsonrpc":"2.0","method":"notifications/initialized"}'

_sanitizer = Sanitizer.default()


def _show(record: bytes) -> None:
    sys.stdout.write(json.dumps(unpack(record)._asdict(), default=bytes.hex) + "\n")


class _SpanPrinter(SpanProcessor):
    def on_end(self, span: ReadableSpan) -> None:
        _show(pack_span(span, 1, _sanitizer, None))


class _RecordPrinter(LogRecordProcessor):
    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        _show(pack_log(log_record, 1, _sanitizer, None))

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 0) -> bool:  # noqa: ARG002  # the SDK's signature
        return True


def _main() -> None:
    resource = Resource({"service.name": "relay"})
    tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource)
    tracers.add_span_processor(_SpanPrinter())
    loggers.add_log_record_processor(_RecordPrinter())
    tracer, logger = tracers.get_tracer(SCOPE), loggers.get_logger(SCOPE)
    durations = Durations(NoOpMeterProvider().get_meter(SCOPE))
    exchange = Exchange(
        Spans(tracer, _sanitizer, durations),
        MessageLog(logger, _sanitizer),
        ChannelLog(logger, _sanitizer),
        Levels(),
    )
    traffic = TextExchange(exchange)
    client, backend = Channel.of_pipes("client"), Channel.of_pipes("backend")
    traffic.received(client, _NOTIFICATION)
    for request, answer in ((_CALL, _ERROR), (_LIST, _RESULT)):
        traffic.received(client, request)
        traffic.sending(backend, request)
        traffic.received(backend, answer)
        traffic.sending(client, answer)
    traffic.closed(backend)
    traffic.closed(client)


_main()
