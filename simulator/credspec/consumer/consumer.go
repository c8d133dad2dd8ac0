// Package consumer has what each tool on the way to a container does with a credential spec: what it hands on, what it reads out of it, what it
// drops without a word, and the words in which it refuses.
//
// The functions are pure: text in, outcome out. How lenient a reader is with JSON comes from its engine. Those written in Go read with
// encoding/json here too, into the same kinds of types; that of credentials-fetcher 1, jsoncpp, is modelled.
package consumer

// Outcome is what a consumer makes of a credential spec that it takes.
type Outcome struct {
	// Text is what it hands on; nil: nothing.
	Text []byte
	// Account, Domain and Secret are what it reads out of the document: the account that it will use, its domain, and the ARN of the secret
	// with the user of a host outside the domain. "": it does not read that, or finds nothing.
	Account, Domain, Secret string
	// Dropped are the parts that it leaves out without a word, as paths.
	Dropped []string
	// Silent says what does not work from here on although nobody complains; "": nothing.
	Silent string
}

// Refusal is a consumer's own text.
type Refusal struct {
	// Says is the text, to the letter but for the values in it.
	Says string
	// Status is the HTTP status of an answer; 0: it is none.
	Status int
	err    error
}

func (r *Refusal) Error() string { return r.Says }

// Unwrap is the cause that the text quotes.
func (r *Refusal) Unwrap() error { return r.err }

func refuse(says string) *Refusal { return &Refusal{Says: says} }
