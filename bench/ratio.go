package main

import (
	"math"
	"slices"
)

// spread is a figure over the rounds. Ratio is the median of this peer's figure over the
// program's own in the same round: machines differ from minute to minute, but two runs
// of one round hardly do.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Ratio  float64 `json:"ratio_to_self,omitempty"`
	Wide   bool    `json:"wide,omitempty"` // the largest is over 30 % above the smallest
}

type comparison struct {
	Peer        string `json:"peer"`
	CPUMicros   spread `json:"cpu_us_per_delivery"`
	KBPerConn   spread `json:"kb_per_connection"`
	DeliveryP99 spread `json:"delivery_p99_ms"`
}

// compare returns a line for each peer.
func compare(names []string, runs []fanoutRun) (lines []comparison) {
	for _, name := range names {
		lines = append(lines, comparison{
			Peer:        name,
			CPUMicros:   figureOf(name, runs, func(r fanoutRun) float64 { return r.CPUMicros }),
			KBPerConn:   figureOf(name, runs, func(r fanoutRun) float64 { return r.KBPerConn }),
			DeliveryP99: figureOf(name, runs, func(r fanoutRun) float64 { return r.Delivery.P99 }),
		})
	}
	return lines
}

// figureOf computes the spread of a figure of one peer over the runs of all rounds.
func figureOf(name string, runs []fanoutRun, figure func(fanoutRun) float64) spread {
	of := func(name string) (values []float64) {
		for _, r := range runs {
			if r.Peer == name {
				values = append(values, figure(r))
			}
		}
		return values
	}
	return spreadOf(of(name), of(self))
}

// spreadOf computes the spread of the values of all rounds, and compares them with those
// of self in the same rounds, if there are any.
func spreadOf(values, selfs []float64) spread {
	s := spread{Median: median(values), Min: slices.Min(values), Max: slices.Max(values)}
	s.Wide = s.Max > 1.3*s.Min
	if len(selfs) == len(values) {
		ratios := make([]float64, len(values))
		for i, v := range values {
			if selfs[i] != 0 {
				ratios[i] = v / selfs[i]
			}
		}
		s.Ratio = hundredths(median(ratios))
	}
	return s
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func hundredths(v float64) float64 { return math.Round(v*100) / 100 }
