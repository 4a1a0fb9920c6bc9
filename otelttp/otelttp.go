// Package otelttp observes a store of package ttp with OpenTelemetry: a span for each operation, and metrics.
//
//	observer, err := otelttp.NewObserver()
//	...
//	store, err := ttp.Open(ctx, url, ttp.WithObserver(observer))
//
// The metrics are:
//
//   - ttp.tag.written: tags that were written
//   - ttp.tag.duplicate: tags that were stored already
//   - ttp.tag.dropped: tags that were not written, with the attribute reason: below_floor or tombstoned
//   - ttp.operation.duration: a histogram in seconds
//
// All have the attribute ttp.operation, such as "insert tags", and db.system.name. No attribute holds a value of a tag,
// a scope or a query.
package otelttp

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/decnet/ttpstore/ttp"
)

const scope = "github.com/decnet/ttpstore/otelttp"

// Option configures [NewObserver].
type Option func(*config)

type config struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
}

// WithTracerProvider sets the provider of the tracer, instead of the global one.
func WithTracerProvider(p trace.TracerProvider) Option { return func(c *config) { c.tracers = p } }

// WithMeterProvider sets the provider of the meter, instead of the global one.
func WithMeterProvider(p metric.MeterProvider) Option { return func(c *config) { c.meters = p } }

// NewObserver returns an observer for [ttp.WithObserver].
func NewObserver(opts ...Option) (ttp.Observer, error) {
	c := config{otel.GetTracerProvider(), otel.GetMeterProvider()}
	for _, option := range opts {
		option(&c)
	}
	o := observer{tracer: c.tracers.Tracer(scope)}
	return o.observe, o.makeInstruments(c.meters.Meter(scope))
}

type observer struct {
	tracer                      trace.Tracer
	written, duplicate, dropped metric.Int64Counter
	duration                    metric.Float64Histogram
}

func (o *observer) makeInstruments(meter metric.Meter) error {
	var errs [4]error
	tags := metric.WithUnit("{tag}")
	o.written, errs[0] = meter.Int64Counter("ttp.tag.written", tags, metric.WithDescription("Tags that were written."))
	o.duplicate, errs[1] = meter.Int64Counter("ttp.tag.duplicate", tags, metric.WithDescription("Tags that were stored already."))
	o.dropped, errs[2] = meter.Int64Counter("ttp.tag.dropped", tags, metric.WithDescription("Tags that were not written, by reason."))
	o.duration, errs[3] = meter.Float64Histogram("ttp.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of the operations of a store."))
	return errors.Join(errs[:]...)
}

func (o *observer) observe(ctx context.Context, seen ttp.Observation) {
	attrs := []attribute.KeyValue{
		attribute.String("ttp.operation", seen.Operation), attribute.String("db.system.name", string(seen.Dialect)),
	}
	if seen.Failure != "" {
		attrs = append(attrs, attribute.String("error.type", seen.Failure))
	}
	o.trace(ctx, seen, attrs)
	o.measure(ctx, seen, attrs)
}

// trace records a span after the fact, with the times of the operation.
func (o *observer) trace(ctx context.Context, seen ttp.Observation, attrs []attribute.KeyValue) {
	_, span := o.tracer.Start(ctx, "ttp "+seen.Operation,
		trace.WithTimestamp(seen.Start), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...),
		trace.WithAttributes(attribute.Int("ttp.rows", seen.Rows), attribute.Int("ttp.attempts", seen.Attempts),
			attribute.Bool("ttp.slow", seen.Slow)))
	for outcome, n := range seen.Outcomes {
		span.SetAttributes(attribute.Int("ttp.outcome."+outcome.String(), n))
	}
	if seen.Failure != "" {
		span.SetStatus(codes.Error, seen.Failure)
	}
	span.End(trace.WithTimestamp(seen.Start.Add(seen.Duration)))
}

func (o *observer) measure(ctx context.Context, seen ttp.Observation, attrs []attribute.KeyValue) {
	with := metric.WithAttributes(attrs...)
	o.duration.Record(ctx, seen.Duration.Seconds(), with)
	for outcome, n := range seen.Outcomes {
		switch outcome {
		case ttp.Inserted:
			o.written.Add(ctx, int64(n), with)
		case ttp.Duplicate:
			o.duplicate.Add(ctx, int64(n), with)
		default:
			o.dropped.Add(ctx, int64(n), with, metric.WithAttributes(attribute.String("reason", outcome.String())))
		}
	}
}
