package indexer

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"fechatter/chat"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"
)

// bleveVersion covers everything that decides what is in an index: scan, the fields
// below and their content. An index of another version is recreated.
const bleveVersion = 2

// The fields of an index. Postings are plain sets of documents: hits are ordered by
// time, not by word frequency, and adjacency is checked in the body, which is
// stored for the marks anyway.
const (
	fieldBody   = "body"   // words, symbols, and letters of scripts without spaces, single and in pairs
	fieldStart  = "start"  // the first letter and the first two letters of words
	fieldChat   = "chat"   // id
	fieldSender = "sender" // id
	fieldLink   = "link"   // "1" if there is one
	fieldTime   = "time"   // orderedTime, readable by document
	fieldKept   = "kept"   // version and body, readable by document
)

// startRunes is the length up to which beginnings of words are terms themselves, so
// that a short prefix does not expand to thousands of terms.
const startRunes = 2

const postings = index.IndexField | index.SkipFreqNorm

// bleveDocument returns d in the form in which it is indexed.
func bleveDocument(d Document) *document.Document {
	doc := document.NewDocument(d.ID)
	units := scan(d.Body)
	doc.AddField(termsField(fieldBody, bodyTerms(units)))
	doc.AddField(termsField(fieldStart, startTerms(units)))
	doc.AddField(keyField(fieldChat, d.ChatID, postings))
	doc.AddField(keyField(fieldSender, d.SenderID, postings))
	if d.HasLink {
		doc.AddField(keyField(fieldLink, "1", postings))
	}
	doc.AddField(keyField(fieldTime, orderedTime(d.CreatedAt), postings|index.DocValues))
	doc.AddField(keyField(fieldKept, keep(d.Version, d.Body), index.StoreField))
	return doc
}

func keyField(name, value string, options index.FieldIndexingOptions) document.Field {
	return document.NewTextFieldCustom(name, nil, []byte(value), options, nil)
}

func termsField(name string, terms map[string]struct{}) document.Field {
	return document.NewTextFieldCustom(name, nil, nil, postings, knownTerms(terms))
}

// knownTerms is an analyzer that returns precomputed terms.
type knownTerms map[string]struct{}

func (k knownTerms) Analyze([]byte) analysis.TokenStream {
	all := make([]analysis.Token, 0, len(k))
	stream := make(analysis.TokenStream, 0, len(k))
	for term := range k {
		all = append(all, analysis.Token{Term: []byte(term), Position: 1})
		stream = append(stream, &all[len(all)-1])
	}
	return stream
}

func bodyTerms(units []unit) map[string]struct{} {
	terms := make(map[string]struct{}, len(units))
	for i, u := range units {
		u.forms(func(form string) bool {
			terms[form] = struct{}{}
			return true
		})
		if i > 0 && pair(units[i-1], u) {
			terms[units[i-1].text+u.text] = struct{}{}
		}
	}
	return terms
}

// pair reports whether two units are looked up as one.
func pair(a, b unit) bool { return a.kind == gram && b.kind == gram && a.end == b.start }

func startTerms(units []unit) map[string]struct{} {
	terms := make(map[string]struct{}, len(units))
	for _, u := range units {
		if u.kind != word {
			continue
		}
		u.forms(func(form string) bool {
			end := 0
			for range startRunes {
				_, n := utf8.DecodeRuneInString(form[end:])
				end += n
				terms[form[:end]] = struct{}{}
			}
			return true
		})
	}
	return terms
}

// orderedTime encodes a time as bytes that sort alike, without 0xff, which separates
// terms in an index. Times before 1970 do not occur.
func orderedTime(t chat.Time) string {
	var b [7]byte
	for i, rest := len(b)-1, max(t, 0); i >= 0; i, rest = i-1, rest>>7 {
		b[i] = byte(rest & 0x7f)
	}
	return string(b[:])
}

func timeOf(ordered []byte) chat.Time {
	var t chat.Time
	for _, b := range ordered {
		t = t<<7 | chat.Time(b)
	}
	return t
}

func keep(version int64, body string) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(version))) + body
}

var errKept = errors.New("the stored document is truncated")

func kept(value []byte) (version int64, body string, err error) {
	if len(value) < 8 {
		return 0, "", errKept
	}
	return int64(binary.BigEndian.Uint64(value)), string(value[8:]), nil //nolint:gosec // as keep wrote it
}
