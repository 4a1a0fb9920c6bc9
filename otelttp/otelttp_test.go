package otelttp_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/decnet/ttpstore/otelttp"
	"github.com/decnet/ttpstore/ttp"
	"github.com/decnet/ttpstore/ttptest"
)

const mark = "zzmark"

func tag(source string, confidence float64) ttp.Tag {
	return ttp.Tag{
		SourceKind: "command", SourceID: mark + source, AttackerUUID: uuid.NewSHA1(uuid.Nil, []byte("a")), SessionID: mark,
		Tactic: "TA0006", TechniqueID: "T1110", Confidence: confidence, RuleID: mark, RuleVersion: 1,
		AttackRelease: "18.1", ObservedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

func TestSpansAndMetrics(t *testing.T) {
	ctx := t.Context()
	spans, reader := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	observer, err := otelttp.NewObserver(
		otelttp.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))),
		otelttp.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	if err != nil {
		t.Fatal(err)
	}
	store := ttptest.New(t, ttptest.With(ttp.WithObserver(observer)))
	insert := func(tags ...ttp.Tag) {
		t.Helper()
		if _, err := store.InsertTags(ctx, tags); err != nil {
			t.Fatal(err)
		}
	}
	insert(tag("1", 0.7), tag("2", 0.7), tag("2", 0.7), tag("3", 0.1))
	if _, err := store.PurgeSession(ctx, mark, ttp.WithTombstone(mark)); err != nil {
		t.Fatal(err)
	}
	insert(tag("1", 0.7))
	if _, err := store.InsertTags(ctx, []ttp.Tag{{SourceKind: mark}}); !errors.Is(err, ttp.ErrInvalidTag) {
		t.Fatal(err)
	}

	want := map[string]int64{
		"ttp.tag.written": 2, "ttp.tag.duplicate": 1, "ttp.tag.dropped below_floor": 1, "ttp.tag.dropped tombstoned": 1,
	}
	got, text := metrics(ctx, t, reader)
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	inserts, failed := 0, 0
	for _, span := range spans.GetSpans() {
		text += fmt.Sprint(span.Name, span.Attributes, span.Status)
		if span.Name == "ttp insert tags" {
			inserts++
			if span.Status.Description == "invalid_tag" {
				failed++
			}
		}
		if span.EndTime.Before(span.StartTime) || time.Since(span.StartTime) > time.Minute {
			t.Errorf("%s lasted from %v to %v", span.Name, span.StartTime, span.EndTime)
		}
	}
	if inserts != 3 || failed != 1 {
		t.Errorf("there are %d spans of inserts, %d failed", inserts, failed)
	}
	if strings.Contains(text, mark) {
		t.Errorf("a value is in %s", text)
	}
}

// metrics returns the counters by name and reason, and the text of all attributes.
func metrics(ctx context.Context, t *testing.T, reader sdkmetric.Reader) (map[string]int64, string) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &all); err != nil {
		t.Fatal(err)
	}
	counts, text, durations := map[string]int64{}, "", uint64(0)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					reason, _ := point.Attributes.Value(attribute.Key("reason"))
					counts[strings.TrimSpace(m.Name+" "+reason.AsString())] += point.Value
					text += fmt.Sprint(point.Attributes.ToSlice())
				}
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					durations += point.Count
					text += fmt.Sprint(point.Attributes.ToSlice())
				}
			}
		}
	}
	if durations < 4 {
		t.Errorf("there are %d durations", durations)
	}
	return counts, text
}
