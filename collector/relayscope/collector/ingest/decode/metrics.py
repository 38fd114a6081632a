"""Metric data points of all five kinds to rows; what only one kind has is JSON in `detail`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from relayscope.collector.ingest.decode.rows import mark
from relayscope.collector.ingest.decode.values import attributes, jsonb, number
from relayscope.storage.rows import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )
    from opentelemetry.proto.metrics.v1.metrics_pb2 import (
        Exemplar,
        ExponentialHistogramDataPoint,
        HistogramDataPoint,
        Metric,
        NumberDataPoint,
        SummaryDataPoint,
    )

    from relayscope.collector.ingest.decode.rows import Decoded
    from relayscope.sanitizer import Sanitizer

    Point: TypeAlias = (
        NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint | SummaryDataPoint
    )

_KINDS: Final = {
    "gauge": 1,
    "sum": 2,
    "histogram": 3,
    "exponential_histogram": 4,
    "summary": 5,
}
_TEMPORALITIES: Final = range(3)
_HAS_TEMPORALITY: Final = frozenset({"sum", "histogram", "exponential_histogram"})


def add_metrics(request: ExportMetricsServiceRequest, decoded: Decoded) -> Iterator[None]:
    """Append the request's data points to the batch, a few in each step."""
    for resource_metrics in request.resource_metrics:
        resource_id = decoded.resource(resource_metrics.resource, resource_metrics.schema_url)
        yield
        for scope_metrics in resource_metrics.scope_metrics:
            scope_id = decoded.scope(scope_metrics.scope, scope_metrics.schema_url)
            yield
            for metric in scope_metrics.metrics:
                yield from _add_points(metric, resource_id, scope_id, decoded)


def _add_points(
    metric: Metric, resource_id: bytes, scope_id: bytes, decoded: Decoded
) -> Iterator[None]:
    kind = metric.WhichOneof("data")
    if kind is None:
        decoded.reject("metric without data")
        return
    data = getattr(metric, kind)
    decoded.expect(1 + len(data.data_points))
    sanitizer = decoded.sanitizer
    name = decoded.name(metric.name)
    description = decoded.name(metric.description) or None
    unit = decoded.name(metric.unit) or None
    metadata = jsonb(sanitizer.attributes(attributes(metric.metadata))) if metric.metadata else None
    common_odd: list[str] = []
    temporality = data.aggregation_temporality if kind in _HAS_TEMPORALITY else None
    if temporality is not None and temporality not in _TEMPORALITIES:
        common_odd.append("aggregation_temporality")
        temporality = 0
    monotonic = data.is_monotonic if kind == "sum" else None
    values_of = _VALUES_OF[kind]
    add = decoded.batch.points.append
    for point in data.data_points:
        odd = common_odd.copy()
        start = point.start_time_unix_nano
        time = point.time_unix_nano
        if not time:
            odd.append("no_time")
            time = decoded.arrived
        if time < start:
            odd.append("end_before_start")
        clean = sanitizer.attributes(attributes(point.attributes))
        if odd:
            mark(clean, odd)
        values = values_of(point)
        detail = values.detail
        if kind != "summary" and point.exemplars:
            decoded.expect(len(point.exemplars))
            detail["exemplars"] = [_exemplar(exemplar, sanitizer) for exemplar in point.exemplars]
        add(
            (
                time // 1000 - EPOCH,
                time % 1000,
                start // 1000 - EPOCH if start else None,
                start % 1000 if start else None,
                name,
                description,
                unit,
                _KINDS[kind],
                temporality,
                monotonic,
                values.value,
                values.value_int,
                values.total,
                values.sum,
                values.min,
                values.max,
                jsonb(detail) if detail else None,
                point.flags,
                jsonb(clean),
                metadata,
                resource_id,
                scope_id,
            )
        )
        yield


class _PointValues(NamedTuple):
    """Values of a data point, by column; `detail` has those of its kind of metric alone."""

    detail: dict[str, Any]
    value: float | None = None
    value_int: int | None = None
    total: int | None = None
    sum: float | None = None
    min: float | None = None
    max: float | None = None


def _of_number(point: NumberDataPoint) -> _PointValues:
    match point.WhichOneof("value"):
        case "as_int":
            return _PointValues({}, value_int=point.as_int)
        case "as_double":
            return _PointValues({}, value=point.as_double)
        case _:  # no recorded value
            return _PointValues({})


def _of_histogram(point: HistogramDataPoint) -> _PointValues:
    return _PointValues(
        {
            "bounds": [number(bound) for bound in point.explicit_bounds],
            "counts": list(point.bucket_counts),
        },
        total=point.count,
        sum=point.sum if point.HasField("sum") else None,
        min=point.min if point.HasField("min") else None,
        max=point.max if point.HasField("max") else None,
    )


def _of_exponential_histogram(point: ExponentialHistogramDataPoint) -> _PointValues:
    detail: dict[str, Any] = {
        "scale": point.scale,
        "zero_count": point.zero_count,
        "zero_threshold": number(point.zero_threshold),
    }
    for side in ("positive", "negative"):
        if point.HasField(side):
            buckets = getattr(point, side)
            detail[side] = {"offset": buckets.offset, "counts": list(buckets.bucket_counts)}
    return _PointValues(
        detail,
        total=point.count,
        sum=point.sum if point.HasField("sum") else None,
        min=point.min if point.HasField("min") else None,
        max=point.max if point.HasField("max") else None,
    )


def _of_summary(point: SummaryDataPoint) -> _PointValues:
    quantiles = [
        {"quantile": number(item.quantile), "value": number(item.value)}
        for item in point.quantile_values
    ]
    return _PointValues({"quantiles": quantiles}, total=point.count, sum=point.sum)


_VALUES_OF: Final[dict[str, Callable[[Any], _PointValues]]] = {
    "gauge": _of_number,
    "sum": _of_number,
    "histogram": _of_histogram,
    "exponential_histogram": _of_exponential_histogram,
    "summary": _of_summary,
}


def _exemplar(exemplar: Exemplar, sanitizer: Sanitizer) -> dict[str, Any]:
    row: dict[str, Any] = {"time": exemplar.time_unix_nano}
    match exemplar.WhichOneof("value"):
        case "as_int":
            row["value"] = exemplar.as_int
        case "as_double":
            row["value"] = number(exemplar.as_double)
    if exemplar.trace_id:
        row["trace_id"] = exemplar.trace_id.hex()
    if exemplar.span_id:
        row["span_id"] = exemplar.span_id.hex()
    if exemplar.filtered_attributes:
        row["attributes"] = sanitizer.attributes(attributes(exemplar.filtered_attributes))
    return row
