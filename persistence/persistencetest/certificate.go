package persistencetest

import (
	"slices"
	"testing"
)

// testCertificates keeps files in folders: any bytes, one for a name, and none beside a
// folder whose name begins alike.
func testCertificates(t *testing.T, f *fixture) {
	ctx := t.Context()
	if _, found, err := f.store.Certificate(ctx, "a/x"); err != nil || found {
		t.Errorf("before anything was saved: %v, %v", found, err)
	}
	whatever := []byte{0, 1, 0xff, '\n'}
	for name, value := range map[string][]byte{"a/x": []byte("first"), "a/b/y": []byte("y"), "ab/z": []byte("z"), "a": {}} {
		must(t, f.store.SaveCertificate(ctx, name, value))
	}
	must(t, f.store.SaveCertificate(ctx, "a/x", whatever))
	value, found, err := f.store.Certificate(ctx, "a/x")
	must(t, err)
	if !found || !slices.Equal(value, whatever) {
		t.Errorf("got %v, %v", value, found)
	}
	names := func(folder string) (names []string) {
		files, err := f.store.Certificates(ctx, folder)
		must(t, err)
		for _, file := range files {
			names = append(names, file.Name)
			if file.Changed == 0 {
				t.Errorf("%s was never changed", file.Name)
			}
		}
		return names
	}
	equalSlices(t, "all", names(""), []string{"a", "a/b/y", "a/x", "ab/z"})
	equalSlices(t, "a folder", names("a/b"), []string{"a/b/y"})
	equalSlices(t, "a file", names("ab/z"), []string{"ab/z"})
	equalSlices(t, "nothing", names("b"), nil)
	must(t, f.store.DeleteCertificates(ctx, "a"))
	must(t, f.store.DeleteCertificates(ctx, "not there"))
	equalSlices(t, "after deleting a folder", names(""), []string{"ab/z"})
}
