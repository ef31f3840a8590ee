package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const list = `# hub

stale: an edited text is replayed as it was
hub/ring.go
-	if a {
-		b()
+	if false {
-c
+d
+e
hub/wire.go
-gone
go ./hub TestOne
npm test/apply.test.ts events that are held

`

func TestParse(t *testing.T) {
	got, err := Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	want := []Mutation{{
		Name: "stale: an edited text is replayed as it was",
		Edits: []Edit{
			{"hub/ring.go", "\tif a {\n\t\tb()", "\tif false {"},
			{"hub/ring.go", "c", "d\ne"},
			{"hub/wire.go", "gone", ""},
		},
		Proofs: []Proof{{"go", "./hub", "TestOne"}, {"npm", "test/apply.test.ts", "events that are held"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"no edit\ngo ./hub TestOne",
		"no proof\nhub/ring.go\n-a",
		"no test\nhub/ring.go\n-a\ngo ./hub",
		"no path\n-a\ngo ./hub TestOne",
		"nothing replaced\nhub/ring.go\n+a\ngo ./hub TestOne",
		"twice\na.go\n-a\ngo ./hub TestOne\n\ntwice\na.go\n-a\ngo ./hub TestOne",
	} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

func TestEditMatchesOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.go")
	if err := os.WriteFile(file, []byte("one\ntwo\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for old, fits := range map[string]bool{"one": true, "one\ntwo": true, "two": false, "three": false} {
		files, err := Mutation{Edits: []Edit{{file, old, "new"}}}.broken()
		if (err == nil) != fits {
			t.Errorf("%q: %v", old, err)
		}
		if fits && !strings.HasPrefix(files[file], "new\n") {
			t.Errorf("%q: the text is %q", old, files[file])
		}
	}
}

func TestJudgeGo(t *testing.T) {
	for out, proved := range map[string]bool{
		"=== RUN   TestOne\n--- FAIL: TestOne (0.00s)\nFAIL": true,
		"--- PASS: TestOne (0.00s)\nPASS":                    false,
		"--- SKIP: TestOne (0.00s)":                          false,
		"--- FAIL: TestOneMore (0.00s)":                      false,
		"testing: warning: no tests to run":                  false,
		"FAIL fechatter/hub [build failed]":                  false,
		"panic: test timed out after 3m0s":                   false,
		"panic: nil map":                                     false,
	} {
		if why := judgeGo(out, "TestOne"); (why == "") != proved {
			t.Errorf("%q: %q", out, why)
		}
	}
	const out = "--- FAIL: TestOne (0.00s)\n    --- PASS: TestOne/part (0.00s)\n    --- FAIL: TestOne/other (0.00s)"
	for test, proved := range map[string]bool{"TestOne/part": false, "TestOne/other": true, "TestOne/none": false} {
		if why := judgeGo(out, test); (why == "") != proved {
			t.Errorf("%s: %q", test, why)
		}
	}
}

func TestPattern(t *testing.T) {
	for tests, want := range map[string]string{"TestOne TestTwo": "^(TestOne|TestTwo)$", "TestOne/part": "^(TestOne)$/^(part)$"} {
		if got := pattern(strings.Fields(tests)); got != want {
			t.Errorf("%s: %s", tests, got)
		}
	}
	if a, b := (Proof{"go", "./hub", "TestOne"}).group(), (Proof{"go", "./hub", "TestOne/part"}).group(); a == b {
		t.Error("a part of a test is run with others, which it leaves out")
	}
}

func TestJudgePage(t *testing.T) {
	const frame = `{"testResults":[{"assertionResults":[%]}]}`
	for result, proved := range map[string]bool{
		`{"status":"failed","failureMessages":["expected 1"]}`:                      true,
		`{"status":"failed","failureMessages":["Error: Test timed out in 5000ms"]}`: false,
		`{"status":"passed"}`: false,
		``:                    false,
	} {
		if why := judgePage([]byte(strings.Replace(frame, "%", result, 1))); (why == "") != proved {
			t.Errorf("%s: %q", result, why)
		}
	}
}

// A rule that has changed takes its mutation along: that is seen here, long before make prove.
func TestEveryEditOfTheListMatchesOnce(t *testing.T) {
	t.Chdir("..")
	text, err := os.ReadFile("mutations.txt")
	if err != nil {
		t.Fatal(err)
	}
	all, err := Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if _, err := m.broken(); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
}
