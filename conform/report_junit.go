package conform

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

type junitSuite struct {
	XMLName   xml.Name    `xml:"testsuite"`
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as the XML that CI servers read.
func (r Report) WriteJUnit(w io.Writer) error {
	suite := junitSuite{Name: "conform " + r.URL, Tests: len(r.Results), Failures: r.Count(Fail), Skipped: r.Count(Skip),
		Time: seconds(r.Took), Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05")}
	for _, result := range r.Results {
		suite.Cases = append(suite.Cases, junitOf(result))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(suite); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	return nil
}

func junitOf(r Result) junitCase {
	c := junitCase{Class: "conform." + r.Section, Name: r.Name, Time: seconds(r.Took)}
	first, _, _ := strings.Cut(r.Reason, "\n")
	switch r.Outcome {
	case Fail:
		c.Failure = &junitMessage{Message: first, Text: r.Reason}
	case Skip:
		c.Skipped = &junitMessage{Message: first}
	}
	return c
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
