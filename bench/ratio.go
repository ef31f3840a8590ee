package main

import (
	"math"
	"slices"
)

// spread is a figure over the rounds. Ratio is the median of this peer's figure
// over the program's own in the same round: machines differ from minute to minute,
// two runs of one round hardly.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Ratio  float64 `json:"ratio_to_self,omitempty"`
	Wide   bool    `json:"wide,omitempty"` // over 30 % between the least and the most
}

type comparison struct {
	Peer        string `json:"peer"`
	CPUMicros   spread `json:"cpu_us_per_delivery"`
	KBPerConn   spread `json:"kb_per_connection"`
	DeliveryP99 spread `json:"delivery_p99_ms"`
}

// compare gives a line for each peer.
func compare(names []string, runs []fanoutRun) (lines []comparison) {
	of := func(name string, figure func(fanoutRun) float64) (values []float64) {
		for _, r := range runs {
			if r.Peer == name {
				values = append(values, figure(r))
			}
		}
		return values
	}
	figure := func(name string, f func(fanoutRun) float64) spread { return spreadOf(of(name, f), of(self, f)) }
	for _, name := range names {
		lines = append(lines, comparison{
			Peer:        name,
			CPUMicros:   figure(name, func(r fanoutRun) float64 { return r.CPUMicros }),
			KBPerConn:   figure(name, func(r fanoutRun) float64 { return r.KBPerConn }),
			DeliveryP99: figure(name, func(r fanoutRun) float64 { return r.Delivery.P99 }),
		})
	}
	return lines
}

// spreadOf takes the values of the rounds, and those of self in the same rounds,
// if it was measured.
func spreadOf(values, selfs []float64) spread {
	s := spread{Median: median(values), Min: slices.Min(values), Max: slices.Max(values)}
	s.Wide = s.Max > 1.3*s.Min
	if len(selfs) == len(values) {
		ratios := make([]float64, len(values))
		for i, v := range values {
			ratios[i] = v / selfs[i]
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
